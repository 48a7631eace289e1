"""Responses of the API that are given again to whoever sends a request again."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models

from ..access.actors import ScopedQuerySet, Tenancy
from ..access.privacy import Privacy
from .communities import Community

KEPT = timedelta(hours=24)


class StoredResponseQuerySet(ScopedQuerySet["StoredResponse"]):
    def prune(self, now: datetime) -> None:
        self.filter(created_at__lt=now - KEPT).delete()


class StoredResponse(models.Model):
    """What a request with an idempotency key got, for 24 hours.

    The request, its caller and what it said are hashes here.
    """

    # Null where a person called, who may act in several.
    community = models.ForeignKey(
        Community, models.CASCADE, related_name="stored_responses", null=True
    )
    idempotency_key = models.CharField(max_length=32, unique=True, editable=False)
    fingerprint = models.CharField(max_length=64, editable=False)
    # 0 while the request is at work, in the transaction that nobody else sees.
    status = models.PositiveSmallIntegerField(default=0, editable=False)
    format = models.SmallIntegerField(db_default=1, editable=False)
    headers = models.JSONField(default=dict, editable=False)
    body = models.TextField(blank=True, default="", editable=False)
    created_at = models.DateTimeField("time", auto_now_add=True, db_index=True)

    tenancy = Tenancy("community")
    privacy = Privacy(hidden=("body",), texts=("body",), is_scrubbed_whole=True)
    objects = StoredResponseQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"Stored response {self.pk}"
