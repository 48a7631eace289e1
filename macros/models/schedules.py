from __future__ import annotations

from django.db import models

from feedback.access.actors import ScopedQuerySet, Tenancy
from feedback.access.privacy import NOTHING_PERSONAL
from feedback.models.folded import unique_name
from logs.models import Run

from .automations import Automation


class Rate(models.TextChoices):
    ONCE = "once", "Once"
    MINUTES = "minutes", "Every so many minutes"
    HOURS = "hours", "Every so many hours"
    DAILY = "daily", "Daily"
    WEEKLY = "weekly", "Weekly"
    MONTHLY = "monthly", "Monthly"
    CRON = "cron", "Cron expression"


class Missed(models.TextChoices):
    """What becomes of moments that passed while nothing was running."""

    CATCH_UP = "catch_up", "Catch up once"
    SKIP = "skip", "Skip them"


class Overlap(models.TextChoices):
    """What happens if the last run is unfinished."""

    SKIP = "skip", "Skip"
    QUEUE = "queue", "Start when it has finished"
    START = "start", "Start anyway"


class Schedule(Automation):
    """Runs its macro when the clock says so, on what its filter selects.

    `next_run_at` is the next moment that was not dealt with; empty where none comes.
    """

    rate = models.CharField(max_length=10, choices=Rate, default=Rate.DAILY)
    every = models.PositiveIntegerField(default=1)
    at = models.TimeField(null=True, blank=True)
    # Numbers of ISO 8601, Monday is 1, with commas.
    weekdays = models.CharField(max_length=13, blank=True)
    # 32 is the last day of every month.
    month_day = models.PositiveSmallIntegerField(null=True, blank=True)
    cron = models.CharField("cron expression", max_length=100, blank=True)
    time_zone = models.CharField(max_length=50, default="UTC")
    start_at = models.DateTimeField("start")
    end_at = models.DateTimeField("end", null=True, blank=True)
    missed = models.CharField(max_length=10, choices=Missed, default=Missed.CATCH_UP)
    overlap = models.CharField(
        "if the last run is unfinished",
        max_length=10,
        choices=Overlap,
        default=Overlap.SKIP,
    )
    only_undelivered = models.BooleanField(
        "only what this schedule has not delivered before", default=False
    )
    only_changed = models.BooleanField(
        "only what changed since the last run", default=False
    )
    next_run_at = models.DateTimeField("next run", null=True, editable=False)

    tenancy = Tenancy("community", "project")
    privacy = NOTHING_PERSONAL
    objects = ScopedQuerySet["Schedule"].as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            unique_name(
                "macro",
                name="schedule_name_of_macro",
                message="The macro has a schedule of this name.",
            )
        ]
        indexes = [
            models.Index(
                fields=["next_run_at"],
                name="schedule_due",
                condition=models.Q(next_run_at__isnull=False),
            )
        ]


class OccurrenceOutcome(models.TextChoices):
    STARTED = "started", "Started a run"
    QUEUED = "queued", "Starts when the last run has finished"
    NOTHING = "nothing", "Nothing to run on"
    OVERLAP = "overlap", "Skipped: the last run was unfinished"
    MISSED = "missed", "Skipped: it was missed"
    HELD_UP = "held_up", "Held up"


class Occurrence(models.Model):
    """One moment of a schedule, and what became of it."""

    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="occurrences")
    scheduled_for = models.DateTimeField()
    started_at = models.DateTimeField("started")
    outcome = models.CharField(max_length=10, choices=OccurrenceOutcome)
    detail = models.TextField(blank=True)
    run = models.ForeignKey(Run, models.SET_NULL, related_name="+", null=True)

    tenancy = Tenancy("schedule__community", "schedule__project")
    privacy = NOTHING_PERSONAL
    objects = ScopedQuerySet["Occurrence"].as_manager()

    class Meta:
        ordering = ["-scheduled_for", "-pk"]
        constraints = [
            # However many clocks there are, and however wrong one of them goes.
            models.UniqueConstraint(
                fields=["schedule", "scheduled_for"], name="occurrence_once"
            )
        ]

    def __str__(self) -> str:
        return f"Occurrence {self.pk}"
