"""How many requests a worker keeps on the wire to each origin."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

# Where a lane starts, and what it never goes below.
SMALLEST_WINDOW = 8
# How often a window follows the target's pace, in seconds.
ADAPT_EVERY = 0.25


@dataclass(slots=True)
class Lane:
    """The traffic to one origin.

    Its window follows Little's law: what is answered per second, times the quickest
    answer, is how many requests the target can hold without any waiting in line. Twice
    that keeps it busy and finds out whether it can do more; a fast target needs few.
    """

    cap: int
    window: int = SMALLEST_WINDOW
    in_flight: int = 0
    _answered: int = 0
    _quickest: float = float("inf")
    _since: float = field(default_factory=time.monotonic)

    @property
    def has_room(self) -> bool:
        return self.in_flight < self.window

    def begin(self) -> None:
        self.in_flight += 1

    def end(self, seconds: float) -> None:
        self.in_flight -= 1
        self._answered += 1
        self._quickest = min(self._quickest, seconds)
        now = time.monotonic()
        if now - self._since >= ADAPT_EVERY:
            self._adapt(now - self._since)
            self._answered, self._quickest, self._since = 0, float("inf"), now

    def _adapt(self, elapsed: float) -> None:
        needed = self._answered / elapsed * self._quickest
        self.window = min(self.cap, max(SMALLEST_WINDOW, round(2 * needed)))


class Lanes:
    """The lanes of one worker, by origin."""

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._lanes: dict[str, Lane] = {}

    def of(self, origin: str) -> Lane:
        lane = self._lanes.get(origin)
        if lane is None:
            self._forget_idle()
            lane = self._lanes[origin] = Lane(self._cap)
        return lane

    def _forget_idle(self) -> None:
        """Templates can name hosts without number; only the busy ones are kept."""
        if len(self._lanes) >= 1000:
            busy = {name: lane for name, lane in self._lanes.items() if lane.in_flight}
            self._lanes = busy
