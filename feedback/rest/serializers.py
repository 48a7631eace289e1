"""Rows that those of several rooms point at, in short, and values of one type only."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django.core.exceptions import ValidationError
from django.db import models
from rest_framework import serializers

from ..changes import stored
from ..models import FeedbackType, Project
from ..names import Hints
from ..texts import is_pk


class SharedRow(serializers.ModelSerializer):
    # A row that many of a list point at: it is shown once, and repeated. No docstring:
    # that would stand in the schema of each.

    def to_representation(self, instance: models.Model) -> dict[str, Any]:
        shown = cast(dict[str, Any], self.context).setdefault("shown", {})
        known_as = type(self), instance.pk
        if known_as not in shown:
            shown[known_as] = super().to_representation(instance)
        row: dict[str, Any] = shown[known_as]
        return row


class ProjectSerializer(SharedRow):
    class Meta:
        model = Project
        fields = ["id", "name"]


class FeedbackTypeSerializer(SharedRow):
    class Meta:
        model = FeedbackType
        fields = ["id", "name", "prefix"]


class RowNumber(serializers.IntegerField):
    """A JSON number; what int() makes of strings would let look-alikes pass."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=2**63 - 1, **options)

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return int(super().to_internal_value(data))


class Truth(serializers.BooleanField):
    """true or false of JSON, and nothing that looks like it."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Whole(serializers.IntegerField):
    """A whole number of JSON."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return int(super().to_internal_value(data))


class Text(serializers.CharField):
    """A text of JSON; a number is none."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Choice(serializers.ChoiceField):
    """One of some texts."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


class VisibleRow(serializers.PrimaryKeyRelatedField):
    """The number of a row; one that the caller can't see does not exist.

    `permissions` are those of which one is enough; without any, to view it.
    """

    default_error_messages = {
        "does_not_exist": "There is no {noun} {pk_value}.",
        "incorrect_type": "Give a number.",
    }

    def __init__(self, *, permissions: tuple[str, ...] = ("",), **options: Any) -> None:
        self.permissions = permissions
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> Any:
        if not is_pk(data):
            self.fail("incorrect_type")
        actor, rows = self.context["request"].user, cast(Any, self.get_queryset())
        for permission in self.permissions:
            if row := rows.visible_to(actor, permission).filter(pk=data).first():
                return row
        noun = rows.model._meta.verbose_name
        self.fail("does_not_exist", noun=noun, pk_value=data)


class StrictSerializer(serializers.ModelSerializer):
    """A row as a program writes it: every member known, and of its own type.

    `fixed` are members that stay as they are once the row is there, each with the
    reason. `save()` is the door that audits.
    """

    fixed: ClassVar[dict[str, str]] = {}

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.BooleanField: Truth,
        models.CharField: Text,
        models.TextField: Text,
        models.IntegerField: Whole,
        models.PositiveIntegerField: Whole,
        models.PositiveSmallIntegerField: Whole,
    }
    serializer_choice_field = Choice

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (problems := self._problems(data)):
            raise serializers.ValidationError(problems)
        return super().to_internal_value(data)

    def _problems(self, data: dict[str, Any]) -> dict[str, str]:
        problems: dict[str, str] = {}
        hints = Hints()
        for name in data:
            if name not in self.fields:
                hint = hints.near(name, self.fields)
                problems[name] = f"There is no such member.{hint}"
            elif self.fields[name].read_only:
                problems[name] = "This is read only."
            elif self.instance is not None and name in self.fixed:
                problems[name] = self.fixed[name]
        return problems

    @property
    def actor(self) -> Any:
        return self.context["request"].user

    def save(self, **kwargs: Any) -> Any:
        model: Any = self.Meta.model
        row = self.instance or model()
        for name, value in self.validated_data.items():
            setattr(row, name, value)
        try:
            self.store(row)
        except ValidationError as error:
            raise self.renamed(error) from error
        self.instance = row
        return row

    def store(self, row: Any) -> None:
        stored.save(row, self.actor)

    def renamed(self, error: ValidationError) -> ValidationError:
        """Under the names that members have for the columns."""
        if not hasattr(error, "error_dict"):
            return error
        names = {field.source: name for name, field in self.fields.items()}
        by_name = error.error_dict.items()
        return ValidationError({names.get(each, each): whys for each, whys in by_name})
