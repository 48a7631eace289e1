"""The states of runs, and the deliveries withdrawn before they are sent."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from ..models import Delivery, DeliveryState, Run, RunState
from ..models.deliveries import DeliveryQuerySet
from . import counts


def add_to_counters(run: Run, ended: Counter[str], now: datetime) -> None:
    """`ended` has the names of counters."""
    if not ended:
        return
    Run.objects.filter(pk=run.pk).update(
        **{name: F(name) + count for name, count in ended.items()}
    )
    Run.objects.settle(run.pk, now)


def confirm(run: Run) -> bool:
    """Let a run go on its way that was waiting for a person's word."""
    rows = Run.objects.filter(pk=run.pk, state=RunState.UNCONFIRMED)
    return bool(rows.update(state=RunState.ACTIVE))


def pause(run: Run) -> bool:
    """True if it was active. Workers notice when they next record something."""
    rows = Run.objects.filter(pk=run.pk, state=RunState.ACTIVE)
    return bool(rows.update(state=RunState.PAUSED))


def resume(run: Run) -> bool:
    rows = Run.objects.filter(pk=run.pk, state=RunState.PAUSED)
    return bool(rows.update(state=RunState.ACTIVE))


def cancel(run: Run, now: datetime) -> bool:
    """Stop a run: what no worker holds ends now, the rest when its worker reports.

    True if it was active, paused or not confirmed.
    """
    stopped = begin_cancelling(run)
    if stopped:
        cancel_unheld(run, now)
    return stopped


def begin_cancelling(run: Run) -> bool:
    """The same, where the clock ends what no worker holds."""
    states = [RunState.UNCONFIRMED, RunState.ACTIVE, RunState.PAUSED]
    unfinished = Run.objects.filter(pk=run.pk, state__in=states)
    return bool(unfinished.update(state=RunState.CANCELLING))


def cancel_unheld(run: Run, now: datetime) -> None:
    """End what is left of a run that is being cancelled.

    The clock repeats it: a worker that did not know yet may have scheduled another try
    of a failed delivery. What a worker is writing down at this moment is passed over
    till then: it will want the run, which whoever cancels it has changed already.
    """
    with transaction.atomic():
        left = Delivery.objects.to_do().filter(run=run, lease="")
        count = left.in_order(skip_locked=True).update(
            state=DeliveryState.CANCELLED, next_attempt_at=None, finished_at=now
        )
        _count_cancelled(run, count, now)


def _count_cancelled(run: Run, count: int, now: datetime) -> None:
    cancelled = Counter(cancelled=count)
    add_to_counters(run, cancelled, now)
    counts.count(run, {0: cancelled}, now)


def withdraw(deliveries: DeliveryQuerySet, now: datetime) -> int:
    """Cancel those that no worker holds; returns how many are held.

    Each run is a transaction of its own, so that a crash loses little.
    """
    left = deliveries.to_do().order_by()
    runs = Run.objects.filter(pk__in=left.values("run")).order_by("pk")
    for run in runs.only("community", "project", "macro", "cause"):
        with transaction.atomic():
            # To a worker, a lease that has run out is nobody's.
            free = Q(lease="") | Q(next_attempt_at__lte=now)
            mine = Delivery.objects.to_do().filter(free, run=run)
            count = (
                mine.filter(pk__in=left.values("pk"))
                .in_order()
                .update(
                    state=DeliveryState.CANCELLED,
                    lease="",
                    next_attempt_at=None,
                    finished_at=now,
                )
            )
            _count_cancelled(run, count, now)
    return left.count()
