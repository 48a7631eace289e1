"""How a destination fares: its circuit breaker, and the wait that it asks for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from ..models import Attempt, BreakerState, Destination, ErrorClass, Run
from .outcomes import Outcome

# Failures in a row that open the breaker.
THRESHOLD = 10
# How long it stays open the first time, and at most, in seconds; it doubles each time.
FIRST_PAUSE = 30.0
MAX_PAUSE = 900.0
# How long one that asks to wait, and does not say for how long, is left alone the first
# time, and at most, in seconds; it doubles each time.
FIRST_HOLD = 5.0
MAX_HOLD = 900.0

_MOMENTS = ("last_success_at", "last_failure_at")


def update_destinations(
    run: Run, outcomes: Iterable[Outcome], now: datetime
) -> dict[str, int]:
    """Bring the destinations of these outcomes up to date; returns their ids by origin.

    Called inside the transaction that records the outcomes. Rows are locked in the
    order of their origins, so that two workers cannot wait for each other.
    """
    tried: dict[str, list[tuple[Outcome, Attempt]]] = defaultdict(list)
    given_back = set()
    for outcome in outcomes:
        if outcome.origin and outcome.attempt is not None:
            tried[outcome.origin].append((outcome, outcome.attempt))
        elif outcome.origin:
            given_back.add(outcome.origin)
    ids = {}
    for origin in sorted(tried):
        destination, _ = Destination.objects.select_for_update().get_or_create(
            community_id=run.community_id, origin=origin
        )
        ids[origin] = destination.pk
        for outcome, attempt in tried[origin]:
            _hold(destination, outcome, now)
            _count(destination, attempt, now)
        fields = [*Destination.BREAKER_FIELDS, *Destination.HOLD_FIELDS, *_MOMENTS]
        destination.save(update_fields=fields)
    if waiting := given_back - ids.keys():
        rows = Destination.objects.filter(community_id=run.community_id)
        ids |= rows.filter(origin__in=waiting).values_list("origin", "pk")
    return ids


def held_until(outcome: Outcome, now: datetime, holds: int) -> datetime | None:
    """Until when the destination is left alone after this; None if it need not be.

    `holds` is how often in a row it has asked without a time.
    """
    attempt = outcome.attempt
    if attempt is None or attempt.error_class != ErrorClass.BUSY:
        return outcome.held_until
    wait = timedelta(seconds=min(MAX_HOLD, FIRST_HOLD * 2**holds))
    return outcome.held_until or now + wait


def is_healthy(attempt: Attempt) -> bool:
    """Whether the destination is up, though it may have refused this request."""
    if attempt.error_class == ErrorClass.BUSY:
        return True
    return attempt.status is not None and attempt.status < 500


def _hold(destination: Destination, outcome: Outcome, now: datetime) -> None:
    """The longest of several waits counts."""
    until = held_until(outcome, now, destination.holds)
    if until is None:
        return
    held = destination.wait_until(now)
    if outcome.held_until is None:
        if held:
            # It was on the wire when the wait began, and is no news.
            return
        destination.holds = min(destination.holds + 1, 10)
    destination.held_until = until if held is None else max(held, until)


def _count(destination: Destination, attempt: Attempt, now: datetime) -> None:
    if is_healthy(attempt):
        destination.last_success_at = now
        destination.close_breaker()
        is_over = destination.wait_until(now) is None
        if is_over and attempt.error_class != ErrorClass.BUSY:
            destination.end_hold()
        return
    destination.last_failure_at = now
    destination.consecutive_failures += 1
    if destination.breaker == BreakerState.OPEN:
        # It was on the wire when the breaker opened, and is no news.
        return
    failed_probe = destination.breaker == BreakerState.HALF_OPEN
    if failed_probe or destination.consecutive_failures >= THRESHOLD:
        pause = min(MAX_PAUSE, FIRST_PAUSE * 2**destination.trips)
        destination.breaker = BreakerState.OPEN
        destination.trips = min(destination.trips + 1, 10)
        destination.probe_at = now + timedelta(seconds=pause)
