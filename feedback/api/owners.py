"""Communities and projects: what tickets, testers and automation belong to."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from macros.models.usage import users_of

from ..access.keys import KeyActor
from ..models import Community, Project
from ..rest.serializers import StrictSerializer, VisibleRow
from ..rest.viewsets import WritableViewSet
from ..selection.conditions import ChoiceFilter, NumberFilter, TextFilter
from ..selection.filtersets import StrictFilterSet

ADD_PROJECT = "feedback.add_project"
_DELETION = (
    "With all that belongs to it. Needs `If-Match`. 202 where that is much: it goes in"
    " the background then. Answers 409 while it is being deleted."
)


class WholeCommunitySerializer(StrictSerializer):
    """A community."""

    class Meta:
        model = Community
        fields = [
            "id",
            "name",
            "alert_emails",
            "tester_columns",
            "created_at",
            "deleting_since",
        ]
        read_only_fields = ["created_at", "deleting_since"]
        # The door checks them, also where one of their columns is not given.
        validators: list[object] = []


class CommunityFilterSet(StrictFilterSet):
    name = TextFilter(lookup="name__iexact", help_text="The whole name.")


@extend_schema_view(
    list=extend_schema(summary="List communities"),
    retrieve=extend_schema(summary="Read a community"),
    create=extend_schema(
        summary="Make a community", description="For superusers in a session."
    ),
    partial_update=extend_schema(summary="Change a community"),
    destroy=extend_schema(
        summary="Delete a community",
        description=f"For superusers in a session. {_DELETION}",
        responses={202: None, 204: None},
    ),
)
class CommunityViewSet(WritableViewSet):
    queryset = Community.objects.all()
    serializer_class = WholeCommunitySerializer
    filterset_class = CommunityFilterSet
    prefers_async = ("destroy",)
    must_match = True
    refuses = {"destroy": [428]}


class WholeProjectSerializer(StrictSerializer):
    """A project."""

    community = VisibleRow(
        queryset=Community.objects.filter(deleting_since=None),
        permissions=("", ADD_PROJECT),
        required=False,
        help_text="Needed of people; a key has its own.",
    )

    fixed = {"community": "A project stays in its community."}

    class Meta:
        model = Project
        fields = [
            "id",
            "community",
            "name",
            "description",
            "is_template",
            "time_zone",
            "created_at",
            "deleting_since",
        ]
        read_only_fields = ["created_at", "deleting_since"]
        validators: list[object] = []

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self.instance is None and "community" not in attrs:
            if not isinstance(self.actor, KeyActor):
                problem = "Say to which community it belongs."
                raise serializers.ValidationError({"community": problem})
            attrs["community"] = self.actor.key.community
        return attrs


class ProjectFilterSet(StrictFilterSet):
    community = NumberFilter(lookup="community", help_text="Number of a community.")
    name = TextFilter(lookup="name__iexact", help_text="The whole name.")
    is_template = ChoiceFilter(
        lookup="is_template",
        meanings={"true": True, "false": False},
        help_text="Whether it is made to be cloned.",
    )


@extend_schema_view(
    list=extend_schema(summary="List projects"),
    retrieve=extend_schema(summary="Read a project"),
    create=extend_schema(summary="Make a project"),
    partial_update=extend_schema(summary="Change a project"),
    destroy=extend_schema(
        summary="Delete a project",
        description=f"{_DELETION} Answers 409 too while a filter speaks of it.",
        responses={202: None, 204: None},
    ),
)
class ProjectViewSet(WritableViewSet):
    queryset = Project.objects.all()
    serializer_class = WholeProjectSerializer
    filterset_class = ProjectFilterSet
    prefers_async = ("destroy",)
    must_match = True
    refuses = {"destroy": [428]}

    def why_kept(self, row: Project) -> str:
        return why_missed(row) or super().why_kept(row)


def why_missed(row: Any) -> str:
    """What would match nothing without the row, or an empty string."""
    users = [label for _, label in users_of(row)]
    return f"It is used, and would be missed: {', '.join(users)}." if users else ""
