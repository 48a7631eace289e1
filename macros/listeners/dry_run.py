"""What a call would do: done as it is done for real, and undone."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from ..models import InboundCall, InboundOutcome, Listener
from .events import MAX_EVENTS
from .handling import Handling
from .payloads import Payload
from .records import label_of
from .results import Ended, Result
from .setup import Setup
from .work import read_events

# Events of a call that are tried; the others are as many again for who reads it.
MAX_TRIED = 20


@dataclass(frozen=True)
class EventPreview:
    """What would become of one event; `record` names the ticket or tester."""

    position: int
    name: str
    outcome: InboundOutcome
    detail: str
    changes: list[str] = field(default_factory=list)
    macros: list[str] = field(default_factory=list)
    record: str = ""

    @property
    def outcome_label(self) -> str:
        return str(InboundOutcome(self.outcome).label)


def dry_run(listener: Listener, call: InboundCall) -> list[EventPreview]:
    """One preview for each event, of the first ones. Nothing is kept of it.

    A listener that is off is tried as if it were on, and a call that was acted on
    before as if it were new.
    """
    setup = Setup(listener)
    try:
        payloads = read_events(setup, call)
    except Ended as ended:
        return [_preview(0, _ended(ended))]
    with transaction.atomic():
        trial = InboundCall(
            listener=listener,
            received_at=call.received_at or timezone.now(),
            method=call.method,
            content_type=call.content_type,
            headers=call.headers,
            query=call.query,
            body=bytes(call.body),
            replayed_by="dry run",
        )
        trial.save()
        previews = [
            _preview(position, _tried(setup, trial, payload, position))
            for position, payload in enumerate(payloads[: min(MAX_TRIED, MAX_EVENTS)])
        ]
        transaction.set_rollback(True)
    return previews


def _tried(setup: Setup, call: InboundCall, payload: Payload, position: int) -> Result:
    return Handling(setup, call, payload, position, timezone.now()).run()


def _ended(ended: Ended) -> Result:
    result = Result()
    result.end(ended)
    return result


def _preview(position: int, result: Result) -> EventPreview:
    return EventPreview(
        position=position,
        name=result.name,
        outcome=result.outcome,
        detail=result.detail,
        changes=result.changes,
        macros=result.macros,
        record=label_of(result.record) if result.record else "",
    )
