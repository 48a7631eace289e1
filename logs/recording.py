"""The one write path of the log: attempts, and the states they lead to."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from feedback.changes import Change

from . import captures, changes, health
from .captures import Captured
from .models import Attempt, Delivery, DeliveryState, Run, RunState
from .models.attempts import TEXTS, AttemptQuerySet
from .models.deliveries import DeliveryQuerySet

_EMPTY = dict.fromkeys(TEXTS, "")
# Rows that are emptied in one statement.
_CHUNK = 500

# The counter on the run that each end of a delivery adds to.
COUNTERS = {
    DeliveryState.DELIVERED: "delivered",
    DeliveryState.FAILED: "failed",
    DeliveryState.SKIPPED: "skipped",
    DeliveryState.CANCELLED: "cancelled",
}


@dataclass(slots=True)
class Outcome:
    """What became of a leased delivery.

    `state` is the new one; PENDING means that it is due again in `retry_in` seconds.
    Without an attempt it was given back unsent, which uses none up. `captured` goes to
    the ticket's external data, and `said` is the attempt's message without what
    becomes of that. With a `change` to make, it says what becomes of the state itself.
    """

    delivery: Delivery
    state: DeliveryState
    attempt: Attempt | None = None
    retry_in: float | None = None
    origin: str = ""
    captured: Sequence[Captured] = ()
    said: str = ""
    change: Change | None = None


def record(run: Run, lease: str, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Write attempts and new states in one transaction.

    An attempt was made, so it is written even when the lease has passed to another
    worker meanwhile, with what it captured; the state changes only for the holder of
    the lease. A change is made by the holder alone, or not at all. Deliveries whose run
    was deleted in the meantime are dropped.
    """
    if not outcomes:
        return
    with transaction.atomic():
        leases = _lock([outcome.delivery.pk for outcome in outcomes])
        known = [each for each in outcomes if each.delivery.pk in leases]
        known = [
            each
            for each in known
            if each.change is None or leases[each.delivery.pk] == lease
        ]
        _forget_erased(each for each in known if leases[each.delivery.pk] != lease)
        changes.lock_targets(known, run)
        captures.store(known, run)
        changes.make(known, run, now)
        Attempt.objects.write(
            each.attempt for each in known if each.attempt is not None
        )
        held = [each for each in known if leases[each.delivery.pk] == lease]
        destinations = health.follow(run, held, now)
        ended = _change_states(held, destinations, now)
        ended += _move_on(run, held, now)
        _count(run, ended, now)


def _forget_erased(late: Iterable[Outcome]) -> None:
    """Empty what comes so late that the person it is about has been erased since.

    While a lease is held, the erasure waits for it.
    """
    outcomes = {each.delivery.pk: each for each in late if each.attempt}
    if not outcomes:
        return
    erased = Q(feedback__submitter__erased_at__isnull=False)
    erased |= Q(tester__erased_at__isnull=False)
    rows = Delivery.objects.filter(erased, pk__in=outcomes)
    for pk in rows.values_list("pk", flat=True):
        outcomes[pk].captured = ()
        for name in TEXTS:
            setattr(outcomes[pk].attempt, name, "")


def _lock(pks: list[int]) -> dict[int, str]:
    rows = Delivery.objects.select_for_update().filter(pk__in=pks).order_by("pk")
    return dict(rows.values_list("pk", "lease"))


def _change_states(
    outcomes: Iterable[Outcome], destinations: dict[str, int], now: datetime
) -> Counter[DeliveryState]:
    """One UPDATE for all that changed in the same way; returns who ended how."""
    groups = defaultdict(list)
    for outcome in outcomes:
        attempt = outcome.attempt
        seen = (attempt.status, attempt.error_class) if attempt else None
        origin = destinations.get(outcome.origin)
        key = (outcome.state, seen, outcome.retry_in, origin)
        groups[key].append(outcome.delivery.pk)
    ended: Counter[DeliveryState] = Counter()
    for (state, seen, retry_in, destination), pks in groups.items():
        due = None if retry_in is None else now + timedelta(seconds=retry_in)
        changes: dict[str, Any] = {"state": state, "lease": "", "next_attempt_at": due}
        if seen is not None:
            changes |= {"last_status": seen[0], "last_error": seen[1]}
            changes |= {"attempts": F("attempts") + 1}
        if destination is not None:
            changes["destination"] = destination
        if state in COUNTERS:
            changes["finished_at"] = now
            ended[state] += len(pks)
        Delivery.objects.filter(pk__in=pks).update(**changes)
    return ended


def _move_on(
    run: Run, outcomes: Iterable[Outcome], now: datetime
) -> Counter[DeliveryState]:
    """Wake each target's next step, or end its later ones after a failure."""
    ended: Counter[DeliveryState] = Counter()
    if len(run.snapshot["steps"]) == 1:
        return ended
    groups = defaultdict(list)
    for outcome in outcomes:
        if outcome.state in COUNTERS:
            delivery = outcome.delivery
            groups[delivery.step, outcome.state].append(delivery.target_id)
    for (step, state), targets in groups.items():
        mine = {f"{run.target}__in": targets}
        waiting = Delivery.objects.filter(run=run, state=DeliveryState.WAITING, **mine)
        if state == DeliveryState.DELIVERED:
            following = waiting.filter(step=step + 1)
            following.update(state=DeliveryState.PENDING, next_attempt_at=now)
            continue
        end = state if state == DeliveryState.CANCELLED else DeliveryState.SKIPPED
        ended[end] += waiting.update(state=end, finished_at=now)
    return ended


def _count(run: Run, ended: Counter[DeliveryState], now: datetime) -> None:
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
        _count(run, Counter({DeliveryState.CANCELLED: count}), now)


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
            _count(Run(pk=pk), Counter({DeliveryState.CANCELLED: count}), now)
    return left.count()


def scrub(attempts: AttemptQuerySet) -> int:
    """Empty the texts of attempts: bodies, headers, URLs and messages.

    When, how long, method and answer stay. This is the one way in which an attempt is
    ever changed; each few are a transaction, so that it can be called again after a
    crash. Returns how many had any.
    """
    scrubbed = 0
    rows = attempts.exclude(**_EMPTY).order_by("pk").values_list("pk", flat=True)
    while pks := list(rows[:_CHUNK]):
        scrubbed += Attempt.objects.filter(pk__in=pks).update(**_EMPTY)
    return scrubbed
