"""Which worker owns which deliveries: leases."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from logs.models import Delivery


@dataclass(slots=True)
class Claim:
    """Deliveries of one run that this worker, and no other, may finish."""

    lease: str
    deliveries: list[Delivery]
    # Those whose former holder went silent with them.
    abandoned: set[int] = field(default_factory=set)


def claim_due(run_id: int, size: int) -> Claim:
    """Take up to `size` due deliveries of a run.

    The rows are locked from the SELECT to the UPDATE: on PostgreSQL row by row, other
    workers skipping them; on SQLite by the write transaction.
    """
    now = timezone.now()
    lease = uuid.uuid4().hex
    with transaction.atomic():
        due = Delivery.objects.due(now).filter(run_id=run_id)
        due = due.order_by("next_attempt_at", "pk")
        deliveries = list(due.select_for_update(skip_locked=True)[:size])
        _extend(deliveries, lease, now)
    abandoned = {delivery.pk for delivery in deliveries if delivery.lease}
    return Claim(lease, deliveries, abandoned)


def renew(claim: Claim, pks: Iterable[int]) -> None:
    """Hold on to unfinished deliveries for another lease."""
    held = Delivery.objects.filter(pk__in=list(pks), lease=claim.lease)
    held.update(next_attempt_at=_end_of_lease(timezone.now()))


def _extend(deliveries: list[Delivery], lease: str, now: datetime) -> None:
    rows = Delivery.objects.filter(pk__in=[delivery.pk for delivery in deliveries])
    rows.update(lease=lease, next_attempt_at=_end_of_lease(now))


def _end_of_lease(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.LEASE_SECONDS)
