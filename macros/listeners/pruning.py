"""Calls are kept for some weeks, to look at and to replay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, QuerySet

from feedback.changes import deletion
from logs.retention import Kept, Row, Tier
from logs.retention.tier import delete_free, size_of

from ..models import CallState, InboundCall, InboundEvent, InboundRefusal

# Calls that go at once, and events of theirs, unless one call alone has more.
STEP = 500
MAX_EVENTS = 5_000


class Calls(Tier):
    """With their events, by which repeats and old news are known.

    A call that waits stays, however old it is.
    """

    name = "calls"
    kept = Kept.CALLS
    model = InboundCall
    community = "listener__community"
    most = STEP

    def read(self, rows: QuerySet[Any]) -> list[Row]:
        columns = ("pk", "listener__community", "received_at", "state")
        values = list(rows.values_list(*columns))
        events = self._events([each[0] for each in values])
        read, total = list[Row](), 0
        for key, community, at, state in values:
            total += events.get(key, 0)
            if total > MAX_EVENTS and read:
                break
            since = at if state == CallState.DONE else None
            read.append(Row(key, community, since, at))
        return read

    def _events(self, calls: list[int]) -> dict[int, int]:
        rows = InboundEvent.objects.filter(call__pk__any_of=calls).order_by()
        return dict(rows.values_list("call").annotate(count=Count("pk")))

    def remove(self, rows: Sequence[Row]) -> int:
        done = InboundCall.objects.filter(state=CallState.DONE)
        done = done.filter(pk__any_of=[row.key for row in rows])
        # Runs lose their link to the event: locked in the order in which all do.
        deletion.lock(InboundCall, list(done.values_list("pk", flat=True)))
        gone = list(done.values_list("pk", flat=True))
        # Their bodies are not read for that.
        InboundCall.objects.filter(pk__any_of=gone).only("pk").delete()
        return len(gone)

    def size(self, rows: Sequence[Row]) -> int:
        keys = [row.key for row in rows]
        events = InboundEvent.objects.filter(call__pk__any_of=keys)
        return super().size(rows) + size_of(events)


class Refusals(Tier):
    """How often whom a listener refused, by the hour."""

    name = "refusals"
    kept = Kept.CALLS
    model = InboundRefusal
    community = "listener__community"
    moment = "hour"

    def remove(self, rows: Sequence[Row]) -> int:
        keys = [row.key for row in rows]
        return delete_free(InboundRefusal.objects.filter(pk__any_of=keys))
