"""Feedback types with their statuses and questions, as programs read and write them.

A list that is given is the whole list, in its order: what is in it is changed or added,
and what is not in it is removed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model
from rest_framework import serializers

from macros.models.losses import listed, lost

from ..changes import deletion, stored
from ..changes.signals import Pair
from ..models import (
    USUAL_STATUSES,
    FeedbackType,
    FormField,
    Project,
    Status,
    key_from_label,
)
from ..names import fold
from ..rest.problems import Problem
from ..rest.serializers import RowNumber, StrictSerializer, Text, Truth, VisibleRow

ADD_TYPE = "feedback.add_feedbacktype"
# In a list of one type.
MAX_STATUSES, MAX_QUESTIONS = 100, 300
_LOST = (
    "Filters that lose a part match nothing, and tags of what is gone make a delivery"
    " fail. To remove it all the same, send `remove_used` as true."
)


class ChoicesField(serializers.ListField):
    """A list in JSON, lines of text in the database."""

    child = Text(max_length=500)

    def to_internal_value(self, data: Any) -> Any:
        lines = super().to_internal_value(data)
        if any(len(line.splitlines()) != 1 for line in lines):
            raise serializers.ValidationError("Give each choice as one line.")
        return "\n".join(lines)

    def to_representation(self, data: Any) -> list[str]:
        lines = (line.strip() for line in str(data).splitlines())
        return [line for line in lines if line]


class TypeStatusSerializer(StrictSerializer):
    """A status of a type; new tickets get the first."""

    id = RowNumber(required=False, help_text="Which one it is; a new one has none.")

    class Meta:
        model = Status
        fields = ["id", "name", "is_open", "colour"]
        validators: list[object] = []


class QuestionSerializer(StrictSerializer):
    """A question on a type's form."""

    id = RowNumber(required=False, help_text="Which one it is; a new one has none.")
    choices = ChoicesField(
        required=False, max_length=1_000, help_text="For the kinds that offer a choice."
    )

    class Meta:
        model = FormField
        fields = [
            "id",
            "key",
            "label",
            "kind",
            "required",
            "choices",
            "help_text",
            "in_list",
        ]
        validators: list[object] = []


class WholeTypeSerializer(StrictSerializer):
    """A feedback type."""

    project = VisibleRow(
        queryset=Project.objects.filter(
            deleting_since=None, community__deleting_since=None
        ),
        permissions=(ADD_TYPE,),
        help_text="The number of the project.",
    )
    statuses = TypeStatusSerializer(
        many=True,
        required=False,
        max_length=MAX_STATUSES,  # type: ignore[call-arg]
        help_text="All of them, in their order. A new type has the usual ones.",
    )
    questions = QuestionSerializer(
        source="form_fields",
        many=True,
        required=False,
        max_length=MAX_QUESTIONS,  # type: ignore[call-arg]
        help_text="All questions of the form, in their order.",
    )
    remove_used = Truth(
        write_only=True,
        default=False,
        help_text="Also remove statuses, questions and choices that filters, triggers"
        " or tags need.",
    )

    fixed = {"project": "A feedback type stays in its project."}

    class Meta:
        model = FeedbackType
        fields = [
            "id",
            "project",
            "name",
            "prefix",
            "external_columns",
            "statuses",
            "questions",
            "remove_used",
            "deleting_since",
        ]
        read_only_fields = ["deleting_since"]
        validators: list[object] = []

    def save(self, **kwargs: Any) -> FeedbackType:
        given = self.validated_data
        self.may_lose = given.pop("remove_used", False)
        self.lists: dict[str, list[dict[str, Any]]] = {
            name: given.pop(source)
            for name, source in (("statuses", "statuses"), ("questions", "form_fields"))
            if source in given
        }
        if self.instance is None:
            self.lists.setdefault("statuses", [*USUAL_STATUSES])
        row: FeedbackType = super().save()
        return row

    def store(self, row: FeedbackType) -> None:
        stored.save(row, self.actor, parts=self._write_lists(row))

    def _write_lists(self, row: FeedbackType) -> Iterator[Pair]:
        if self.lists.get("statuses") == []:
            problem = "A feedback type needs a status: a new ticket gets the first."
            raise serializers.ValidationError({"statuses": problem})
        for name, given in self.lists.items():
            model: Any = Status if name == "statuses" else FormField
            parts = PartList(name, row, model, self.may_lose)
            yield from parts.write(given)


class PartList:
    """The statuses or the questions of a type, and what is to become of them."""

    def __init__(
        self, name: str, owner: FeedbackType, model: Any, may_lose: bool
    ) -> None:
        self.name, self.owner, self.model = name, owner, model
        self.may_lose = may_lose
        rows = model.objects.filter(feedback_type=owner)
        self.before: dict[int, Any] = {each.pk: each for each in rows}

    def write(self, given: Sequence[dict[str, Any]]) -> Iterator[Pair]:
        """What goes first, so that its name is free. Raises ValidationError."""
        matched = [self._matched(number, each) for number, each in enumerate(given)]
        kept = [pk for pk in matched if pk is not None]
        for number, pk in enumerate(matched):
            if pk is not None and matched.index(pk) != number:
                self._refuse(number, "id", "This one is in the list twice.")
        for pk, row in self.before.items():
            if pk not in kept:
                self._remove(row)
                yield row, None
        for position, (pk, values) in enumerate(zip(matched, given, strict=True), 1):
            yield self._save(position, pk, values)

    def _matched(self, number: int, values: dict[str, Any]) -> int | None:
        """Which row it is: by its number, or else by its name or key."""
        if pk := values.get("id"):
            if pk not in self.before:
                self._refuse(number, "id", f"The type has no such row {pk}.")
            return int(pk)
        column = "name" if self.model is Status else "key"
        wanted = values.get(column) or key_from_label(values.get("label", ""))
        rows = self.before.items()
        alike = (pk for pk, row in rows if fold(getattr(row, column)) == fold(wanted))
        return next(alike, None)

    def _remove(self, row: Any) -> None:
        if problem := deletion.why_not(row):
            raise Problem(409, "in_use", problem)
        self._check_losses(row, None)
        self.model.objects.get(pk=row.pk).delete()

    def _save(self, position: int, pk: int | None, values: dict[str, Any]) -> Pair:
        before = self.before.get(pk or 0)
        row = self.model.objects.get(pk=pk) if pk else self.model()
        for name, value in values.items():
            if name != "id":
                setattr(row, name, value)
        row.feedback_type, row.position = self.owner, position
        try:
            row.full_clean()
        except ValidationError as error:
            raise serializers.ValidationError(
                {self.name: {str(position - 1): error.message_dict}}
            ) from error
        if before is not None:
            self._check_losses(before, row)
        row.save()
        return before, row

    def _check_losses(self, before: Any, after: Model | None) -> None:
        losses = [] if self.may_lose else [*lost(before, after)]  # type: ignore[arg-type]
        if losses:
            uses = [f"{part} is used by: {listed(users)}." for part, users in losses]
            raise Problem(409, "in_use", " ".join([*uses, _LOST]))

    def _refuse(self, number: int, member: str, problem: str) -> None:
        raise serializers.ValidationError({self.name: {str(number): {member: problem}}})
