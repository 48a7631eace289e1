"""Comments on tickets: read, added, edited and deleted."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from ..access.keys import KeyActor
from ..changes import stored
from ..models import Comment, CommentEdit, Feedback
from ..rest.serializers import StrictSerializer, Text, VisibleRow
from ..rest.viewsets import WritableViewSet
from ..selection.conditions import MomentFilter, NumberFilter
from ..selection.filtersets import StrictFilterSet
from ..sources.reading import MAX_DESCRIPTION

ADD = "feedback.add_comment"


class EditSerializer(serializers.ModelSerializer):
    """What a comment said before somebody edited it."""

    edited_at = serializers.DateTimeField(source="created_at", read_only=True)

    class Meta:
        model = CommentEdit
        fields = ["text", "by", "edited_at"]
        read_only_fields = fields


class CommentSerializer(StrictSerializer):
    """A comment on a ticket."""

    feedback = VisibleRow(
        queryset=Feedback.objects.all(),
        permissions=("", ADD),
        help_text="The number of the ticket.",
    )
    text = Text(max_length=MAX_DESCRIPTION)
    added_by = serializers.SerializerMethodField(
        help_text="The person's user name or the API key's name; empty for others."
    )
    edits = EditSerializer(
        many=True, read_only=True, help_text="Its earlier texts, the oldest first."
    )

    fixed = {"feedback": "A comment stays on its ticket."}

    class Meta:
        model = Comment
        fields = [
            "id",
            "feedback",
            "text",
            "added_by",
            "macro_name",
            "run_number",
            "listener_name",
            "created_at",
            "edited_at",
            "edits",
        ]
        read_only_fields = [
            *("macro_name", "run_number", "listener_name"),
            *("created_at", "edited_at"),
        ]

    def get_added_by(self, comment: Comment) -> str:
        return comment.author.get_username() if comment.author else comment.key_name

    def store(self, row: Comment) -> None:
        if row.pk is None and isinstance(self.actor, KeyActor):
            row.key_name = self.actor.key.name
        elif row.pk is None:
            row.author = self.actor
        stored.save(row, self.actor, within=row.feedback)


class CommentFilterSet(StrictFilterSet):
    feedback = NumberFilter(lookup="feedback", help_text="Number of a ticket.")
    created_after = MomentFilter(
        lookup="created_at__gte", help_text="That moment or later."
    )
    created_before = MomentFilter(lookup="created_at__lt", help_text="Before it.")


@extend_schema_view(
    list=extend_schema(summary="List comments"),
    retrieve=extend_schema(summary="Read a comment"),
    create=extend_schema(summary="Add a comment to a ticket"),
    partial_update=extend_schema(
        summary="Edit a comment", description="What it said before stays with it."
    ),
    destroy=extend_schema(summary="Delete a comment"),
)
class CommentViewSet(WritableViewSet):
    queryset = Comment.objects.select_related("author").prefetch_related("edits")
    serializer_class = CommentSerializer
    filterset_class = CommentFilterSet
