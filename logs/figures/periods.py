"""The periods that pages show, each cut into hours or days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import models
from django.utils.timezone import get_default_timezone, localtime

HOUR = timedelta(hours=1)


class Period(models.TextChoices):
    DAY = "24h", "24 hours"
    WEEK = "7d", "7 days"
    MONTH = "30d", "30 days"

    @classmethod
    def named(cls, text: str | None) -> Period:
        """What an address asks for; whatever else it says means the last day."""
        return next((each for each in cls if each == text), cls.DAY)

    @property
    def is_by_day(self) -> bool:
        return self is Period.MONTH

    def starts(self, now: datetime) -> list[datetime]:
        """When each of its parts begins; the last one is not over yet."""
        if self.is_by_day:
            return [day_before(now, back) for back in range(29, -1, -1)]
        hours = 24 if self is Period.DAY else 7 * 24
        last = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return [last - back * HOUR for back in range(hours - 1, -1, -1)]


def day_before(now: datetime, days: int = 0) -> datetime:
    """When the day so many days ago began, in TIME_ZONE."""
    day = localtime(now).date() - timedelta(days=days)
    return datetime(day.year, day.month, day.day, tzinfo=get_default_timezone())
