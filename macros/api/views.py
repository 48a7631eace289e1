from __future__ import annotations

from django.db.models import Count, Q
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from feedback.access.roles import RUN_MACRO

from ..models import Macro
from ..models.usage import users_of
from .filters import MacroFilterSet
from .macro_actions import NEEDED, MacroActions
from .macro_serializers import MacroDetailSerializer, MacroDocumentSerializer
from .presets import ADD, MacroPresets
from .serializers import MacroSerializer
from .starting import MacroRuns

_WRITTEN = ("create", "partial_update", "validate", "validate_new")


@extend_schema_view(
    list=extend_schema(summary="List macros"),
    retrieve=extend_schema(summary="Read a macro with its steps"),
    create=extend_schema(
        summary="Add a macro with its steps", responses={201: MacroDetailSerializer}
    ),
    partial_update=extend_schema(
        summary="Change a macro",
        description="Members that are left out stay. `steps` are all of its steps.",
        responses=MacroDetailSerializer,
    ),
    destroy=extend_schema(
        summary="Delete a macro",
        description="Answers 409 while a trigger, schedule or listener runs it.",
    ),
)
class MacroViewSet(MacroPresets, MacroRuns, MacroActions):
    queryset = Macro.objects.select_related(
        "feedback_type__project__community", "project__community", "community"
    ).annotate(
        step_count=Count("steps", filter=Q(steps__is_active=True), distinct=True)
    )
    filterset_class = MacroFilterSet
    action_permissions = {
        "runs": RUN_MACRO,
        "dry_run": RUN_MACRO,
        "from_preset": ADD,
        **NEEDED,
    }

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        if self.action == "list":
            return MacroSerializer
        is_written = self.action in _WRITTEN
        return MacroDocumentSerializer if is_written else MacroDetailSerializer

    def why_kept(self, row: Macro) -> str:
        users = [label for _, label in users_of(row)]
        if users:
            return f"It is used, and would be missed: {', '.join(users)}."
        return super().why_kept(row)
