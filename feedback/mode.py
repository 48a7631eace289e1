"""Whether this installation sends: the one place that knows.

Workers ask where they would claim, start or send something, and web processes where
they would write. It is looked up at most once a second in each process, so that a
change takes effect everywhere within a second or two, and costs no delivery a query.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from .models import Installation, Mode

__all__ = ["Mode", "State", "current", "forget", "is_sending", "refuses", "state"]

# What a program gets that wants to write while it is read-only: a code, and in how many
# seconds to try again.
READ_ONLY_CODE = "read_only"
RETRY_AFTER = 60
_READING = ("GET", "HEAD", "OPTIONS")
# How long what was looked up holds, in seconds.
LOOK_EVERY = 1.0


@dataclass(frozen=True, slots=True)
class State:
    """A mode, and who set it when."""

    mode: Mode
    since: datetime | None = None
    by: str = ""
    # The setting MODE says so: no page changes it.
    is_set_by_operator: bool = False


# What was looked up last, and when.
_known: tuple[float, State] | None = None


def current() -> Mode:
    return state().mode


def is_sending() -> bool:
    return current() == Mode.NORMAL


def refuses(method: str | None) -> bool:
    """Whether a request is turned away, as it would write what must not be written."""
    return method not in _READING and current() == Mode.READ_ONLY


def state() -> State:
    """Raises what the database raises: where nobody knows, nothing is sent."""
    global _known
    if settings.MODE:
        return State(given(settings.MODE), is_set_by_operator=True)
    now, known = time.monotonic(), _known
    if known is None or now - known[0] >= LOOK_EVERY:
        known = _known = now, _look_up()
    return known[1]


def forget() -> None:
    """Look anew next time: this process has changed it."""
    global _known
    _known = None


def given(name: str) -> Mode:
    """The mode of a name in the settings; a wrong one sends nothing, to be safe."""
    return Mode(_as_value(name)) if is_known(name) else Mode.PAUSED


def is_known(name: str) -> bool:
    return _as_value(name) in Mode.values


def _as_value(name: str) -> str:
    return name.strip().lower().replace("-", "_")


def _look_up() -> State:
    columns = Installation.objects.values_list("mode", "mode_since", "mode_by")
    row = columns.filter(pk=1).first()
    if row is None:
        return State(Mode.NORMAL)
    return State(Mode(row[0]), row[1], row[2])
