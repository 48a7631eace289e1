from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from macros.models.usage import users_of

from ..models import Filter, SubjectKind
from ..rest.owned import OwnedSerializer
from ..rest.serializers import Choice
from ..selection.saved import compiled

# Counting goes through the rows; nobody needs to know more exactly.
MAX_COUNTED = 100_000
_STAYS = "This stays as it is: save another filter."


@extend_schema_field({"type": "object", "additionalProperties": True})
class ConditionsField(serializers.JSONField):
    """A tree; what is wrong with it is named where it is checked."""


class FilterSerializer(OwnedSerializer):
    """A saved filter."""

    subject_kind = Choice(
        choices=SubjectKind.choices,
        required=False,
        help_text="For a project: its tickets, or those who submitted in it.",
    )
    conditions = ConditionsField(
        required=False,
        help_text='`{"match": "all", "conditions": [{"field": "open", "qualifier":'
        ' "yes"}]}`; see `/filters/fields/`. Without conditions it selects all.',
    )

    fixed = dict.fromkeys(("type", "project", "community", "subject_kind"), _STAYS)

    class Meta:
        model = Filter
        fields = [
            "id",
            "name",
            "description",
            "subject_kind",
            "type",
            "project",
            "community",
            "conditions",
            "created_at",
            "modified_at",
        ]
        read_only_fields = ["created_at", "modified_at"]
        # The model's own checks name the owner, which may come from the key.
        validators: list[object] = []


class UnsavedFilterSerializer(FilterSerializer):
    """A filter to be tried out, which needs no name."""

    class Meta(FilterSerializer.Meta):
        extra_kwargs = {"name": {"required": False}}


class FilterDetailSerializer(FilterSerializer):
    used_by = serializers.SerializerMethodField(help_text="What selects by it.")
    words = serializers.SerializerMethodField(help_text="What it says, for people.")
    problems = serializers.SerializerMethodField(
        help_text="What it has lost. While there is any, it matches nothing."
    )

    class Meta(FilterSerializer.Meta):
        fields = [*FilterSerializer.Meta.fields, "used_by", "words", "problems"]

    def get_used_by(self, row: Filter) -> list[str]:
        return [label for _, label in users_of(row)]

    def get_words(self, row: Filter) -> str:
        return compiled(row).words

    def get_problems(self, row: Filter) -> list[dict[str, str]]:
        return [
            {"path": each.path, "detail": each.sentence}
            for each in compiled(row).problems
        ]


class FilterPreviewSerializer(serializers.Serializer):
    """How much a filter would select now."""

    count = serializers.IntegerField(help_text=f"At most {MAX_COUNTED + 1:,}.")
    is_more = serializers.BooleanField(help_text="There are more than are counted.")
    words = serializers.CharField()
    first = serializers.ListField(
        child=serializers.IntegerField(), help_text="The numbers of the newest ten."
    )
