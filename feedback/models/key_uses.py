from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q, Sum

from ..access.actors import ScopedQuerySet, Tenancy
from ..access.privacy import NOTHING_PERSONAL
from .api_keys import ACCEPTED, ApiKey, KeyOutcome

KEPT = timedelta(days=90)
# Refusals are counted apart for this many addresses an hour, and together for others.
MAX_REFUSED = 1_000
OTHERS = "others"


class KeyUseQuerySet(ScopedQuerySet["KeyUse"]):
    def accepted(self) -> KeyUseQuerySet:
        return self.filter(outcome__in=ACCEPTED)

    def refused_in_hour(self, now: datetime) -> KeyUseQuerySet:
        return self.filter(hour=_hour(now)).exclude(outcome__in=ACCEPTED)

    def refusals_from(self, address: str, now: datetime) -> int:
        """How often this hour, from all keys and from none."""
        rows = self.refused_in_hour(now).filter(address__in=[address, OTHERS])
        return rows.aggregate(total=Sum("count"))["total"] or 0

    def note(
        self,
        key: ApiKey | None,
        address: str,
        outcome: KeyOutcome,
        now: datetime,
        count: int = 1,
    ) -> None:
        """One statement, but for the first of its kind in the hour."""
        if self._add(key, address, outcome, now, count):
            return
        is_refusal = outcome not in ACCEPTED
        if is_refusal and self.refused_in_hour(now).count() >= MAX_REFUSED:
            address = OTHERS
        self.filter(key=key, hour__lt=now - KEPT).delete()
        row = KeyUse(key=key, address=address, outcome=outcome, hour=_hour(now))
        row.first_at = row.last_at = now
        # Another process may have made it since; both then add to the same one.
        self.bulk_create([row], ignore_conflicts=True)
        self._add(key, address, outcome, now, count)

    def _add(
        self,
        key: ApiKey | None,
        address: str,
        outcome: KeyOutcome,
        now: datetime,
        count: int,
    ) -> bool:
        rows = self.filter(key=key, address=address, outcome=outcome, hour=_hour(now))
        return bool(rows.update(count=F("count") + count, last_at=now))


class KeyUse(models.Model):
    """How often a key was used from an address in an hour, and what came of it.

    Without a key: tokens that name none. What is refused is counted by what a caller
    can easily call from, so that nobody fills the table.
    """

    key = models.ForeignKey(
        ApiKey,
        models.CASCADE,
        related_name="uses",
        null=True,
        verbose_name="API key",
    )
    address = models.CharField(max_length=50)
    outcome = models.CharField(max_length=20, choices=KeyOutcome)
    hour = models.DateTimeField()
    count = models.PositiveBigIntegerField("calls", default=0)
    first_at = models.DateTimeField("first")
    last_at = models.DateTimeField("last")

    tenancy = Tenancy("key__community")
    privacy = NOTHING_PERSONAL
    objects = KeyUseQuerySet.as_manager()

    class Meta:
        ordering = ["-last_at", "-pk"]
        verbose_name = "API key use"
        indexes = [
            models.Index(fields=["hour", "address"], name="key_use_in_hour"),
            models.Index(fields=["-last_at", "-id"], name="key_use_latest"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["key", "address", "outcome", "hour"], name="key_use_once"
            ),
            models.UniqueConstraint(
                fields=["address", "outcome", "hour"],
                condition=Q(key=None),
                name="key_use_without_key_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()}, from {self.address or 'unknown'}"


def _hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)
