"""When a delivery that failed is tried again."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

DEFAULT_LADDER = "5 s, 30 s, 5 min, 30 min, 2 h, 5 h, 10 h"

MAX_STEPS = 20
MAX_WAIT = 7 * 24 * 3600.0

BUSY_STATUSES = frozenset({408, 425, 429})
_UNITS = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86400}
_STEP = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)\Z")
_JITTER = 0.1


class RetryCause(StrEnum):
    """Why a try failed, if another one may help.

    A macro chooses among them, except LOST, which is CenterHook's own fault.
    """

    CONNECTION = "connection"
    TIMEOUT = "timeout"
    SERVER_ERROR = "server_error"
    BUSY = "busy"
    LOST = "lost"


CAUSE_LABELS = {
    RetryCause.CONNECTION: "no connection",
    RetryCause.TIMEOUT: "timeout",
    RetryCause.SERVER_ERROR: "server error (5xx)",
    RetryCause.BUSY: "asked to come back later (408, 425, 429)",
}
_CAUSE_OF_ERROR = {
    "dns": RetryCause.CONNECTION,
    "connect": RetryCause.CONNECTION,
    "tls": RetryCause.CONNECTION,
    "timeout": RetryCause.TIMEOUT,
    "lost": RetryCause.LOST,
    "busy": RetryCause.BUSY,
}


class GiveUp(Exception):
    """There is no other try; the message says why, or is empty if none was planned."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A try that failed, as far as the next one depends on it.

    `age` is how long ago the run started and `hint` what the response asks for, both in
    seconds; `tries` counts this one too.
    """

    cause: RetryCause
    tries: int
    age: float = 0.0
    hint: float = 0.0
    outcome_unknown: bool = False


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """What a macro says about retries. Times are in seconds."""

    ladder: Sequence[float]
    causes: frozenset[RetryCause] = frozenset(RetryCause)
    unknown: bool = True
    give_up_after: float = math.inf

    @classmethod
    def from_snapshot(cls, snapshot: Mapping[str, Any]) -> RetryPolicy:
        causes = {RetryCause.LOST, *map(RetryCause, snapshot["retry_causes"])}
        return cls(
            parse_ladder(snapshot["retry_ladder"]),
            frozenset(causes),
            snapshot["retry_unknown"],
            parse_give_up(snapshot["give_up_after"]),
        )

    def wait(self, failure: Failure, jitter: float) -> float:
        """Seconds until the next try. Raises GiveUp.

        `jitter` is from 0 to 1 and only ever adds, up to a tenth of the wait.
        """
        self._check(failure)
        wait = max(self.ladder[failure.tries - 1], failure.hint)
        if failure.cause == RetryCause.LOST:
            # The lease was long enough a wait.
            wait = 0
        left = self.give_up_after - failure.age
        if wait > left:
            raise GiveUp(
                "Not tried again: the next try would come more than"
                f" {in_words(self.give_up_after)} after the start of the run."
            )
        jittered = wait * (1 + _JITTER * jitter)
        return jittered if jittered <= left else wait

    def _check(self, failure: Failure) -> None:
        if not self.ladder:
            raise GiveUp
        if failure.cause not in self.causes:
            cause = CAUSE_LABELS[failure.cause]
            raise GiveUp(f"Not tried again: the macro does not retry this ({cause}).")
        if failure.outcome_unknown and not self.unknown:
            raise GiveUp(
                "Not tried again: the system may have acted on the request, and the"
                " macro does not retry when the outcome is unknown."
            )
        if failure.tries > len(self.ladder):
            raise GiveUp(f"Not tried again: this was try {failure.tries}, the last.")


def cause_of(error: str, status: int | None) -> RetryCause | None:
    """The cause of a failed try from its error class and status; None: no retry."""
    if error == "busy" or status in BUSY_STATUSES:
        return RetryCause.BUSY
    if status is not None and 500 <= status <= 599:
        return RetryCause.SERVER_ERROR
    return _CAUSE_OF_ERROR.get(error)


def parse_ladder(text: str) -> list[float]:
    """The waits of "5 s, 30 s, 5 min" in seconds; empty text means no retry.

    Raises ValueError with a sentence that names the member at fault.
    """
    steps = [step.strip() for step in text.split(",") if step.strip()]
    if len(steps) > MAX_STEPS:
        raise ValueError(f"{len(steps)} waits are too many; {MAX_STEPS} at most.")
    return [_seconds(step) for step in steps]


def parse_give_up(text: str) -> float:
    """The seconds of "1 d"; empty text means never. Raises ValueError."""
    return _seconds(text.strip()) if text.strip() else math.inf


def _seconds(step: str) -> float:
    match = _STEP.match(step.lower())
    if match is None or match[2] not in _UNITS:
        raise ValueError(f"'{step}' is not a wait such as 30 s, 5 min, 2 h or 1 d.")
    seconds = float(match[1]) * _UNITS[match[2]]
    if not 1 <= seconds <= MAX_WAIT:
        raise ValueError(f"'{step}' is not between 1 s and 7 d.")
    return seconds


def in_words(seconds: float) -> str:
    """A duration in the largest unit that fits: 90 is "1.5 min"."""
    unit = next((u for u in ("d", "h", "min") if seconds >= _UNITS[u]), "s")
    return f"{seconds / _UNITS[unit]:.3g} {unit}"
