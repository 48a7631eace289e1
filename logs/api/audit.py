"""Who did what: read by those who manage the community."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from feedback.rest.viewsets import ReadOnlyViewSet
from feedback.selection.conditions import (
    ChoiceFilter,
    MomentFilter,
    NumberFilter,
    TextFilter,
)
from feedback.selection.filtersets import StrictFilterSet

from ..models import Action, AuditEntry


class AuditEntrySerializer(serializers.ModelSerializer):
    """One entry of the audit log."""

    who = serializers.CharField(
        source="actor_name", read_only=True, help_text="A person or an API key."
    )
    community = serializers.IntegerField(
        source="community_id", read_only=True, allow_null=True
    )
    project = serializers.IntegerField(
        source="project_id", read_only=True, allow_null=True
    )
    run = serializers.IntegerField(source="run_id", read_only=True, allow_null=True)

    class Meta:
        model = AuditEntry
        fields = [
            "id",
            "moment",
            "action",
            "who",
            "api_key",
            "address",
            "object_type",
            "object_id",
            "object_name",
            "changes",
            "detail",
            "community",
            "community_name",
            "project",
            "project_name",
            "run",
        ]
        read_only_fields = fields


class AuditFilterSet(StrictFilterSet):
    action = ChoiceFilter(
        lookup="action", meanings={each: each for each in Action.values}
    )
    who = TextFilter(lookup="actor_name__iexact", help_text="The whole name.")
    object_type = TextFilter(
        lookup="object_type", help_text="A kind of object, such as macros.macro."
    )
    object_id = NumberFilter(lookup="object_id", help_text="Number of an object.")
    community = NumberFilter(lookup="community", help_text="Number of a community.")
    project = NumberFilter(lookup="project", help_text="Number of a project.")
    run = NumberFilter(lookup="run", help_text="Number of a run.")
    after = MomentFilter(lookup="moment__gte", help_text="At this moment or later.")
    before = MomentFilter(lookup="moment__lt", help_text="Before this moment.")


@extend_schema_view(
    list=extend_schema(
        summary="List the audit log",
        description="Newest first: who did what, when and from where.",
    ),
    retrieve=extend_schema(summary="Read an entry of the audit log"),
)
class AuditViewSet(ReadOnlyViewSet):
    queryset = AuditEntry.objects.all()
    serializer_class = AuditEntrySerializer
    filterset_class = AuditFilterSet
