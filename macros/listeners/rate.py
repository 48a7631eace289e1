"""How many calls a caller may send to a listener, in this process."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime
from threading import Lock

from django.conf import settings

# What a caller that was quiet may send at once: so many seconds' worth.
BURST_SECONDS = 60
MAX_CALLERS = 10_000

Caller = tuple[int, str]  # a listener, and from where


class CallRate:
    """A bucket for each caller of each listener, so that none fills another's.

    Bounded: whoever has not called for the longest is forgotten, and begins anew.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        # What is left, and at which moment that was.
        self._left: OrderedDict[Caller, tuple[float, float]] = OrderedDict()

    def wait(self, caller: Caller, now: datetime) -> float:
        """0 if the call may come; else after how many seconds one more may."""
        per_second = max(1, settings.INBOUND_PER_SECOND)
        full, at = float(per_second * BURST_SECONDS), now.timestamp()
        with self._lock:
            left, before = self._left.pop(caller, (full, at))
            left = min(full, left + max(0.0, at - before) * per_second)
            is_allowed = left >= 1
            self._left[caller] = (left - is_allowed, at)
            if len(self._left) > MAX_CALLERS:
                self._left.popitem(last=False)
        return 0.0 if is_allowed else (1 - left) / per_second

    def clear(self) -> None:
        with self._lock:
            self._left.clear()
