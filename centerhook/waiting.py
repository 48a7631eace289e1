"""What waits while nothing is sent: for the banner, the page of the mode, the doctor.

Counts end at a limit, so that they take no time however much waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from feedback.console.counting import Count
from feedback.models import TicketImport
from feedback.models.imports import AT_WORK
from logs.models import Delivery, DeliveryState, Run
from macros.models import InboundCall, Schedule

MAX_COUNTED = 10_000


def what_waits(actor: Any) -> list[str]:
    """In words, with the counts of what the actor may see: `12 deliveries`."""
    return [_counted(*each) for each in _kinds(actor, timezone.now()) if each[0]]


def _kinds(actor: Any, now: datetime) -> Iterator[tuple[Count, str, str]]:
    runs = Run.objects.runnable().visible_to(actor)
    due = Delivery.objects.due(now).filter(run__in=runs.order_by().values("pk"))
    yield _count(due), "delivery", "deliveries"
    calls = InboundCall.objects.due(now).visible_to(actor)
    yield _count(calls), "call from outside", "calls from outside"
    schedules = Schedule.objects.due(now).visible_to(actor)
    yield _count(schedules), "schedule", "schedules"
    imports = TicketImport.objects.visible_to(actor).filter(state__in=AT_WORK)
    yield _count(imports), "import", "imports"


def on_the_way() -> Count:
    """Deliveries that a worker held when it, or the database, went silent."""
    rows = Delivery.objects.filter(
        state=DeliveryState.PENDING, next_attempt_at__lte=timezone.now()
    )
    return _count(rows.exclude(lease=""))


def _count(rows: QuerySet[Any]) -> Count:
    return Count.of(rows.order_by(), MAX_COUNTED)


def _counted(count: Count, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
