"""When a delivery that failed is tried again."""

from __future__ import annotations

import re
from collections.abc import Sequence

DEFAULT_LADDER = "5 s, 30 s, 5 min, 30 min, 2 h, 5 h, 10 h"

RETRIED_STATUSES = frozenset({408, 425, 429})
MAX_STEPS = 20
MAX_WAIT = 7 * 24 * 3600.0

_UNITS = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86400}
_STEP = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)\Z")
_JITTER = 0.1


def parse_ladder(text: str) -> list[float]:
    """The waits of "5 s, 30 s, 5 min" in seconds; empty text means no retry.

    Raises ValueError with a sentence that names the member at fault.
    """
    steps = [step.strip() for step in text.split(",") if step.strip()]
    if len(steps) > MAX_STEPS:
        raise ValueError(f"{len(steps)} waits are too many; {MAX_STEPS} at most.")
    return [_seconds(step) for step in steps]


def _seconds(step: str) -> float:
    match = _STEP.match(step.lower())
    if match is None or match[2] not in _UNITS:
        raise ValueError(f"'{step}' is not a wait such as 30 s, 5 min, 2 h or 1 d.")
    seconds = float(match[1]) * _UNITS[match[2]]
    if not 1 <= seconds <= MAX_WAIT:
        raise ValueError(f"'{step}' is not between 1 s and 7 d.")
    return seconds


def is_retried_status(status: int) -> bool:
    return status in RETRIED_STATUSES or 500 <= status <= 599


def wait_before_retry(
    ladder: Sequence[float], attempts: int, jitter: float
) -> float | None:
    """Seconds until the next try after `attempts` tries, or None to give up.

    `jitter` is from 0 to 1 and only ever adds, up to a tenth of the wait.
    """
    if attempts > len(ladder):
        return None
    return ladder[attempts - 1] * (1 + _JITTER * jitter)
