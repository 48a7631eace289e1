from __future__ import annotations

import socket
from dataclasses import dataclass
from math import inf, isfinite
from time import monotonic

from macros.http.errors import TransportError


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes.

    `connect` covers all addresses of the host and the TLS handshake, `read` one
    silence of the server, `deadline` the whole request, `max_bytes` the decoded
    body that is kept.
    """

    connect: float
    read: float
    deadline: float
    max_bytes: int

    def __post_init__(self) -> None:
        for name in ("connect", "read", "deadline", "max_bytes"):
            value = getattr(self, name)
            if not (isfinite(value) and value > 0):
                raise ValueError(f"{name} must be a finite number above 0")


class Deadline:
    """Bounds each blocking call of one request by what is left of its time.

    Every connect, handshake, send and receive gets a socket timeout of at most
    `left()`, taken just before the call. None can outlast the deadline then, and no
    other thread has to interrupt it, so no exchange is ever cut by another's deadline.
    """

    __slots__ = ("_ends_at", "_started_at", "connect_ms", "first_byte_ms", "limits")

    def __init__(self, limits: Limits, ends_at: float = inf) -> None:
        """`ends_at`, by the monotonic clock, is of something that this is a part of."""
        self.limits = limits
        self._started_at = monotonic()
        self._ends_at = min(self._started_at + limits.deadline, ends_at)
        # Milliseconds from the start; None for what has not happened.
        self.connect_ms: int | None = None
        self.first_byte_ms: int | None = None

    def left(self, at_most: float) -> float:
        """Seconds the next blocking call may take; TimeoutError when none are left."""
        left = self._ends_at - monotonic()
        if left <= 0:
            raise TimeoutError
        return left if left < at_most else at_most

    def bound(self, sock: socket.socket) -> None:
        """Let the next send or receive take no longer than the read limit."""
        timeout = self.left(self.limits.read)
        # To set it costs a system call, and other threads get the interpreter.
        if sock.gettimeout() != timeout:
            sock.settimeout(timeout)

    def connected(self) -> None:
        self.connect_ms = self._elapsed_ms()

    def first_byte(self) -> None:
        self.first_byte_ms = self._elapsed_ms()

    def timeout(self, *, connecting: bool = False) -> TransportError:
        if monotonic() >= self._ends_at:
            sentence = f"No response within {self.limits.deadline:g} s (whole request)."
        elif connecting:
            sentence = f"Connection timed out after {self.limits.connect:g} s."
        else:
            sentence = f"No response within {self.limits.read:g} s."
        return TransportError(sentence, "timeout", outcome_unknown=not connecting)

    def _elapsed_ms(self) -> int:
        return round((monotonic() - self._started_at) * 1000)
