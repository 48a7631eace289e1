"""Record lookups through the API: listed, made, changed and deleted."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers

from ..models import LookupKind, RecordLookup
from ..packages.values import ColumnType
from ..rest.owned import OwnedSerializer
from ..rest.viewsets import WritableViewSet
from ..selection.conditions import ChoiceFilter, NumberFilter, TextFilter
from ..selection.filtersets import StrictFilterSet

_STAYS = "A lookup stays with what it looks up."
# Names alone are taken as well.
_COLUMNS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string"},
            "type": {"type": "string", "enum": ColumnType.values},
        },
    },
}


@extend_schema_field(_COLUMNS)
class ColumnsField(serializers.JSONField):
    """What is wrong with it is named where it is checked."""


class LookupSerializer(OwnedSerializer):
    """An address at which programs read one record."""

    subject_kind = serializers.ChoiceField(
        choices=LookupKind.choices,
        default=LookupKind.FEEDBACK,
        help_text="What is looked up.",
    )
    columns = ColumnsField(
        help_text="What it gives, in order: names, each with its type where it may have"
        " several."
    )
    url = serializers.SerializerMethodField(help_text="Where it is called.")
    parameter = serializers.CharField(
        read_only=True, help_text="The parameter of the URL that names the record."
    )

    fixed = dict.fromkeys(("type", "project", "community", "subject_kind"), _STAYS)

    class Meta:
        model = RecordLookup
        fields = [
            *("id", "type", "project", "community", "subject_kind", "name", "key"),
            *("description", "is_active", "found_by", "external_name", "columns"),
            *("url", "parameter", "created_at", "modified_at"),
        ]
        read_only_fields = ["created_at", "modified_at"]
        # The model's own, which know the community of a type.
        validators: list[object] = []

    def get_url(self, lookup: RecordLookup) -> str:
        path = reverse("lookup", args=[lookup.community_id, lookup.key])
        return f"{settings.BASE_URL}{path}"


class LookupFilterSet(StrictFilterSet):
    type = NumberFilter(lookup="feedback_type", help_text="Number of a feedback type.")
    project = NumberFilter(lookup="project", help_text="Number of a project.")
    community = NumberFilter(lookup="community", help_text="Number of a community.")
    subject_kind = ChoiceFilter(
        lookup="subject_kind",
        meanings={each: each for each in LookupKind.values},
        help_text="What is looked up.",
    )
    name = TextFilter(lookup="name__iexact", help_text="The whole name.")


@extend_schema_view(
    list=extend_schema(summary="List record lookups"),
    retrieve=extend_schema(summary="Read a record lookup: its settings, not a record"),
    create=extend_schema(summary="Add a record lookup"),
    partial_update=extend_schema(summary="Change a record lookup"),
    destroy=extend_schema(summary="Delete a record lookup"),
)
class LookupViewSet(WritableViewSet):
    queryset = RecordLookup.objects.select_related("community", "project")
    serializer_class = LookupSerializer
    filterset_class = LookupFilterSet
