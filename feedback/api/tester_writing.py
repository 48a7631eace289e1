"""One tester as programs write it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ..access.keys import KeyActor
from ..access.roles import ADD_TESTER
from ..changes import stored, unit
from ..models import Community, Tester
from ..rest.serializers import StrictSerializer, Text, VisibleRow, Whole
from ..sources.external import COLUMNS, MAX_DATA, columns_with, read_external
from ..sources.faults import Faults, SubmissionRefused
from ..sources.people import valid_email
from ..sources.testers import EXTERNAL, country_of
from .batches import as_problem


@extend_schema_field({"type": "object", "additionalProperties": True})
class ExternalDataField(serializers.Field):
    """Values by their names; checked where they are stored."""

    def to_internal_value(self, data: Any) -> Any:
        return data


class TesterWriteSerializer(StrictSerializer):
    """A tester's profile, address and external data."""

    email = Text(max_length=254, validators=[EmailValidator()])
    country = Text(
        max_length=2,
        required=False,
        allow_blank=True,
        help_text="Two letters, ISO 3166: DE, US ...",
    )
    community = VisibleRow(
        queryset=Community.objects.filter(deleting_since=None),
        permissions=(ADD_TESTER,),
        required=False,
        help_text="Needed of people; a key has its own.",
    )
    score = Whole(min_value=-(2**31), max_value=2**31 - 1, required=False)
    external_data = ExternalDataField(
        required=False,
        help_text="Values by their names; null takes one away, and names that are not"
        f" given stay. At most {MAX_DATA:,} bytes of JSON.",
    )

    fixed = {"community": "A tester stays in the community."}

    class Meta:
        model = Tester
        fields = [*Tester.PROFILE, "community", "score", "external_data"]
        validators: list[object] = []

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self.instance is None and "community" not in attrs:
            if not isinstance(self.actor, KeyActor):
                problem = "Say to which community they belong."
                raise serializers.ValidationError({"community": problem})
            attrs["community"] = self.actor.key.community
        for name, reads in (("email", valid_email), ("country", country_of)):
            if name in attrs:
                try:
                    attrs[name] = reads(attrs[name])
                except ValidationError as error:
                    raise serializers.ValidationError({name: error.messages}) from error
        return attrs

    def save(self, **kwargs: Any) -> Tester:
        faults = Faults()
        self.external = {}
        if EXTERNAL in self.validated_data:
            given = self.validated_data.pop(EXTERNAL)
            self.external = read_external(given, faults, EXTERNAL)
        if faults:
            raise as_problem(SubmissionRefused(faults))
        row: Tester = super().save()
        return row

    def store(self, row: Tester) -> None:
        faults = Faults()
        with unit() as opened:
            present: dict[str, Any] = {}
            if row.pk is not None:
                columns = (*COLUMNS, "erased_at")
                present = opened.lock(Tester, [row.pk], columns).get(row.pk, {})
                if not present or present["erased_at"]:
                    raise ValidationError("The tester was erased or deleted.")
            source = self.actor.get_username()
            values = columns_with(present, self.external, source, faults, EXTERNAL)
            if faults:
                raise as_problem(SubmissionRefused(faults))
            for name, value in values.items():
                setattr(row, name, value)
            stored.save(row, self.actor)
