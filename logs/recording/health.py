"""How a destination fares: failures in a row, and the circuit breaker they open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from ..models import Attempt, BreakerState, Destination, Run
from .outcomes import Outcome

# Failures in a row that open the breaker.
THRESHOLD = 10
# How long it stays open the first time, and at most, in seconds; it doubles each time.
FIRST_PAUSE = 30.0
MAX_PAUSE = 900.0

_MOMENTS = ("last_success_at", "last_failure_at")


def update_destinations(
    run: Run, outcomes: Iterable[Outcome], now: datetime
) -> dict[str, int]:
    """Bring the destinations of these outcomes up to date; returns their ids by origin.

    Called inside the transaction that records the outcomes. Rows are locked in the
    order of their origins, so that two workers cannot wait for each other.
    """
    tried = defaultdict(list)
    for outcome in outcomes:
        if outcome.origin and outcome.attempt is not None:
            tried[outcome.origin].append(outcome.attempt)
    ids = {}
    for origin in sorted(tried):
        destination, _ = Destination.objects.select_for_update().get_or_create(
            community_id=run.community_id, origin=origin
        )
        ids[origin] = destination.pk
        for attempt in tried[origin]:
            _count(destination, attempt, now)
        destination.save(update_fields=[*Destination.BREAKER_FIELDS, *_MOMENTS])
    return ids


def is_healthy(attempt: Attempt) -> bool:
    """Whether the destination is up, though it may have refused this request."""
    return attempt.status is not None and attempt.status < 500


def _count(destination: Destination, attempt: Attempt, now: datetime) -> None:
    if is_healthy(attempt):
        destination.last_success_at = now
        destination.close_breaker()
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
