from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from feedback.models import SubjectKind
from feedback.rest.asked import AskedSerializer
from feedback.rest.serializers import (
    FeedbackTypeSerializer,
    ProjectSerializer,
    RowNumber,
)

from ..models import Macro

MAX_IDS = 10_000


class MacroSerializer(serializers.ModelSerializer):
    """A macro in a list."""

    subject_kind = serializers.ChoiceField(
        choices=SubjectKind.choices, read_only=True, help_text="What it is run on."
    )
    type = FeedbackTypeSerializer(
        source="feedback_type",
        read_only=True,
        allow_null=True,
        help_text="Whose tickets it runs on; null for a user macro.",
    )
    project = ProjectSerializer(
        read_only=True,
        allow_null=True,
        help_text="Null for a user macro of the whole community.",
    )
    step_count = serializers.SerializerMethodField(
        help_text="How many of its steps are on."
    )

    class Meta:
        model = Macro
        fields = [
            "id",
            "name",
            "description",
            "subject_kind",
            "type",
            "project",
            "is_active",
            "paused_reason",
            "paused_at",
            "step_count",
            "created_at",
            "modified_at",
        ]
        read_only_fields = fields

    def get_step_count(self, macro: Macro) -> int:
        counted: int | None = getattr(macro, "step_count", None)
        if counted is None:  # It was made by a caller who may not see it.
            return macro.steps.filter(is_active=True).count()
        return counted


@extend_schema_field({"oneOf": [{"type": "integer"}, {"type": "string"}]})
class NumberOrName(serializers.Field):
    """How a row is named: gives the text."""

    default_error_messages = {"invalid": "Give a number or a name."}

    def to_internal_value(self, data: Any) -> str:
        if type(data) not in (int, str) or not str(data).strip():
            self.fail("invalid")
        return str(data)


@extend_schema_field(
    {"type": "object", "minProperties": 1, "additionalProperties": True}
)
class ConditionsOfList(serializers.DictField):
    """The parameters of a list."""


class RunStartSerializer(AskedSerializer):
    """Which tickets or testers: by numbers, by conditions, or by a saved filter."""

    schema_of_all = {"minProperties": 1, "maxProperties": 1}

    ids = serializers.ListField(
        child=RowNumber(),
        required=False,
        min_length=1,
        max_length=MAX_IDS,
        help_text="Numbers (`id`) of tickets of the macro's type, or of testers for a"
        " user macro.",
    )
    filter = ConditionsOfList(
        required=False,
        allow_empty=False,
        help_text="The parameters of `GET /api/v1/feedback/`, or for a user macro of"
        " `GET /api/v1/testers/`, with their values; a list where one may be given"
        " several times.",
    )

    saved_filter = NumberOrName(
        required=False,
        help_text="Number or name of a saved filter of the macro's type, project or"
        " community.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError("Give one of ids, filter, saved_filter.")
        return attrs
