"""What pages and programs are told where something is kept no longer."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime

from ..models import Delivery, Run
from .policies import Kept, Limits

# Deliveries of a run that are counted to say how many have gone.
MAX_COUNTED = 10_000


def gone(kept: Kept, community: int, since: datetime | None) -> str:
    """`Kept for 30 days; gone since 12 Oct 2026.`; the age is counted from `since`.

    Days that were changed meanwhile say nothing of when it went.
    """
    now = timezone.now()
    days = Limits.at(now, community).days(kept, community)
    if days is None or since is None or since + timedelta(days=days) > now:
        return "No longer kept."
    went = localtime(since + timedelta(days=days))
    noun = "day" if days == 1 else "days"
    return f"Kept for {days:,} {noun}; gone since {date_format(went, 'j M Y')}."


def gone_attempts(delivery: Delivery, first: int | None) -> str:
    """Where the first tries have gone: `first` is the number of the oldest one left."""
    missing = delivery.attempts if first is None else first - 1
    if missing < 1:
        return ""
    what = "1 try is" if missing == 1 else f"{missing:,} tries are"
    since = delivery.finished_at or delivery.run.created_at
    why = gone(Kept.ATTEMPTS, delivery.run.community_id, since)
    return f"{what} no longer listed. {why}"


def gone_deliveries(run: Run) -> str:
    """Where a run is so old that its deliveries go, or are gone."""
    if not run.is_settled or run.finished_at is None:
        return ""
    limits = Limits.at(timezone.now(), run.community_id)
    oldest = limits.oldest(Kept.DELIVERIES, run.community_id)
    if oldest is None or run.finished_at >= oldest:
        return ""
    rows = Delivery.objects.filter(run=run).order_by()[:MAX_COUNTED]
    missing = min(run.total, MAX_COUNTED) - rows.count()
    if missing < 1:
        return ""
    what = "1 delivery is" if missing == 1 else f"{missing:,} deliveries are"
    why = gone(Kept.DELIVERIES, run.community_id, run.finished_at)
    return f"{what} no longer listed. {why}"
