from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef

from centerhook.health import readings
from feedback import mode
from logs.models import Delivery, DeliveryState, Run, RunState
from logs.retention import behind
from macros.retention import TIERS

from .findings import Finding, bad, warning

LATE_SECONDS = 300
STUCK_AFTER = timedelta(minutes=15)


def deliveries(now: datetime) -> Iterator[Finding]:
    count, late = readings.due(now)
    if mode.is_sending() and late > LATE_SECONDS:
        yield bad(
            "deliveries_late",
            f"{count:,} deliveries are due, the oldest for {late / 60:,.0f} minutes.",
            "Start more workers. If some are running, look at the log of one.",
        )


def calls(now: datetime) -> Iterator[Finding]:
    count, age = readings.waiting_calls(now)
    if mode.is_sending() and age > LATE_SECONDS:
        yield bad(
            "calls_late",
            f"{count:,} calls from outside wait, the oldest for {age / 60:,.0f}"
            " minutes.",
            "Start more workers. If some are running, look at the log of one.",
        )


def schedules(now: datetime) -> Iterator[Finding]:
    count = readings.overdue_schedules(now)
    if mode.is_sending() and count:
        yield bad(
            "schedules_overdue",
            f"{count:,} schedules were not started when they were due.",
            "The clock starts them: look whether manage.py clock is running.",
        )


def runs(now: datetime) -> Iterator[Finding]:
    """Active ones that nothing will ever end: no delivery of theirs is left."""
    left = Delivery.objects.filter(
        run=OuterRef("pk"), state__in=[DeliveryState.PENDING, DeliveryState.WAITING]
    )
    open_ones = Run.objects.filter(
        state__in=[RunState.ACTIVE, RunState.CANCELLING],
        created_at__lt=now - STUCK_AFTER,
    )
    stuck = [run.pk for run in open_ones.filter(~Exists(left)).only("pk")[:20]]
    if stuck:
        named = ", ".join(str(pk) for pk in stuck[:5])
        yield bad(
            "runs_stuck",
            f"{len(stuck)} runs have no delivery left and are not finished: {named}.",
            "Cancel them on their pages. Tell us how it came about.",
        )


def retention(now: datetime) -> Iterator[Finding]:
    if mode.is_sending() and (late := behind(TIERS, now)):
        kinds = dict.fromkeys(tier.kept.label for tier in late)
        yield warning(
            "retention_behind",
            f"Kept for longer than they should be: {', '.join(kinds)}.",
            "The clock removes them step by step: look whether it is running. With"
            " manage.py retention they go at once.",
        )
