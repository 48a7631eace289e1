"""What pages and programs are told where something is kept no longer."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime

from ..models import Attempt, Delivery, Run
from .policies import Kept, Limits

# Deliveries of a run that are counted to say how many have gone.
MAX_COUNTED = 10_000
_EMPTIED = "It was emptied when a person was erased, or kept for fewer days then."


def gone_since(
    kept: Kept, community: int, since: datetime | None, limits: Limits | None = None
) -> str:
    """`Kept for 30 days; gone since 12 Oct 2026.`; the age is counted from `since`.

    Empty where that is not why: days that were changed meanwhile say nothing of it.
    """
    limits = limits or Limits.at(timezone.now(), community)
    days = limits.days(kept, community)
    if days is None or since is None or since + timedelta(days=days) > limits.now:
        return ""
    went = localtime(since + timedelta(days=days))
    noun = "day" if days == 1 else "days"
    return f"Kept for {days:,} {noun}; gone since {date_format(went, 'j M Y')}."


def gone_texts(attempt: Attempt, community: int, limits: Limits | None = None) -> str:
    """Where a request was sent that is on the log no more."""
    if not attempt.is_emptied:
        return ""
    since = attempt.started_at
    why = gone_since(Kept.BODIES, community, since, limits)
    return f"The request and the response are no longer kept. {why or _EMPTIED}"


def gone_attempts(delivery: Delivery, first: int | None) -> str:
    """Where the first tries have gone: `first` is the number of the oldest one left."""
    missing = delivery.attempts if first is None else first - 1
    if missing < 1:
        return ""
    what = "1 try is" if missing == 1 else f"{missing:,} tries are"
    since = delivery.finished_at or delivery.run.created_at
    why = gone_since(Kept.ATTEMPTS, delivery.run.community_id, since)
    return f"{what} no longer kept. {why}".strip()


def gone_deliveries(run: Run) -> str:
    """Where a run is so old that its deliveries go, or are gone."""
    if not run.is_settled:
        return ""
    why = gone_since(Kept.DELIVERIES, run.community_id, run.finished_at)
    if not why:
        return ""
    rows = Delivery.objects.filter(run=run).order_by()[: MAX_COUNTED + 1]
    left = rows.count()
    missing = run.total - left
    if missing < 1:
        return ""
    if left > MAX_COUNTED:
        return (
            f"Of {run.total:,} deliveries {MAX_COUNTED:,} and more are still kept;"
            " others may be gone."
        )
    what = "1 delivery is" if missing == 1 else f"{missing:,} deliveries are"
    return f"{what} no longer kept. {why}"
