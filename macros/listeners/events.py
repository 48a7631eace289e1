"""The events of a call, and what each says of itself."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, time

from feedback.names import fold

from ..extraction.budget import ExtractionError
from ..extraction.values import moment_in
from ..models import InboundOutcome
from ..tags import to_text
from .locations import Location
from .payloads import Payload, Unreadable
from .results import Ended
from .setup import Setup

# Events of one call: all are written down, and worked on one by one.
MAX_EVENTS = 500
# Characters of a value that stand in a sentence.
SHOWN = 100
_MAX_NAME = 200


def shown(value: object) -> str:
    text = " ".join(to_text(value).split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def events_in(payload: Payload, at: Location | None) -> list[Payload]:
    """One for each event, and one more where they are too many. Raises Unreadable."""
    if at is None:
        return [payload]
    values = at.values(payload, MAX_EVENTS)
    if len(values) == 1 and isinstance(values[0], list):
        values = values[0]
    return [payload.with_data(value) for value in values[: MAX_EVENTS + 1]]


def name_of(setup: Setup, payload: Payload) -> str:
    return to_text(_value(setup.name_at, payload)).strip()[:_MAX_NAME]


def check_name(setup: Setup, name: str) -> None:
    if not setup.names or fold(name) in setup.names:
        return
    wanted = ", ".join(setup.names.values())
    at = setup.name_at.text if setup.name_at else "nowhere"
    what = f"The event is {shown(name)}" if name else "The call names no event"
    raise Ended(
        InboundOutcome.IGNORED, f"{what} ({at}), and only these are heard: {wanted}."
    )


def check_author(setup: Setup, payload: Payload) -> None:
    if setup.ignored_at is None or not setup.ignored:
        return
    for value in setup.ignored_at.values(payload):
        author = to_text(value).strip()
        if author in setup.ignored:
            raise Ended(
                InboundOutcome.IGNORED,
                f"It was done by {shown(author)} ({setup.ignored_at.text}), whose"
                " events are ignored.",
            )


def repeat_key(setup: Setup, payload: Payload, body: bytes, position: int) -> str:
    """Repeats of the event have the same key; empty where it has none."""
    given = to_text(_value(setup.id_at, payload)).strip()
    if given:
        return hashlib.sha256(f"id:{given}".encode()).hexdigest()
    if setup.listener.repeat_seconds:
        known = hashlib.sha256(b"body:%d:" % position)
        known.update(body)
        return known.hexdigest()
    return ""


def is_known_by_body(setup: Setup, payload: Payload) -> bool:
    return not to_text(_value(setup.id_at, payload)).strip()


def happened_at(
    setup: Setup, payload: Payload, received_at: datetime
) -> datetime | None:
    """When it happened, as the sender says: not later than it was received.

    A sender whose clock is a year ahead would else be the newest for a year.
    Raises Unreadable.
    """
    value = _value(setup.time_at, payload)
    if value is None or value == "" or setup.time_at is None:
        return None
    try:
        moment: date = moment_in(value)
    except ExtractionError as error:
        raise Unreadable(
            f"The time of the event ({setup.time_at.text}) {error}."
        ) from None
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time(), UTC)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(moment, received_at)


def _value(at: Location | None, payload: Payload) -> object:
    return None if at is None else at.value(payload)
