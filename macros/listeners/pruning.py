"""Calls are kept for some weeks, to look at and to replay."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from ..models import CallState, InboundCall, InboundRefusal

# Rows of each kind that go at once, so that no other write waits; the clock comes back
# every second.
STEP = 500


def prune() -> None:
    """Delete a step of what is older than INBOUND_KEPT_DAYS.

    With a call go its events, by which repeats and old news are known. A call that
    waits is never deleted, however old it is.
    """
    limit = timezone.now() - timedelta(days=settings.INBOUND_KEPT_DAYS)
    calls = InboundCall.objects.filter(state=CallState.DONE, received_at__lt=limit)
    oldest = calls.order_by("received_at").values_list("pk", flat=True)
    if pks := list(oldest[:STEP]):
        # Their bodies are not read for that.
        InboundCall.objects.filter(pk__in=pks).only("pk").delete()
    # In the order of their keys, which is all but that of their hours.
    rows = InboundRefusal.objects.order_by("pk").values_list("pk", "hour")
    if pks := [pk for pk, hour in rows[:STEP] if hour < limit]:
        InboundRefusal.objects.filter(pk__in=pks).delete()
