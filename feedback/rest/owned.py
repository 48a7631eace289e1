"""Rows of a feedback type, a project or a community: whose a new one is."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from ..access.keys import KeyActor
from ..models import Community, FeedbackType, Project
from .serializers import StrictSerializer, VisibleRow

# In the context of a serializer: what is enough on an owner, beside seeing it.
PERMISSION = "owner_permission"


class OwnerRow(VisibleRow):
    """One that the caller sees, or may add rows of the serializer's model to."""

    def bind(self, field_name: str, parent: Any) -> None:
        super().bind(field_name, parent)
        opts = parent.Meta.model._meta
        add = f"{opts.app_label}.add_{opts.model_name}"
        self.permissions = ("", self.context.get(PERMISSION, add))


class OwnedSerializer(StrictSerializer):
    """Base for models that are `Owned`; a row stays with its owner."""

    type = OwnerRow(
        source="feedback_type",
        queryset=FeedbackType.objects.select_related("project__community"),
        required=False,
        allow_null=True,
        help_text="Whose it is. Give this, or project, or community.",
    )
    project = OwnerRow(
        queryset=Project.objects.select_related("community"),
        required=False,
        allow_null=True,
    )
    community = OwnerRow(
        queryset=Community.objects.all(),
        required=False,
        help_text="A key has its own.",
    )

    def store(self, row: Any) -> None:
        if row.pk is None:
            self.own(row)
        super().store(row)

    def own(self, row: Any) -> None:
        """Raises ValidationError, unless just one owner is given; a key has its own."""
        names = ("feedback_type", "project", "community")
        given = [each for each in map(self.validated_data.get, names) if each]
        if len(given) > 1:
            problem = "Give one of: type, project, community."
            raise serializers.ValidationError(problem)
        if not given:
            if not isinstance(self.actor, KeyActor):
                problem = "Say whose it is: give a type, a project or a community."
                raise serializers.ValidationError(problem)
            row.project = self.actor.key.project
            row.community = self.actor.key.community
        row.find_owners()
