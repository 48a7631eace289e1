from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

Headers = Mapping[str, str]


class Reason(IntEnum):
    """Why a call is refused; the higher, the nearer it came to being right."""

    MISSING = 1
    MALFORMED = 2
    WRONG = 3
    STALE = 4


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a call is refused, and a sentence on it that quotes nothing of the call."""

    reason: Reason
    sentence: str


Verify = Callable[[Headers, bytes, Sequence[str], datetime], Problem | None]


def missing(name: str) -> Problem:
    return Problem(Reason.MISSING, f"The header {name} is missing.")


def malformed(name: str, form: str) -> Problem:
    return Problem(Reason.MALFORMED, f"The header {name} is not {form}.")


def wrong(name: str) -> Problem:
    return Problem(
        Reason.WRONG,
        f"The signature in {name} is not that of this body with the secret of the"
        " listener. The raw bytes are what is signed: not JSON that was written anew.",
    )
