"""Turns: what one community has to be done keeps no other waiting."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from time import monotonic

# A community's turn in each round, in seconds. What was begun in it is finished.
TURN = 0.05

Act = Callable[[], object]


class Turns:
    """Small pieces of work, done by turns; a community's own in their order."""

    def __init__(self) -> None:
        self._to_do: dict[int, deque[Act]] = {}

    def __bool__(self) -> bool:
        return bool(self._to_do)

    def add(self, community_id: int, act: Act) -> None:
        self._to_do.setdefault(community_id, deque()).append(act)

    def round(self) -> None:
        """A turn for every community that has something to be done."""
        for community_id, acts in list(self._to_do.items()):
            ends_at = monotonic() + TURN
            while acts:
                acts.popleft()()
                if monotonic() >= ends_at:
                    break
            if not acts:
                del self._to_do[community_id]
