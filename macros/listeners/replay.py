"""Working on stored calls again, because a person asks."""

from __future__ import annotations

from functools import partial

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from feedback.access.keys import Actor
from logs import audit
from logs.models import Action

from .. import queue
from ..models import InboundCall, Listener

# More at once are refused: each is copied with its body.
MAX_REPLAYED = 1_000
_CHUNK = 50
_COPIED = (
    *("listener_id", "address", "method", "content_type", "headers", "query", "body"),
    "checked_by",
)


class ReplayRefused(Exception):
    """Why nothing is replayed, as a sentence."""


def replay(calls: QuerySet[InboundCall], *, actor: Actor) -> int:
    """Store each of the calls again, to be worked on, and say how many they are.

    What was acted on before is acted on again, since a person wants it so. What is
    older than what was applied still changes nothing. Writes an entry in the audit log
    for each listener. Raises ReplayRefused.
    """
    pks = list(calls.order_by("pk").values_list("pk", flat=True)[: MAX_REPLAYED + 1])
    if len(pks) > MAX_REPLAYED:
        raise ReplayRefused(
            f"More than {MAX_REPLAYED:,} calls are selected, and no more can be"
            " replayed at once. Narrow the filter, and replay in parts."
        )
    listeners: set[int] = set()
    with transaction.atomic():
        for start in range(0, len(pks), _CHUNK):
            chunk = InboundCall.objects.filter(pk__in=pks[start : start + _CHUNK])
            copies = [_copy(call, actor) for call in chunk.order_by("pk")]
            listeners |= {copy.listener_id for copy in copies}
            InboundCall.objects.bulk_create(copies)
        for listener, count in by_listener(InboundCall.objects.filter(pk__in=pks)):
            detail = f"Replayed {count:,} call{'' if count == 1 else 's'}."
            audit.record(Action.RESENT, listener, actor=actor, detail=detail)
        for listener_id in sorted(listeners):
            transaction.on_commit(partial(queue.notify_calls, listener_id))
    return len(pks)


def by_listener(calls: QuerySet[InboundCall]) -> list[tuple[Listener, int]]:
    """The listeners of calls, each with how many of them are its own."""
    counted = calls.order_by().values_list("listener").annotate(count=Count("pk"))
    counts = dict(counted)
    return [(row, counts[row.pk]) for row in Listener.objects.filter(pk__in=counts)]


def _copy(call: InboundCall, actor: Actor) -> InboundCall:
    values = {name: getattr(call, name) for name in _COPIED}
    return InboundCall(
        **values,
        received_at=timezone.now(),
        replay_of_id=call.replay_of_id or call.pk,
        replayed_by=(actor.get_username() or "somebody")[:150],
    )
