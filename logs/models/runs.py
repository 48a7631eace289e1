from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When

from feedback.access.actors import ScopedQuerySet, Tenancy
from feedback.access.privacy import Privacy
from feedback.formats import RUN, is_readable
from feedback.models import Community, Project, SubjectKind

from .deliveries import Delivery


class Cause(models.TextChoices):
    ACTION = "action", "Perform Action"
    API = "api", "API"
    TRIGGER = "trigger", "Trigger"
    SCHEDULE = "schedule", "Schedule"
    LISTENER = "listener", "Listener"
    TEST = "test", "Test"


class RunState(models.TextChoices):
    # Nobody asked for so many: its people say whether it is meant.
    UNCONFIRMED = "unconfirmed", "Needs confirmation"
    ACTIVE = "active", "In progress"
    PAUSED = "paused", "Paused"
    CANCELLING = "cancelling", "Cancelling"
    FINISHED = "finished", "Finished"
    CANCELLED = "cancelled", "Cancelled"


# What is over, until somebody sends it again.
SETTLED = (RunState.FINISHED, RunState.CANCELLED)


class RunQuerySet(ScopedQuerySet["Run"]):
    def settled(self) -> RunQuerySet:
        return self.filter(state__in=SETTLED)

    def unsettled(self) -> RunQuerySet:
        """A look-up of each of the small indexes, however many runs are over."""
        of_workers = Q(state__in=[RunState.ACTIVE, RunState.CANCELLING])
        of_people = Q(state=RunState.PAUSED) | Q(state=RunState.UNCONFIRMED)
        return self.filter(of_workers | of_people)

    def runnable(self) -> RunQuerySet:
        """Runs to work on: neither settled nor paused, alone or with their macro.

        One that is being cancelled goes on to its end all the same. So does a test,
        which may be made to see whether the macro can be resumed.
        """
        held_up = Q(state=RunState.ACTIVE, macro__paused_reason__gt="")
        held_up &= ~Q(cause=Cause.TEST)
        unsettled = self.filter(state__in=[RunState.ACTIVE, RunState.CANCELLING])
        return unsettled.exclude(held_up)

    def newer(self) -> RunQuerySet:
        """Those that a newer version has begun: its workers alone take them."""
        return self.filter(snapshot__format__gt=RUN)

    def with_due_deliveries(self, now: datetime) -> RunQuerySet:
        due = Delivery.objects.due(now).filter(run=OuterRef("pk"))
        return self.runnable().filter(Exists(due))

    def with_lost_deliveries(self, now: datetime) -> RunQuerySet:
        """Those with deliveries that a worker held which went silent."""
        due = Delivery.objects.due(now).filter(run=OuterRef("pk"))
        return self.runnable().filter(Exists(due.exclude(lease="")))

    def settle(self, pk: int, now: datetime) -> None:
        """Close the run if every delivery has ended."""
        ended = F("delivered") + F("failed") + F("skipped") + F("cancelled")
        cancelling = When(state=RunState.CANCELLING, then=Value(RunState.CANCELLED))
        self.filter(pk=pk, total=ended).exclude(state__in=SETTLED).update(
            state=Case(cancelling, default=Value(RunState.FINISHED)), finished_at=now
        )


