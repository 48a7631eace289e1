"""Destinations to which much fails lately, and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ..models import Attempt, Destination
from ..recording.explanations import explain
from .deliveries import Totals

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


def failing(
    destinations: Mapping[int, Totals], known: Mapping[int, Destination]
) -> list[Failing]:
    """Those of the known ones of which too much failed; the most failures first.

    A breaker opens only where nothing responds; what refuses every request is here.
    """
    worst = [
        (known[pk], totals)
        for pk, totals in destinations.items()
        if pk in known and is_failing(totals)
    ]
    worst.sort(key=lambda each: (-each[1].failed, each[0].pk))
    reasons = reasons_of([totals.last_failed for _, totals in worst[:MAX_FAILING]])
    return [
        Failing(
            row,
            totals.failed,
            totals.failed + totals.delivered,
            reasons.get(totals.last_failed, ""),
            totals.last_failed if totals.last_failed in reasons else 0,
        )
        for row, totals in worst[:MAX_FAILING]
    ]


def is_failing(totals: Totals) -> bool:
    return totals.delivered <= totals.failed * (ONE_IN - 1) and totals.failed > 0


def reasons_of(deliveries: Collection[int]) -> dict[int, str]:
    """Why each failed, as far as its last attempt is still there."""
    if not any(deliveries):
        return {}
    rows = Attempt.objects.filter(delivery__in=deliveries).order_by("pk")
    return {row.delivery_id: _first_line(explain(row)) for row in rows}


def _first_line(text: str) -> str:
    line = text.partition("\n")[0]
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
