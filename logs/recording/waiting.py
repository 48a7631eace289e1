"""What waits for a destination that takes nothing for now, and how that is ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, Sum
from django.template.defaultfilters import pluralize

from ..models import Delivery, DeliveryState, Destination, ErrorClass, Run

# Destinations that a run's page names.
MAX_TROUBLES = 10
# What was put off until a wait ends is due a little later: in whole seconds, counted
# from when it was written down.
MARGIN = timedelta(minutes=1)


def count_waiting(destination: Destination) -> int:
    """How many deliveries of all runs that are at work wait for it.

    Where a run sends to nobody else, that is all of it. Elsewhere it is those that have
    been there: tried, or given back by a worker.
    """
    runs = Run.objects.runnable().filter(community=destination.community_id)
    ended = F("delivered") + F("failed") + F("skipped") + F("cancelled")
    only_there = runs.filter(origins=[destination.origin])
    whole = only_there.aggregate(count=Sum(F("total") - ended))["count"] or 0
    others = runs.exclude(origins=[destination.origin]).values("pk")
    rows = Delivery.objects.filter(run__in=others, state=DeliveryState.PENDING)
    return int(whole) + rows.filter(destination=destination).count()


def _count_in(run: Run, destinations: list[Destination]) -> dict[int, int]:
    """The same of one run, by the destinations' ids."""
    if len(run.origins) == 1:
        return {each.pk: run.pending for each in destinations}
    rows = Delivery.objects.filter(run=run, state=DeliveryState.PENDING)
    rows = rows.filter(destination__in=destinations).order_by()
    return dict(rows.values_list("destination").annotate(Count("pk")))


def resume(destination: Destination, now: datetime) -> None:
    """Send to it again at once: the breaker is closed, and no wait is kept any longer.

    What was put off for the wait is due now; other retries keep their time. Deliveries
    are locked before their destination, as by a worker that records.
    """
    with transaction.atomic():
        put_off = Q(last_error=ErrorClass.BUSY)
        if destination.held_until is not None:
            put_off |= Q(next_attempt_at__lte=destination.held_until + MARGIN)
        waiting = Delivery.objects.filter(
            put_off,
            destination=destination,
            state=DeliveryState.PENDING,
            lease="",
            next_attempt_at__gt=now,
        )
        waiting.in_order().update(next_attempt_at=now)
        row = Destination.objects.select_for_update().get(pk=destination.pk)
        row.close_breaker()
        row.end_hold()
        row.save(update_fields=[*row.BREAKER_FIELDS, *row.HOLD_FIELDS])


@dataclass(frozen=True, slots=True)
class Trouble:
    """A destination that takes nothing for now, and what to read after its name."""

    destination: Destination
    sentence: str

    def __str__(self) -> str:
        return f"{self.destination} {self.sentence}"


def troubles_of(run: Run, now: datetime) -> list[Trouble]:
    """What a run that is not settled waits for."""
    if run.is_settled:
        return []
    rows = Destination.objects.troubled().filter(community=run.community_id)
    if run.origins:
        rows = rows.filter(origin__in=run.origins)
    else:
        mine = Delivery.objects.filter(run=run, state=DeliveryState.PENDING)
        rows = rows.filter(Exists(mine.filter(destination=OuterRef("pk"))))
    troubled = list(rows[:MAX_TROUBLES])
    counts = _count_in(run, troubled) if troubled else {}
    return [
        Trouble(row, explain_trouble(row, now, counts.get(row.pk, 0)))
        for row in troubled
    ]


def explain_trouble(
    destination: Destination, now: datetime, waiting: int | None = None
) -> str:
    """Why nothing is sent to it; `waiting` deliveries wait, if they were counted."""
    deliveries = "its deliveries wait"
    if waiting is not None:
        deliveries = f"{waiting:,} deliver{pluralize(waiting, 'y waits,ies wait')}"
    if destination.is_paused:
        return f"is paused; {deliveries} until somebody switches that off."
    if until := destination.wait_until(now):
        return f"asked to wait until {moment(until, now)}; {deliveries} and go then."
    failures = destination.consecutive_failures
    times = f"{failures} time{pluralize(failures)}"
    return f"failed {times} in a row; {deliveries}, and one is tried now and then."


def ended_by_hand(destination: Destination, now: datetime) -> str:
    """What the audit log says where somebody resumes it."""
    if until := destination.wait_until(now):
        return f"Its wait until {moment(until, now)} was ended by hand."
    return "The circuit breaker was closed by hand."


def moment(at: datetime, now: datetime) -> str:
    """With the day, where it is another one. Both are in UTC."""
    pattern = "%H:%M:%S UTC" if at.date() == now.date() else "%Y-%m-%d %H:%M UTC"
    return at.strftime(pattern)
