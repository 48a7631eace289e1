"""Calls that this installation sends to itself, and go round."""

from __future__ import annotations

import re

from django.conf import settings

from logs.models import Run

from ..http.signing import ID_HEADER
from ..models import InboundCall, InboundOutcome
from .results import Ended
from .setup import Setup

# As `logs.models.delivery_id` writes it.
_DELIVERY = re.compile(r"dlv_([0-9a-f]{32})_\d+")


def check_loop(setup: Setup, call: InboundCall) -> tuple[int, ...]:
    """The triggers that led to the call, where a run of ours has sent it.

    Raises Ended where that run goes back to the listener itself, or the way is long.
    """
    run = first = _sender(call)
    for _ in range(settings.TRIGGER_MAX_DEPTH):
        if run is None:
            return tuple(first.chain) if first else ()
        if run.listener_id == setup.listener.pk:
            raise Ended(
                InboundOutcome.LOOP,
                "The call was sent by a run that goes back to this listener: run"
                f" {first.pk if first else run.pk}.",
            )
        run = _sender(run.event.call) if run.event else None
    raise Ended(
        InboundOutcome.LOOP,
        f"More than {settings.TRIGGER_MAX_DEPTH} listeners have called each other.",
    )


def _sender(call: InboundCall) -> Run | None:
    known = _DELIVERY.fullmatch(str(call.headers.get(ID_HEADER.lower(), "")))
    if known is None:
        return None
    rows = Run.objects.filter(key=known[1]).select_related("event__call")
    return rows.defer("snapshot", "event__call__body").first()
