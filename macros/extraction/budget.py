"""The work that reading one response may cost, counted in steps.

Paths and expressions are written by one party and run on the data of another, in the
thread that works for everybody. Counted work gives one result on every machine.
"""

from __future__ import annotations

from contextvars import ContextVar

# A step is a look at one member or element, about a microsecond: 50 ms in all at worst.
MAX_STEPS = 30_000


class ExtractionError(Exception):
    """A response has no usable value; the message ends a sentence on the value."""


class Budget:
    """What all return values of one response may still cost together."""

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self.left = steps
        # The patterns in the response that were compiled, which costs once.
        self.patterns: set[str] = set()

    def spend(self, steps: int) -> None:
        """Raises ExtractionError where nothing is left."""
        self.left = max(-1, self.left - steps)
        if self.left < 0:
            raise too_much()

    def pay(self) -> None:
        """For what is done from now on in this thread."""
        _current.set(self)


def current() -> Budget:
    """The budget that pays in this thread."""
    return _current.get()


def too_much() -> ExtractionError:
    return ExtractionError(
        "needs more work than is allowed: the limit is"
        f" {MAX_STEPS:,} steps for all values together"
    )


_current: ContextVar[Budget] = ContextVar("budget")