class Run(models.Model):
    """One Perform Action: a macro and what it was run on, as they were at the click.

    `logs.recording` keeps the counters of outcomes in the transaction that ends
    the deliveries, so that they outlive pruned rows and cost nothing to show.
    """

    # Chosen by whoever starts the run: a second start with the same key is the same
    # run. It is part of every delivery id.
    key = models.CharField(max_length=32, unique=True, editable=False)
    # A hash of the request, where a caller may use the key again.
    fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    community = models.ForeignKey(Community, models.CASCADE, related_name="runs")
    project = models.ForeignKey(
        Project, models.SET_NULL, related_name="runs", null=True
    )
    macro = models.ForeignKey(
        "macros.Macro", models.SET_NULL, related_name="runs", null=True
    )
    macro_name = models.CharField("macro", max_length=100)
    macro_version = models.PositiveIntegerField("version", null=True)
    snapshot = models.JSONField(help_text="The macro as it was at the start.")
    # Where its requests go, as far as no subject can change that. Kept for the run's
    # page: to work it out, templates are compiled and secrets decrypted.
    origins = models.JSONField(default=list)
    cause = models.CharField(max_length=10, choices=Cause)
    # The trigger, schedule or listener that started it, and its name then.
    trigger = models.ForeignKey(
        "macros.Trigger", models.SET_NULL, related_name="runs", null=True
    )
    schedule = models.ForeignKey(
        "macros.Schedule", models.SET_NULL, related_name="runs", null=True
    )
    listener = models.ForeignKey(
        "macros.Listener", models.SET_NULL, related_name="runs", null=True
    )
    event = models.ForeignKey(
        "macros.InboundEvent", models.SET_NULL, related_name="runs", null=True
    )
    cause_name = models.CharField(max_length=100, blank=True)
    # The triggers that led to it, by their keys: the first one first, its own last.
    chain = models.JSONField(default=list, editable=False)
    scheduled_for = models.DateTimeField(null=True, editable=False)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, related_name="+", null=True
    )
    actor_name = models.CharField("started by", max_length=150, blank=True)
    selection = models.TextField(help_text="What was selected, in words.", blank=True)
    state = models.CharField(max_length=12, choices=RunState, default=RunState.ACTIVE)
    total = models.PositiveIntegerField("deliveries", default=0)
    # How many of the selection a macro that runs once has run on before.
    left_out = models.PositiveIntegerField(default=0)
    delivered = models.PositiveIntegerField(default=0)
    # How many of those delivered lack a return value that their step requires.
    problems = models.PositiveIntegerField("with a problem", default=0)
    failed = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    cancelled = models.PositiveIntegerField(default=0)
    # When its people were asked whether it is meant.
    asked_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField("started")
    finished_at = models.DateTimeField("finished", null=True)

    tenancy = Tenancy("community", "project")
    privacy = Privacy(texts=("selection", "snapshot"))
    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["created_at", "id"], name="run_by_start"),
            models.Index(fields=["finished_at", "id"], name="run_by_end"),
            models.Index(
                fields=["schedule", "id"],
                name="run_of_schedule",
                condition=models.Q(schedule__isnull=False),
            ),
            models.Index(
                fields=["id"],
                name="run_unsettled",
                condition=models.Q(state__in=["active", "cancelling"]),
            ),
            models.Index(
                fields=["id"],
                name="run_paused",
                condition=models.Q(state="paused"),
            ),
            models.Index(
                fields=["id"],
                name="run_unconfirmed",
                condition=models.Q(state="unconfirmed"),
            ),
        ]

    def __str__(self) -> str:
        return f"Run {self.pk}: {self.macro_name}"

    @property
    def subject_kind(self) -> SubjectKind:
        return SubjectKind(self.snapshot.get("subject_kind", SubjectKind.FEEDBACK))

    @property
    def cause_in_words(self) -> str:
        """`Perform Action`, or `Trigger New bugs`."""
        return f"{self.get_cause_display()} {self.cause_name}".strip()

    @property
    def is_test(self) -> bool:
        return self.cause == Cause.TEST

    @property
    def is_echo(self) -> bool:
        """A test that sends nothing: the request comes back as its own response."""
        return bool(self.snapshot.get("test", {}).get("echo"))

    @property
    def stores(self) -> bool:
        """Whether return values are stored; a test stores them only on request."""
        return bool(self.snapshot.get("test", {"store": True}).get("store"))

    @property
    def is_readable(self) -> bool:
        """Whether this version can read it; a newer one may have begun it."""
        return is_readable(self.snapshot.get("format"), RUN)

    @property
    def ended(self) -> int:
        return self.delivered + self.failed + self.skipped + self.cancelled

    @property
    def pending(self) -> int:
        return self.total - self.ended

    @property
    def is_settled(self) -> bool:
        return self.state in SETTLED
