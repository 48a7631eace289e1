"""How long things are kept, and how far the clock is with what goes."""

from __future__ import annotations

from django.db import models

from feedback.access.actors import ScopedQuerySet, Tenancy
from feedback.access.privacy import NOTHING_PERSONAL
from feedback.models import Community


def _days(label: str) -> models.PositiveIntegerField[int | None, int | None]:
    return models.PositiveIntegerField(label, null=True, blank=True)


class RetentionPolicy(models.Model):
    """For how many days a community keeps what it may keep; empty: as the operator.

    `logs.retention.policies` says what the days mean and which are allowed.
    """

    community = models.OneToOneField(
        Community, models.CASCADE, related_name="retention"
    )
    bodies_days = _days("requests and responses")
    attempts_days = _days("attempts")
    deliveries_days = _days("runs and deliveries")
    calls_days = _days("calls received")
    audit_days = _days("audit log")

    tenancy = Tenancy("community")
    privacy = NOTHING_PERSONAL
    objects = ScopedQuerySet["RetentionPolicy"].as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name = "retention policy"
        verbose_name_plural = "retention policies"

    def __str__(self) -> str:
        return f"Retention of {self.community}"


class RetentionCursor(models.Model):
    """How far the clock has gone through one table; of the whole installation."""

    tier = models.CharField(max_length=20, unique=True)
    # The key of the last row that this pass has looked at.
    position = models.BigIntegerField(default=0)
    # When this pass began, and the last whole one ended.
    begun_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    worked_at = models.DateTimeField(null=True)
    # Until then the database is left to others.
    rests_until = models.DateTimeField(null=True)

    privacy = NOTHING_PERSONAL

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.tier} at {self.position}"
