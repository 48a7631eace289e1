"""What came in: calls as they were stored, and what became of their events."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from django.db import models
from django.db.models import F, Q

from feedback.access.actors import ScopedQuerySet, Tenancy
from feedback.access.privacy import NOTHING_PERSONAL, Privacy
from feedback.models import Feedback, Tester

from .listeners import Listener

# Refusals of a listener are counted apart for this many addresses and reasons an hour,
# and together for others.
MAX_REFUSED = 1_000
OTHERS = "others"


class CallState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    DONE = "done", "Done"


class InboundCallQuerySet(ScopedQuerySet["InboundCall"]):
    def due(self, now: datetime) -> InboundCallQuerySet:
        """Those to work on that nobody holds."""
        free = Q(leased_until=None) | Q(leased_until__lte=now)
        return self.filter(free, state=CallState.WAITING)


class InboundCall(models.Model):
    """A call as it was taken: stored first, then worked on by whoever leases it."""

    listener = models.ForeignKey(Listener, models.CASCADE, related_name="calls")
    received_at = models.DateTimeField("received")
    address = models.CharField(max_length=45, blank=True)
    method = models.CharField(max_length=4)
    content_type = models.CharField(max_length=200, blank=True)
    # Credentials are taken out of both. Names of headers are lower case.
    headers = models.JSONField(default=dict)
    query = models.TextField(blank=True)
    body = models.BinaryField()
    # What the caller passed, in words: `GitHub signature`.
    checked_by = models.CharField(max_length=100, blank=True)
    replay_of = models.ForeignKey(
        "self", models.SET_NULL, related_name="replays", null=True
    )
    replayed_by = models.CharField(max_length=150, blank=True)
    state = models.CharField(max_length=10, choices=CallState, default="waiting")
    lease = models.CharField(max_length=32, blank=True, editable=False)
    leased_until = models.DateTimeField(null=True, editable=False)
    # How often work on it began, so that one which kills its worker ends some time.
    tries = models.PositiveSmallIntegerField(default=0)

    tenancy = Tenancy("listener__community", "listener__project")
    privacy = Privacy(
        hidden=("headers", "query", "body"),
        texts=("headers", "query", "body"),
        about=("events__feedback__submitter", "events__tester"),
        is_scrubbed_whole=True,
    )
    objects = InboundCallQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = "inbound call"
        indexes = [
            models.Index(
                fields=["listener", "id"],
                name="inbound_call_waiting",
                condition=Q(state="waiting"),
            ),
            models.Index(fields=["received_at"], name="inbound_call_received"),
        ]

    def __str__(self) -> str:
        return f"Call {self.pk}"

    @property
    def outcomes(self) -> list[tuple[InboundOutcome, int]]:
        """How many of its events came to what, in the order of the outcomes."""
        counts = Counter(event.outcome for event in self.events.all())
        return [(each, counts[each]) for each in InboundOutcome if counts[each]]


class InboundOutcome(models.TextChoices):
    ACTED = "acted", "Acted"
    REPEAT = "repeat", "A repeat"
    OLDER = "older", "Older than what was applied"
    IGNORED = "ignored", "Ignored"
    NO_RECORD = "no_record", "Nothing to act on"
    NO_MATCH = "no_match", "Did not match the filter"
    LOOP = "loop", "Ended a loop"
    OFF = "off", "The listener was off"
    PAUSED = "paused", "Paused"
    FAILED = "failed", "Failed"
    UNREADABLE = "unreadable", "Unreadable"

    @property
    def meaning(self) -> str:
        """What its colour says: `good`, `bad`, `odd` or `idle`."""
        if self == InboundOutcome.ACTED:
            return "good"
        if self in (InboundOutcome.FAILED, InboundOutcome.UNREADABLE):
            return "bad"
        return "odd" if self == InboundOutcome.PAUSED else "idle"


class InboundEvent(models.Model):
    """One event of a call, and what became of it."""

    call = models.ForeignKey(InboundCall, models.CASCADE, related_name="events")
    listener = models.ForeignKey(Listener, models.CASCADE, related_name="events")
    # Which of the call's events it is, from 0.
    position = models.PositiveIntegerField(default=0)
    name = models.CharField(max_length=200, blank=True)
    outcome = models.CharField(max_length=10, choices=InboundOutcome)
    # Why, in a sentence that names the value looked for and where.
    detail = models.TextField(blank=True)
    # What it changed, one sentence per line.
    changes = models.TextField(blank=True)
    # A hash of the sender's id, on the event that acted for all of its repeats.
    repeat_key = models.CharField(max_length=64, blank=True, editable=False)
    repeat_of = models.ForeignKey(
        "self", models.SET_NULL, related_name="repeats", null=True
    )
    # When it happened there, as the sender says.
    happened_at = models.DateTimeField(null=True)
    # One of the two is set where one was found or created.
    feedback = models.ForeignKey(
        Feedback, models.SET_NULL, related_name="inbound_events", null=True
    )
    tester = models.ForeignKey(
        Tester, models.SET_NULL, related_name="inbound_events", null=True
    )
    created_at = models.DateTimeField("time")

    tenancy = Tenancy("listener__community", "listener__project")
    privacy = Privacy(
        texts=("detail", "changes"), about=("feedback__submitter", "tester")
    )
    objects = ScopedQuerySet["InboundEvent"].as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = "inbound event"
        constraints = [
            models.UniqueConstraint(
                fields=["call", "position"], name="inbound_event_once"
            ),
            models.UniqueConstraint(
                fields=["listener", "repeat_key"],
                condition=~Q(repeat_key=""),
                name="inbound_event_acts_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["listener", "feedback", "-happened_at"],
                name="inbound_event_ticket",
                condition=Q(outcome="acted"),
            ),
            models.Index(
                fields=["listener", "tester", "-happened_at"],
                name="inbound_event_tester",
                condition=Q(outcome="acted"),
            ),
            models.Index(
                fields=["listener", "outcome", "-id"], name="inbound_event_outcome"
            ),
        ]

    def __str__(self) -> str:
        return f"Event {self.pk}"

    @property
    def result(self) -> InboundOutcome:
        return InboundOutcome(self.outcome)


class Refusal(models.TextChoices):
    """Why a call was not taken; the values are codes for programs."""

    BAD_KEY = "bad_key", "Wrong or missing key"
    BAD_SIGNATURE = "bad_signature", "Wrong or missing signature"
    STALE = "stale", "Signed too long ago, or in the future"
    ADDRESS_NOT_ALLOWED = "address_not_allowed", "Address not allowed"
    OLD_ADDRESS = "old_address", "An old address of the listener"
    TOO_LARGE = "too_large", "Too large"
    TOO_MANY = "too_many", "Too many calls"
    METHOD = "method", "Wrong method"


class InboundRefusalQuerySet(ScopedQuerySet["InboundRefusal"]):
    def note(self, listener: int, address: str, reason: Refusal, now: datetime) -> None:
        """One statement, but for the first of its kind in the hour."""
        if self._add_one(listener, address, reason, now):
            return
        hour = _hour(now)
        if self.filter(listener=listener, hour=hour).count() >= MAX_REFUSED:
            address = OTHERS
        row = InboundRefusal(
            listener_id=listener, address=address, reason=reason, hour=hour
        )
        row.first_at = row.last_at = now
        # Another process may have made it since; both then add to the same one.
        self.bulk_create([row], ignore_conflicts=True)
        self._add_one(listener, address, reason, now)

    def _add_one(
        self, listener: int, address: str, reason: Refusal, now: datetime
    ) -> bool:
        hour = _hour(now)
        rows = self.filter(listener=listener, address=address, reason=reason, hour=hour)
        return bool(rows.update(count=F("count") + 1, last_at=now))


def _hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)


class InboundRefusal(models.Model):
    """How often a listener refused calls from an address in an hour, and why."""

    listener = models.ForeignKey(Listener, models.CASCADE, related_name="refusals")
    address = models.CharField(max_length=50)
    reason = models.CharField(max_length=20, choices=Refusal)
    hour = models.DateTimeField()
    count = models.PositiveBigIntegerField("calls", default=0)
    first_at = models.DateTimeField("first")
    last_at = models.DateTimeField("last")

    tenancy = Tenancy("listener__community", "listener__project")
    privacy = NOTHING_PERSONAL
    objects = InboundRefusalQuerySet.as_manager()

    class Meta:
        ordering = ["-last_at", "-pk"]
        verbose_name = "refused call"
        constraints = [
            models.UniqueConstraint(
                fields=["listener", "address", "reason", "hour"],
                name="inbound_refusal_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()}, from {self.address or 'unknown'}"
