"""A run as the API shows it, where it is started and where it is read."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from .models import Run, RunState
from .recording.waiting import troubles_of

NO_WORKER = (
    "No worker is running, so nothing is sent for now. The run waits until one starts."
)
UNCONFIRMED = (
    "The run needs confirmation: what started it matched more than its limit."
    " Nothing is sent until it is confirmed."
)
PAUSED = "The run is paused. Nothing more is sent until it is resumed."


class CountsSerializer(serializers.ModelSerializer):
    """Deliveries, by their state."""

    pending = serializers.IntegerField(read_only=True)
    problems = serializers.IntegerField(
        read_only=True,
        help_text="How many of those delivered lack a return value that is required.",
    )

    class Meta:
        model = Run
        fields = [
            "total",
            "delivered",
            "problems",
            "failed",
            "pending",
            "skipped",
            "cancelled",
        ]
        read_only_fields = fields


class RunSerializer(serializers.ModelSerializer):
    macro = serializers.IntegerField(
        source="macro_id",
        read_only=True,
        allow_null=True,
        help_text="Number of the macro; null if it was deleted.",
    )
    cause_name = serializers.CharField(
        read_only=True, help_text="The name of the trigger or schedule, if any."
    )
    started_by = serializers.CharField(source="actor_name", read_only=True)
    counts = CountsSerializer(source="*", read_only=True)
    progress = serializers.SerializerMethodField(
        help_text="How many percent of the deliveries have ended."
    )
    is_settled = serializers.BooleanField(
        read_only=True, help_text="Finished or cancelled: nothing more happens."
    )

    class Meta:
        model = Run
        fields = [
            "id",
            "state",
            "is_settled",
            "macro",
            "macro_name",
            "macro_version",
            "cause",
            "cause_name",
            "started_by",
            "selection",
            "counts",
            "progress",
            "created_at",
            "finished_at",
        ]
        read_only_fields = fields

    @extend_schema_field({"type": "integer", "minimum": 0, "maximum": 100})
    def get_progress(self, run: Run) -> int:
        return run.ended * 100 // run.total if run.total else 100


class RunDetailSerializer(RunSerializer):
    """A run, and what holds it up."""

    # Its context has `has_worker`, a function that says whether one is alive.
    notice = serializers.SerializerMethodField(
        help_text="Why nothing is sent for now, if people must know; or empty."
    )

    class Meta(RunSerializer.Meta):
        fields = [*RunSerializer.Meta.fields, "notice"]
        read_only_fields = fields

    def get_notice(self, run: Run) -> str:
        if run.state == RunState.UNCONFIRMED:
            return UNCONFIRMED
        if run.state == RunState.PAUSED:
            return PAUSED
        if not run.is_settled and not self.context["has_worker"]():
            return NO_WORKER
        return " ".join(map(str, troubles_of(run, timezone.now())))
