"""A run of one ticket beside a run of many to a target that is slow."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING

from . import engine
from .ground import say
from .processes import Receiver, receiving

if TYPE_CHECKING:
    from feedback.models import FeedbackType

TICKETS = 10_000
TIMES = 3
# Paths of the two receivers. At 96 at once the many would take over three minutes.
_SLOW, _FAST = "/delay/2000", "/ok"
_POLL = 0.02
_PATIENCE = 30.0


def seconds(worker: engine.Worker, of: FeedbackType, slow: Receiver) -> float:
    """From `start_run` to the arrival, the median of several times."""
    # An origin of its own: what goes to one origin waits in one line.
    with receiving({}) as fast:
        found = [_once(worker, of, slow, fast) for _ in range(TIMES)]
    listed = ", ".join(f"{each:.3f} s" for each in found)
    say(f"a run of 1 beside {TICKETS:,} to {_SLOW}: {listed}")
    return median(found)


def _once(
    worker: engine.Worker, of: FeedbackType, slow: Receiver, fast: Receiver
) -> float:
    from macros.runs import cancel_run

    slow.reset()
    fast.reset()
    many = engine.start(engine.macro(of, slow.url + _SLOW), TICKETS)
    _arrival(slow)
    begun = time.time()
    one = engine.start(engine.macro(of, fast.url + _FAST), 1)
    took = _arrival(fast) - begun
    many.refresh_from_db()
    if many.is_settled:
        raise RuntimeError("The run of many was over too soon to be beside it.")
    cancel_run(many)
    worker.wait_for(one)
    worker.wait_for(many)
    return took


def _arrival(receiver: Receiver) -> float:
    """Wait for the first request; when it came."""
    give_up = time.monotonic() + _PATIENCE
    while (arrived := receiver.first_arrival()) is None:
        if time.monotonic() > give_up:
            raise RuntimeError("Nothing arrived in time.")
        time.sleep(_POLL)
    return arrived
