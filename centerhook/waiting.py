"""What waits while nothing is sent: for the banner, the page of the mode, the doctor.

Counts end at a limit, so that they take no time however much waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from feedback.access.keys import Actor
from feedback.console.counting import Count
from feedback.models import TicketImport
from feedback.models.imports import AT_WORK
from logs.models import Delivery, Run
from macros.models import InboundCall, Schedule

MAX_COUNTED = 10_000


def what_waits(actor: Actor) -> list[str]:
    """In words, with the counts of what the actor may see: `12 deliveries`."""
    return [_counted(*each) for each in _kinds(actor, timezone.now()) if each[0]]


def _kinds(actor: Actor, now: datetime) -> Iterator[tuple[Count, str, str]]:
    yield _count(_deliveries(actor, now)), "delivery", "deliveries"
    calls = InboundCall.objects.due(now).visible_to(actor)
    yield _count(calls), "call from outside", "calls from outside"
    schedules = Schedule.objects.due(now).visible_to(actor)
    yield _count(schedules), "schedule", "schedules"
    imports = TicketImport.objects.visible_to(actor).filter(state__in=AT_WORK)
    yield _count(imports), "import", "imports"


@dataclass(frozen=True, slots=True)
class OnTheWay:
    """Deliveries that a worker held when it, or the database, went silent.

    An index that knows them would cost each delivery, so that only some of those that
    wait are looked at.
    """

    held: Count
    looked_at: Count
    is_all: bool


def on_the_way(actor: Actor) -> OnTheWay:
    due = _deliveries(actor, timezone.now()).values_list("lease", flat=True)
    leases = list(due[: MAX_COUNTED + 1])
    looked_at = leases[:MAX_COUNTED]
    held, number = Count(sum(map(bool, looked_at))), Count(len(looked_at))
    return OnTheWay(held, number, is_all=len(leases) == number)


def _deliveries(actor: Actor, now: datetime) -> QuerySet[Delivery]:
    """None of a run that is paused: it waits for something else."""
    runs = Run.objects.runnable().visible_to(actor)
    due = Delivery.objects.due(now).filter(run__in=runs.order_by().values("pk"))
    return due.order_by()


def _count(rows: QuerySet[Any]) -> Count:
    return Count.of(rows.order_by(), MAX_COUNTED)


def _counted(count: Count, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
