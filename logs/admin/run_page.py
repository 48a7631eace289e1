"""What the page of one run shows."""

from __future__ import annotations

from statistics import median
from typing import Any

from django.urls import reverse
from django.utils import timezone

from feedback.access.actors import may
from feedback.access.keys import Actor
from feedback.access.roles import RUN_MACRO
from macros import queue

from ..console import failures_of, run_badge, spoken
from ..models import Attempt, Delivery, DeliveryState, Run, RunState
from ..recording.waiting import troubles_of
from ..retention import gone_deliveries

# Rows on a run's page; the whole list is one click away.
SHOWN = 10
# Deliveries whose responses are timed.
MAX_TIMED = 200
# Beyond that a count on the page says only that there are more.
MAX_COUNTED = 10_000
# What people look for first: a state, the run's counter of it, and an order that an
# index has.
_ORDER = (
    (DeliveryState.FAILED, "failed", "pk"),
    (DeliveryState.PENDING, "pending", "next_attempt_at"),
    (DeliveryState.WAITING, "pending", "pk"),
    (DeliveryState.DELIVERED, "delivered", "pk"),
    (DeliveryState.SKIPPED, "skipped", "pk"),
    (DeliveryState.CANCELLED, "cancelled", "pk"),
)


def can_be_ended(run: Run) -> bool:
    """Whether there is something of it that can still be cancelled."""
    return run.state in (RunState.UNCONFIRMED, RunState.ACTIVE, RunState.PAUSED)


def page_of(run: Run, user: Actor) -> dict[str, Any]:
    macro = run.macro
    return {
        "title": str(run),
        "subtitle": "",
        "standing": run_badge(run),
        "may_run": may(user, RUN_MACRO, run),
        "cause_url": _cause_url(run),
        "may_see_version": macro and may(user, "macros.change_macro", macro),
        "can_be_paused": run.state == RunState.ACTIVE,
        "can_be_cancelled": run.state in (RunState.ACTIVE, RunState.PAUSED),
        "can_be_confirmed": run.state == RunState.UNCONFIRMED,
        "is_newer": not run.is_settled and _is_newer(run),
        **live_part(run),
    }


def _is_newer(run: Run) -> bool:
    """Asked of the database, since the snapshot is long."""
    return Run.objects.newer().filter(pk=run.pk).exists()


def live_part(run: Run) -> dict[str, Any]:
    """All that changes while the run goes on."""
    rows = Delivery.objects.filter(run=run)
    retrying = rows.filter(state=DeliveryState.PENDING, attempts__gt=0).order_by()
    took = run.finished_at and spoken(run.finished_at - run.created_at)
    return {
        "run": run,
        "counts": _counts(run),
        "took": took,
        "response_time": _response_time(run) if run.ended else "",
        "retrying": 0 if run.is_settled else retrying[:MAX_COUNTED].count(),
        "failures": failures_of(run),
        "deliveries": _first_rows(run),
        "gone": gone_deliveries(run),
        "has_worker": run.is_settled or queue.has_worker(),
        "troubles": troubles_of(run, timezone.now()),
    }


def _counts(run: Run) -> list[tuple[str, str, str, int]]:
    """State, meaning and words of each outcome, and how many."""
    return [
        (DeliveryState.DELIVERED, "good", "Delivered", run.delivered),
        (DeliveryState.FAILED, "bad", "Failed", run.failed),
        (DeliveryState.PENDING, "waiting", "Not ended", run.pending),
        (DeliveryState.SKIPPED, "idle", "Skipped", run.skipped),
        (DeliveryState.CANCELLED, "idle", "Cancelled", run.cancelled),
    ]


def _first_rows(run: Run) -> list[Delivery]:
    """Those that failed first, and no more than fit, whatever the run is like."""
    rows: list[Delivery] = []
    for state, counter, order in _ORDER:
        wanted = SHOWN - len(rows)
        if wanted <= 0:
            break
        if getattr(run, counter):
            mine = Delivery.objects.filter(run=run, state=state).order_by(order, "pk")
            rows += mine.select_related("destination")[:wanted]
    return rows


def _response_time(run: Run) -> str:
    """How long half of the responses took at most; empty where none came."""
    some = Delivery.objects.filter(run=run).order_by().values("pk")[:MAX_TIMED]
    answered = Attempt.objects.filter(delivery__in=some, status__isnull=False)
    times = list(answered.order_by().values_list("total_ms", flat=True))
    known = [each for each in times if each is not None]
    return f"{median(known) / 1000:.2f} s" if known else ""


def _cause_url(run: Run) -> str:
    """The page of what started it: of a listener, the call's while that is kept."""
    call = run.event.call_id if run.event else None
    for name, pk in (
        ("trigger", run.trigger_id),
        ("schedule", run.schedule_id),
        ("inboundcall", call),
        ("listener", run.listener_id),
    ):
        if pk:
            return reverse(f"admin:macros_{name}_change", args=[pk])
    return ""
