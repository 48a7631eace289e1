"""What the clock does for the figures: it counts tickets, and keeps rows few.

Each part is safe to do twice, and by two clocks at once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta

from django.db import transaction
from django.db.models import Count, Max
from django.utils.timezone import localtime

from feedback.models import Feedback, FeedbackType, Status

from ..models import DeliveryCount, Span, TicketCount
from ..recording import counts
from .periods import day_before

# How often, at most.
INTERVAL = timedelta(minutes=10)
# Days of which figures are kept by the hour; after that they are kept by the day.
HOURLY_DAYS = 8
# Days of which figures are kept at all.
KEPT_DAYS = 400
# When what was ever begins.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Rows in one transaction, and transactions at once, so that nothing else waits long.
STEP = 2_000
MAX_STEPS = 20


def keep(now: datetime) -> None:
    """Do all of it, unless it was done a moment ago."""
    today = TicketCount.objects.filter(day=localtime(now).date())
    last = today.aggregate(last=Max("taken_at"))["last"]
    if last is not None and now - last < INTERVAL:
        return
    for _ in range(MAX_STEPS):
        if not roll_up(now):
            break
    prune(now)
    count_tickets(now)


def roll_up(now: datetime) -> bool:
    """Turn a step of old hours into days; False where there are none."""
    limit = day_before(now, HOURLY_DAYS - 1)
    old = DeliveryCount.objects.filter(span=Span.HOUR, moment__lt=limit)
    if not old.exists():
        return False
    days: dict[counts.Key, counts.Tally] = defaultdict(Counter)
    with transaction.atomic():
        # What another clock has locked is its work.
        rows = old.order_by("moment", "pk").select_for_update(skip_locked=True)
        step = list(rows[:STEP])
        for row in step:
            about = row.community_id, row.project, row.macro, row.destination
            tally = days[(Span.DAY, day_before(row.moment), *about)]
            tally.update({name: getattr(row, name) for name in counts.ADDED})
            tally[counts.LAST] = max(tally[counts.LAST], row.last_failed)
        counts.add(days)
        DeliveryCount.objects.filter(pk__in=[row.pk for row in step]).delete()
    return bool(step)


def prune(now: datetime) -> None:
    """Take a step of what no page looks at any more."""
    limit = day_before(now, KEPT_DAYS)
    _prune_days(limit)
    tickets = TicketCount.objects.filter(day__lt=localtime(limit).date())
    if pks := list(tickets.order_by("pk").values_list("pk", flat=True)[:STEP]):
        TicketCount.objects.filter(pk__in=pks).delete()


def _prune_days(limit: datetime) -> None:
    """Add old days to what was ever: a total that falls looks like a new beginning."""
    old = DeliveryCount.objects.filter(span=Span.DAY, moment__lt=limit)
    ever: dict[counts.Key, counts.Tally] = defaultdict(Counter)
    with transaction.atomic():
        rows = old.order_by("moment", "pk").select_for_update(skip_locked=True)
        step = list(rows[:STEP])
        for row in step:
            key = (Span.EVER, EPOCH, row.community_id, 0, 0, row.destination)
            ever[key].update({name: getattr(row, name) for name in counts.ADDED})
        if step:
            counts.add(ever)
            DeliveryCount.objects.filter(pk__in=[row.pk for row in step]).delete()


def count_tickets(now: datetime) -> None:
    """Write down how tickets stand; what was written earlier today is replaced."""
    day = localtime(now).date()
    every = Feedback.objects.order_by().values_list("feedback_type", "status")
    counted = [(pk, status or 0, n) for pk, status, n in every.annotate(Count("pk"))]
    names = dict(Status.objects.order_by().values_list("pk", "name"))
    with transaction.atomic():
        # One that was deleted meanwhile has no figures any more.
        types = set(FeedbackType.objects.order_by().values_list("pk", flat=True))
        rows = [
            TicketCount(
                day=day,
                feedback_type_id=pk,
                status=status,
                status_name=names.get(status, ""),
                count=count,
                taken_at=now,
            )
            for pk, status, count in sorted(counted)
            if pk in types
        ]
        TicketCount.objects.bulk_create(
            rows,
            batch_size=STEP,
            update_conflicts=True,
            unique_fields=["day", "feedback_type", "status"],
            update_fields=["count", "status_name", "taken_at"],
        )
        _delete_older(day, now)


def _delete_older(day: date, now: datetime) -> None:
    """But for what another clock has just written: it may wait for this one's rows."""
    older = TicketCount.objects.filter(day=day, taken_at__lt=now)
    locked = older.select_for_update(skip_locked=True).values_list("pk", flat=True)
    TicketCount.objects.filter(pk__in=list(locked)).delete()
