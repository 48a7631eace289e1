"""From one step of a subject to the next."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import Exists, OuterRef

from ..models import Delivery, DeliveryState, Run
from ..models.deliveries import DeliveryQuerySet
from .outcomes import COUNTERS, Outcome

_TO_DO = [DeliveryState.PENDING, DeliveryState.WAITING]


def move_on(run: Run, outcomes: Iterable[Outcome], now: datetime) -> Counter[str]:
    """Make each subject's next step due, or end its later ones after a failure.

    Those that need what a delivered one lacks end too. Returns what adds to counters.
    """
    ended: Counter[str] = Counter()
    if not _has_steps(run):
        return ended
    groups = defaultdict(list)
    for outcome in outcomes:
        if outcome.state in COUNTERS:
            delivery = outcome.delivery
            is_resent = delivery.resent_at is not None
            key = delivery.step, outcome.state, outcome.stops_at, is_resent
            groups[key].append(delivery.subject_id)
    for (step, state, stops_at, is_resent), subjects in groups.items():
        waiting = _waiting(run, subjects)
        ends_at = stops_at if state == DeliveryState.DELIVERED else 0
        if ends_at is not None:
            cancelled = state == DeliveryState.CANCELLED
            end = state if cancelled else DeliveryState.SKIPPED
            later = waiting.filter(step__gte=ends_at)
            ended[COUNTERS[end]] += later.update(state=end, finished_at=now)
        if state == DeliveryState.DELIVERED:
            due = _following(run, waiting, step, is_resent)
            due.update(state=DeliveryState.PENDING, next_attempt_at=now)
    return ended


def following(run: Run, outcomes: Iterable[Outcome]) -> list[int]:
    """The keys of all that `move_on` may change."""
    if not _has_steps(run):
        return []
    subjects = {outcome.delivery.subject_id for outcome in outcomes}
    return list(_waiting(run, subjects).values_list("pk", flat=True).order_by())


def _has_steps(run: Run) -> bool:
    return len(run.snapshot.get("steps", ())) != 1


def _waiting(run: Run, subjects: Collection[int]) -> DeliveryQuerySet:
    mine = {f"{run.subject_kind}__in": subjects}
    return Delivery.objects.filter(run=run, state=DeliveryState.WAITING, **mine)


def _following(
    run: Run, waiting: DeliveryQuerySet, step: int, is_resent: bool
) -> DeliveryQuerySet:
    """The next step, or after a resend the next one that was not delivered before."""
    if not is_resent:
        return waiting.filter(step=step + 1)
    earlier = Delivery.objects.filter(
        run=run,
        state__in=_TO_DO,
        step__lt=OuterRef("step"),
        **{run.subject_kind: OuterRef(run.subject_kind)},
    )
    return waiting.filter(~Exists(earlier), step__gt=step)
