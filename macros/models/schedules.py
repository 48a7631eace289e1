from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from feedback.access.actors import ScopedQuerySet, Tenancy
from feedback.access.privacy import NOTHING_PERSONAL, Privacy
from feedback.models import SubjectKind
from feedback.models.folded import unique_name
from logs.models import Run

from ..schedules.calendar import Timetable, next_moment, problems_of
from .automations import Automation

# Two ticks of the clock.
OVERDUE_AFTER = timedelta(seconds=2)
_NEVER_AGAIN = (
    "No moment comes after now, so it would never run. Change when it runs, or switch"
    " it off."
)
_TESTERS_CHANGE = (
    "When a tester changed is not recorded. Use a filter, or what was not delivered"
    " before."
)


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


class ScheduleQuerySet(ScopedQuerySet["Schedule"]):
    def due(self, now: datetime) -> ScheduleQuerySet:
        return self.filter(is_active=True, next_run_at__lte=now)

    def overdue(self, now: datetime) -> ScheduleQuerySet:
        """Those that nobody has started when they were due."""
        return self.due(now - OVERDUE_AFTER)


class Schedule(Automation):
    """Runs its macro when the clock says so, on what its filter selects.

    `next_run_at` is the next moment that was not dealt with; empty where none comes.
    """

    rate = models.CharField("runs", max_length=10, choices=Rate, default=Rate.DAILY)
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
    missed = models.CharField(
        "missed moments", max_length=10, choices=Missed, default=Missed.CATCH_UP
    )
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
        "only what changed since the last run",
        default=False,
        help_text="Changes that macros make count as well.",
    )
    next_run_at = models.DateTimeField("next run", null=True, editable=False)

    tenancy = Tenancy("community", "project")
    privacy = NOTHING_PERSONAL
    objects = ScheduleQuerySet.as_manager()

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

    @property
    def timetable(self) -> Timetable:
        days = (int(day) for day in self.weekdays.split(",") if day.isdecimal())
        return Timetable(
            rate=self.rate,
            start=self.start_at,
            end=self.end_at,
            time_zone=self.time_zone,
            every=self.every,
            at=self.at,
            weekdays=tuple(sorted(set(days))),
            month_day=self.month_day,
            cron=self.cron,
        )

    def is_overdue(self, now: datetime) -> bool:
        due = self.next_run_at
        return bool(self.is_active and due and due <= now - OVERDUE_AFTER)

    def clean(self) -> None:
        super().clean()
        if self.start_at is None:
            return
        problems = problems_of(self.timetable)
        runs_on_testers = self.macro_id and self.subject_kind == SubjectKind.TESTER
        if self.only_changed and runs_on_testers:
            problems["only_changed"] = _TESTERS_CHANGE
        if problems:
            raise ValidationError(problems)
        if self.is_active and next_moment(self.timetable, timezone.now()) is None:
            raise ValidationError({"rate": _NEVER_AGAIN})

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Under its lock, so that no clock starts a moment of the rate before."""
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "next_run_at"}
        with transaction.atomic():
            self._plan()
            super().save(*args, **kwargs)

    def _plan(self) -> None:
        """Find the next moment, unless it stays: then what was missed stays missed."""
        rows = Schedule.objects.select_for_update(no_key=True)
        stored = rows.filter(pk=self.pk).first() if self.pk else None
        if stored is not None and stored.is_active:
            if self.is_active and stored.timetable == self.timetable:
                self.next_run_at = stored.next_run_at
                return
            waiting = self.occurrences.filter(outcome=OccurrenceOutcome.QUEUED)
            waiting.update(
                outcome=OccurrenceOutcome.HELD_UP,
                detail="The schedule was changed or switched off while this waited.",
            )
        now = timezone.now()
        self.next_run_at = next_moment(self.timetable, now) if self.is_active else None


class OccurrenceOutcome(models.TextChoices):
    STARTED = "started", "Started a run"
    QUEUED = "queued", "Starts when the last run has finished"
    NOTHING = "nothing", "Nothing to run on"
    OVERLAP = "overlap", "Skipped: the last run was unfinished"
    MISSED = "missed", "Skipped: it was missed"
    HELD_UP = "held_up", "Could not run"


class Occurrence(models.Model):
    """One moment of a schedule, and what became of it."""

    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="occurrences")
    scheduled_for = models.DateTimeField()
    started_at = models.DateTimeField("started")
    outcome = models.CharField(max_length=10, choices=OccurrenceOutcome)
    detail = models.TextField(blank=True)
    run = models.ForeignKey(Run, models.SET_NULL, related_name="+", null=True)

    tenancy = Tenancy("schedule__community", "schedule__project")
    privacy = Privacy(texts=("detail",))
    objects = ScopedQuerySet["Occurrence"].as_manager()

    class Meta:
        ordering = ["-scheduled_for", "-pk"]
        constraints = [
            # However many clocks there are, and however wrong one of them goes.
            models.UniqueConstraint(
                fields=["schedule", "scheduled_for"], name="occurrence_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["schedule"],
                name="occurrence_queued",
                condition=models.Q(outcome="queued"),
            )
        ]

    def __str__(self) -> str:
        return f"Occurrence {self.pk}"
