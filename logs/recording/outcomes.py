"""What became of a delivery, before it is written down."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from feedback.changes import Change
from feedback.models.numbers import ExactEncoder

from ..models import Attempt, Delivery, DeliveryState

# The counter on the run that each end of a delivery adds to.
COUNTERS = {
    DeliveryState.DELIVERED: "delivered",
    DeliveryState.FAILED: "failed",
    DeliveryState.SKIPPED: "skipped",
    DeliveryState.CANCELLED: "cancelled",
}
# The one that those delivered with a problem add to besides.
PROBLEMS = "problems"
# Characters of a value in the attempt's message.
_SHOWN = 200


@dataclass(slots=True)
class Captured:
    """A value for a subject's external data; `source` says where it is from.

    `stops_at` is the first later step that can't do without it.
    """

    key: str
    value: object
    source: str
    required: bool = False
    stops_at: int | None = None

    def __str__(self) -> str:
        return f"{self.key} = {_shown(self.value)} ({self.source})"


@dataclass(slots=True)
class Outcome:
    """What became of a leased delivery.

    `state` is the new one; PENDING means that it is due again in `retry_in` seconds.
    Without an attempt it was given back unsent, which uses none up. `captured` goes to
    the subject's external data, and `message` is the attempt's message without what
    becomes of that. Where there is a `change` to make, making it decides the state.
    The destination at `origin` wants nothing before `held_until`.
    `stops_at` is the first later step of the subject that needs a value that is
    missing: it is skipped with all after it.
    """

    delivery: Delivery
    state: DeliveryState
    attempt: Attempt | None = None
    retry_in: float | None = None
    origin: str = ""
    held_until: datetime | None = None
    captured: Sequence[Captured] = ()
    message: str = ""
    change: Change | None = None
    stops_at: int | None = None


def _as_json(value: object) -> str:
    return json.dumps(value, cls=ExactEncoder, ensure_ascii=False)


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else _as_json(value)
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
