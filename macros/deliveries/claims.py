"""Which worker owns which deliveries: leases."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import compress

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from logs.models import Delivery, Run
from logs.models.deliveries import DeliveryQuerySet

from .suspects import SUSPECT_AFTER, few_of_the_lost

RETRY_SHARE = 0.25
# What is worked on alone. One with a lease is none yet: its loss is written down first.
SUSPECT = Q(losses__gte=SUSPECT_AFTER, lease="")
# The columns that delivering takes.
_READ = (
    "feedback_id",
    "tester_id",
    "step",
    "attempts",
    "attempts_before",
    "lease",
    "losses",
    "resend",
    "resent_at",
)
# A lease is renewed when a third of it has passed, which the engine looks at after each
# of its naps: at worst 1 s late.
MIN_LEASE = 3.0


def claim_due(run_id: int, size: int, lease: str) -> list[Delivery]:
    """Take up to `size` due deliveries of a run, which nobody else may then finish.

    None that is to be worked on alone, and few of those that were lost before. They
    come as they were before: one with a lease was held by a worker that went silent.
    """

    def choose(due: DeliveryQuerySet) -> list[Delivery]:
        # Retries get a share of their own: old ones cannot starve new work, nor
        # new work them.
        tried = due.filter(attempts__gt=0).exclude(SUSPECT)
        retries = list(tried[: math.ceil(size * RETRY_SHARE)])
        # An expired lease is written down, and nothing is built for it yet.
        losses = (0 if each.lease else each.losses for each in retries)
        chosen = few_of_the_lost(losses, size)
        retries = list(compress(retries, chosen))
        return list(due.filter(attempts=0)[: size - len(retries)]) + retries

    return _claim(run_id, lease, choose)


def claim_any(run_id: int, size: int, lease: str) -> list[Delivery]:
    """Take whatever is due, for what will not work on it."""
    return _claim(run_id, lease, lambda due: list(due[:size]))


def claim_lost(run_id: int, size: int, lease: str) -> list[Delivery]:
    """Take some that workers held which went silent, and nothing else."""
    return _claim(run_id, lease, lambda due: list(due.exclude(lease="")[:size]))


def claim_suspect(run_id: int, lease: str) -> list[Delivery]:
    """Take one delivery that is to be worked on alone, if one is due."""
    return _claim(run_id, lease, lambda due: list(_suspects(due)[:1]))


def has_suspect(run_id: int) -> bool:
    """Whether anything of the run is due that is to be worked on alone."""
    due = Delivery.objects.due(timezone.now())
    return _suspects(due.filter(run_id=run_id)).exists()


def renew(lease: str, pks: Iterable[int]) -> None:
    """Hold on to unfinished deliveries for another lease."""
    held = Delivery.objects.filter(pk__any_of=list(pks), lease=lease)
    with transaction.atomic():
        held.in_order().update(next_attempt_at=_end_of_lease(timezone.now()))


def _claim(
    run_id: int, lease: str, choose: Callable[[DeliveryQuerySet], list[Delivery]]
) -> list[Delivery]:
    """Hold what is chosen of the due deliveries of a run.

    The rows are locked from the SELECT to the UPDATE: on PostgreSQL row by row, other
    workers skipping them; on SQLite by the write transaction. None of a run that is
    paused, even if workers are still notified of it.
    """
    if not Run.objects.runnable().filter(pk=run_id).exists():
        return []
    now = timezone.now()
    with transaction.atomic():
        due = Delivery.objects.due(now).filter(run_id=run_id)
        due = due.order_by("next_attempt_at", "pk").select_for_update(skip_locked=True)
        deliveries = choose(due.only(*_READ))
        rows = Delivery.objects.filter(pk__any_of=[each.pk for each in deliveries])
        rows.update(lease=lease, next_attempt_at=_end_of_lease(now))
    return deliveries


def _suspects(due: DeliveryQuerySet) -> DeliveryQuerySet:
    return due.filter(SUSPECT, attempts__gt=0)


def _end_of_lease(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.LEASE_SECONDS)
