"""Short ways to have a listener called, and what became of it."""

from __future__ import annotations

import json
from typing import Any

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
    work.hear(of.pk)
    events = stored.events.select_related("call", "feedback", "tester", "repeat_of")
    return list(events.order_by("position"))


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
