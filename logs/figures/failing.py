"""Destinations to which much fails lately, and why."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import F, Max, Sum

from ..models import Attempt, Destination
from ..recording.explanations import explain
from .deliveries import visible_to
from .periods import Period

# From one in so many on, failures are a trouble and no longer exceptions.
ONE_IN = 10
MAX_FAILING = 5
# Characters of a reason.
_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Failing:
    """How many of the deliveries to it failed in the last 24 hours."""

    destination: Destination
    failed: int
    tried: int
    # Why the newest one failed, and which that is.
    reason: str
    newest: int


def failing_destinations(user: User | AnonymousUser, now: datetime) -> list[Failing]:
    """Those with the most failures first.

    A breaker opens only where nothing responds; what refuses every request is here.
    """
    rows = visible_to(user).filter(moment__gte=Period.DAY.starts(now)[0])
    sums = (
        rows.exclude(destination=0)
        .values("destination")
        .annotate(bad=Sum("failed"), good=Sum("delivered"), newest=Max("last_failed"))
        .filter(bad__gt=0, good__lte=F("bad") * (ONE_IN - 1))
        .order_by("-bad", "destination")
    )
    worst = {row["destination"]: row for row in sums[:MAX_FAILING]}
    destinations = Destination.objects.visible_to(user).in_bulk(list(worst))
    reasons = reasons_of([row["newest"] for row in worst.values()])
    return [
        Failing(
            destinations[pk],
            row["bad"],
            row["bad"] + row["good"],
            reasons.get(row["newest"], ""),
            row["newest"] if row["newest"] in reasons else 0,
        )
        for pk, row in worst.items()
        if pk in destinations
    ]


def reasons_of(deliveries: Collection[int]) -> dict[int, str]:
    """Why each failed, as far as its last attempt is still there."""
    if not any(deliveries):
        return {}
    rows = Attempt.objects.filter(delivery__in=deliveries).order_by("pk")
    rows = rows.defer(
        *("url", "request_headers", "request_body"),
        *("response_headers", "response_body"),
    )
    return {row.delivery_id: _first_line(explain(row)) for row in rows}


def _first_line(text: str) -> str:
    line = text.partition("\n")[0]
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
