"""Workers are notified beside the calls, so that none waits for Redis.

Calls of one moment are one wake-up. What a process has not passed on when it is killed
is found by the clock.
"""

from __future__ import annotations

import time
from threading import Lock, Thread

from .. import queue

# How long wake-ups are gathered.
_PAUSE = 0.01


class WakeUps:
    """Passes on wake-ups in a thread, which ends when there are no more."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._listeners: set[int] = set()
        self._is_at_work = False

    def add(self, listener: int) -> None:
        with self._lock:
            self._listeners.add(listener)
            if self._is_at_work:
                return
            self._is_at_work = True
        Thread(target=self._pass_on, name="wake-ups", daemon=True).start()

    def _pass_on(self) -> None:
        while listeners := self._taken():
            for listener in listeners:
                queue.notify_calls(listener)
            time.sleep(_PAUSE)

    def _taken(self) -> set[int]:
        with self._lock:
            listeners, self._listeners = self._listeners, set()
            self._is_at_work = bool(listeners)
        return listeners
