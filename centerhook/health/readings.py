"""What the database and Redis say of the service at this moment.

Each reading takes as long with ten million deliveries as with none: it comes from kept
figures or a small index, or it ends at a limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.db.models import F, Min, OuterRef, QuerySet, Subquery, Sum
from redis.exceptions import RedisError

from feedback.console.counting import Count
from logs.models import (
    BUCKETS,
    BreakerState,
    Delivery,
    DeliveryCount,
    DeliveryState,
    Destination,
    Run,
    RunState,
)
from macros import queue
from macros.models import InboundCall, Macro, Schedule
from macros.signs_of_life import Process

# Destinations that have figures of their own; the others' are added up. The oldest
# ones, so that none takes another's place and no figure falls.
MAX_DESTINATIONS = 100
OTHERS = "others"
# Where counting ends.
MAX_COUNTED = 100_000
UNSETTLED = (
    RunState.ACTIVE,
    RunState.PAUSED,
    RunState.CANCELLING,
    RunState.UNCONFIRMED,
)
# What a delivery can end as, each a column of the kept figures.
OUTCOMES = ("delivered", "failed", "skipped", "cancelled")


@dataclass(frozen=True, slots=True)
class Totals:
    """All that was ever kept of one destination; of none, what went nowhere."""

    community: str
    destination: str
    columns: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class QueueReading:
    jobs: int
    # Seconds; 0 where no job waits.
    oldest: float
    workers: int
    processes: list[Process]

    @property
    def clocks(self) -> list[float]:
        return [each.age for each in self.processes if each.kind == "clock"]


def totals() -> Iterator[Totals]:
    sums = {name: Sum(name) for name in (*OUTCOMES, *BUCKETS)}
    rows = DeliveryCount.objects.order_by().values("community__name", "destination")
    named = dict(
        Destination.objects.order_by("pk").values_list("pk", "origin")[
            :MAX_DESTINATIONS
        ]
    )
    added: dict[tuple[str, str], dict[str, int]] = {}
    for row in cast("Iterable[dict[str, Any]]", rows.annotate(**sums)):
        pk = row["destination"]
        origin = named.get(pk, OTHERS) if pk else ""
        # The others are those of every community together.
        community = "" if origin == OTHERS else row["community__name"]
        columns = added.setdefault((community, origin), dict.fromkeys(sums, 0))
        for name in sums:
            columns[name] += row[name] or 0
    for (community, origin), columns in sorted(added.items()):
        yield Totals(community, origin, columns)


def runs_by_state() -> dict[str, int]:
    runs = Run.objects.order_by()
    return {state: runs.filter(state=state).count() for state in UNSETTLED}


def open_deliveries() -> int:
    """Not at their end yet, of all runs that are."""
    ended = F("delivered") + F("failed") + F("skipped") + F("cancelled")
    left = Run.objects.unsettled().order_by().aggregate(left=Sum(F("total") - ended))
    return int(left["left"] or 0)


def due(now: datetime) -> tuple[int, float]:
    """How many deliveries are due, up to MAX_COUNTED; how late the oldest is."""
    runs = Run.objects.runnable().order_by()
    rows = Delivery.objects.due(now).filter(run__in=runs.values("pk"))
    of_run = Delivery.objects.due(now).filter(run=OuterRef("pk"))
    first = of_run.order_by("next_attempt_at").values("next_attempt_at")[:1]
    oldest = runs.annotate(due_at=Subquery(first)).aggregate(at=Min("due_at"))["at"]
    late = (now - oldest).total_seconds() if oldest else 0.0
    return _counted(rows), max(0.0, late)


def retries(now: datetime) -> int:
    """Deliveries that wait for another attempt, up to MAX_COUNTED."""
    waiting = Delivery.objects.filter(
        state=DeliveryState.PENDING, attempts__gt=0, next_attempt_at__gt=now
    )
    return _counted(waiting)


def breakers() -> dict[str, int]:
    rows = Destination.objects.order_by()
    return {state: rows.filter(breaker=state).count() for state in BreakerState}


def paused_destinations() -> int:
    return Destination.objects.filter(is_paused=True).count()


def paused_macros() -> int:
    return Macro.objects.filter(paused_reason__gt="").count()


def overdue_schedules(now: datetime) -> int:
    return Schedule.objects.overdue(now).count()


def waiting_calls(now: datetime) -> tuple[int, float]:
    """Calls from outside that wait, up to MAX_COUNTED; how old the oldest is."""
    rows = InboundCall.objects.due(now).order_by()
    oldest = rows.order_by("pk").values_list("received_at", flat=True).first()
    age = (now - oldest).total_seconds() if oldest else 0.0
    return _counted(rows), max(0.0, age)


def queue_reading(now: datetime) -> QueueReading | None:
    """None where Redis is away."""
    try:
        jobs, oldest = queue.waiting_jobs(now)
        return QueueReading(jobs, oldest, queue.count_workers(), queue.processes(now))
    except RedisError:
        return None


def _counted(rows: QuerySet[Any]) -> int:
    return int(Count.of(rows, MAX_COUNTED))
