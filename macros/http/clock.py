from __future__ import annotations

from time import monotonic

from macros.http.errors import TransportError
from macros.http.messages import Limits, Timings


class Clock:
    """Times one request and bounds each blocking call by what is left of it.

    Every connect, handshake, send and receive gets a socket timeout of at most
    `left()`, taken just before the call. None can outlast the deadline then, and no
    other thread has to interrupt it, so no exchange is ever cut by another's deadline.
    """

    __slots__ = ("_connected", "_deadline", "_first_byte", "_started", "limits")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._started = monotonic()
        self._deadline = self._started + limits.deadline
        self._connected: float | None = None
        self._first_byte: float | None = None

    def left(self, at_most: float) -> float:
        """Seconds the next blocking call may take; TimeoutError when none are left."""
        left = self._deadline - monotonic()
        if left <= 0:
            raise TimeoutError
        return left if left < at_most else at_most

    def connected(self) -> None:
        self._connected = monotonic()

    def first_byte(self) -> None:
        self._first_byte = monotonic()

    def timings(self) -> Timings:
        return Timings(
            self._ms(self._connected),
            self._ms(self._first_byte),
            round((monotonic() - self._started) * 1000),
        )

    def timeout(self, *, connecting: bool = False) -> TransportError:
        if monotonic() >= self._deadline:
            sentence = f"No answer within {self.limits.deadline:g} s (whole request)."
        elif connecting:
            sentence = f"Connection timed out after {self.limits.connect:g} s."
        else:
            sentence = f"No answer within {self.limits.read:g} s."
        return TransportError(sentence, "timeout", outcome_unknown=not connecting)

    def _ms(self, moment: float | None) -> int | None:
        return None if moment is None else round((moment - self._started) * 1000)
