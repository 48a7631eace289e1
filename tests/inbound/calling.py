"""Short ways to have a listener called, and what became of it."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import Count, Sum
from django.utils import timezone

from macros.listeners import work
from macros.models import InboundEvent, Listener
from tests import factories


def call(of: Listener, data: object = None, **values: Any) -> InboundEvent:
    """The only event of one call."""
    return calls(of, data, **values)[-1]


def calls(of: Listener, data: object = None, **values: Any) -> list[InboundEvent]:
    """The events of one call, in order."""
    body = data if isinstance(data, bytes) else json.dumps(data or {}).encode()
    stored = factories.inbound_call(of, body, **values)
    work_on(of)
    events = stored.events.select_related("call", "feedback", "tester", "repeat_of")
    return list(events.order_by("position"))


def work_on(listener: Listener) -> None:
    """As many turns as it takes on a machine that is busy."""
    free = listener.calls.due(timezone.now())
    before = None
    while before != (before := free.aggregate(n=Count("pk"), tries=Sum("tries"))):
        work.hear(listener.pk)


def outcome(event: InboundEvent) -> tuple[str, str]:
    return event.outcome, event.detail


def status_listener(of: Any, **values: Any) -> Listener:
    """Jira's words become ours: it finds by `jira_key`, and sets the status."""
    return factories.listener(
        of,
        {
            "kind": "status",
            "value": "((Payload: $.status))",
            "value_map": "Done -> Closed\n* -> New",
        },
        **{
            "record_by": "external",
            "record_external": "jira_key",
            "record_at": "$.key",
            **values,
        },
    )
