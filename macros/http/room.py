"""The memory that long responses may take."""

from __future__ import annotations

import weakref
from collections import Counter
from threading import Condition

# Bodies of up to so many bytes need no permit.
FREE = 65_536
# Longer ones that a process holds at once: in all, and from one destination.
PERMITS = 64
SHARE = 16


class Room:
    """Permits for long bodies. Whoever finds none waits while the others are read.

    A destination has a share only, so that one that drips keeps none from the others.
    """

    def __init__(self, permits: int = PERMITS, share: int = SHARE) -> None:
        self._permits = permits
        self._share = share
        self._held: Counter[str] = Counter()
        self._changed = Condition()

    def take(self, owner: str, timeout: float) -> Permit | None:
        """None if there was no permit in so many seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._may_hold(owner), timeout):
                return None
            self._held[owner] += 1
        return Permit(self, owner)

    def leave(self, owner: str) -> None:
        with self._changed:
            self._held[owner] -= 1
            if not self._held[owner]:
                del self._held[owner]
            self._changed.notify_all()

    def _may_hold(self, owner: str) -> bool:
        full = self._held.total() >= self._permits
        return not full and self._held[owner] < self._share


class Permit:
    """One long body's, for as long as anybody holds the response."""

    __slots__ = ("__weakref__",)

    def __init__(self, room: Room, owner: str) -> None:
        leaving = weakref.finalize(self, room.leave, owner)
        leaving.atexit = False
