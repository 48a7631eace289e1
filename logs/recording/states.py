"""The states of runs, and what is withdrawn from them before it is sent."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from ..models import Delivery, DeliveryState, Run, RunState
from ..models.deliveries import DeliveryQuerySet

# The counter on the run that each end of a delivery adds to.
COUNTERS = {
    DeliveryState.DELIVERED: "delivered",
    DeliveryState.FAILED: "failed",
    DeliveryState.SKIPPED: "skipped",
    DeliveryState.CANCELLED: "cancelled",
}


def add_to_counters(run: Run, ended: Counter[DeliveryState], now: datetime) -> None:
    if not ended:
        return
    Run.objects.filter(pk=run.pk).update(
        **{COUNTERS[state]: F(COUNTERS[state]) + n for state, n in ended.items()}
    )
    Run.objects.settle(run.pk, now)


def pause(run: Run) -> bool:
    """True if that paused it. Workers see it when they next write something down."""
    rows = Run.objects.filter(pk=run.pk, state=RunState.ACTIVE)
    return bool(rows.update(state=RunState.PAUSED))


def resume(run: Run) -> bool:
    rows = Run.objects.filter(pk=run.pk, state=RunState.PAUSED)
    return bool(rows.update(state=RunState.ACTIVE))


def cancel(run: Run, now: datetime) -> bool:
    """Stop a run: what no worker holds ends now, the rest when its worker reports.

    True if that stopped it.
    """
    going = Run.objects.filter(pk=run.pk, state__in=[RunState.ACTIVE, RunState.PAUSED])
    stopped = bool(going.update(state=RunState.CANCELLING))
    if stopped:
        cancel_unheld(run, now)
    return stopped


def cancel_unheld(run: Run, now: datetime) -> None:
    """End what is left of a run that is being cancelled.

    The clock repeats it, since a worker that had not yet seen the cancelling may have
    put a failed delivery back for a later try.
    """
    with transaction.atomic():
        left = Delivery.objects.filter(
            run=run,
            lease="",
            state__in=[DeliveryState.PENDING, DeliveryState.WAITING],
        )
        count = left.update(
            state=DeliveryState.CANCELLED, next_attempt_at=None, finished_at=now
        )
        add_to_counters(run, Counter({DeliveryState.CANCELLED: count}), now)


def withdraw(deliveries: DeliveryQuerySet, now: datetime) -> int:
    """Cancel what no worker holds of these; returns how many are held.

    In one transaction for each run, so that it can be called again after a crash.
    """
    to_do = [DeliveryState.PENDING, DeliveryState.WAITING]
    left = deliveries.filter(state__in=to_do).order_by()
    for pk in left.values_list("run", flat=True).distinct():
        with transaction.atomic():
            # As a worker sees it: a lease that has run out is nobody's.
            free = Q(lease="") | Q(next_attempt_at__lte=now)
            mine = Delivery.objects.filter(free, run=pk, state__in=to_do)
            count = mine.filter(pk__in=left.values("pk")).update(
                state=DeliveryState.CANCELLED,
                lease="",
                next_attempt_at=None,
                finished_at=now,
            )
            add_to_counters(Run(pk=pk), Counter({DeliveryState.CANCELLED: count}), now)
    return left.count()
