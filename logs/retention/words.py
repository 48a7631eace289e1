"""What pages and programs are told where something is kept no longer."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime

from .policies import Kept, Limits


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


def kept_for(kept: Kept, community: int) -> str:
    """`for 30 days`, or `for ever`."""
    days = Limits.at(timezone.now(), community).days(kept, community)
    if days is None:
        return "for ever"
    return f"for {days:,} day{'' if days == 1 else 's'}"
