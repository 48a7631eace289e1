"""Deliveries whose workers ended while they held them, and are worked on alone.

A worker that is killed takes down whatever it holds, so a loss says little. A delivery
that was lost several times in a row is held by a worker that holds nothing else: if
that one ends too, it was the delivery.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from typing import Protocol

# From so many losses in a row on a delivery is worked on alone.
SUSPECT_AFTER = 3
# After so many it has failed: SUSPECT_AFTER beside others, the rest alone.
MAX_LOSSES = 5
# How many deliveries with losses a worker takes at once: an eighth for each loss, so
# that what was lost together is taken apart.
SHARE_OF_LOST = 8
# How long it waits until nothing else is held, in seconds: longer than a request takes.
PATIENCE = 40.0
# After a suspect the others have so many times as long as it took.
_OTHERS_SHARE = 4.0


class Suspicious(Protocol):
    """A run at work, as far as suspects matter."""

    @property
    def has_suspects(self) -> bool:
        """Whether something of it is to be worked on alone."""

    @property
    def is_quiet(self) -> bool:
        """Whether it holds nothing."""

    def claim_suspect(self) -> bool:
        """Hold one, if nobody else does."""


class Isolation:
    """Sees to it that a suspect is the only thing that a worker holds."""

    def __init__(self) -> None:
        self._held: Suspicious | None = None
        self._is_waiting = False
        self._began_at = 0.0
        self._not_before = float("-inf")

    def may_claim(self, works: Collection[Suspicious]) -> bool:
        """False while a suspect is held, or waits until nothing else is."""
        now = time.monotonic()
        if self._held is not None:
            # One whose run was dropped by a fault is not among them any more.
            if any(each is self._held and not each.is_quiet for each in works):
                return False
            self._held = None
            self._leave_to_others(now)
        if now < self._not_before:
            return True
        suspicious = next((work for work in works if work.has_suspects), None)
        if suspicious is None:
            self._is_waiting = False
            return True
        if not self._is_waiting:
            self._is_waiting, self._began_at = True, now
        if any(not work.is_quiet for work in works):
            if now - self._began_at < PATIENCE:
                return False
            self._leave_to_others(now)
            return True
        self._is_waiting = False
        self._began_at = now
        if suspicious.claim_suspect():
            self._held = suspicious
            return False
        return True

    def _leave_to_others(self, now: float) -> None:
        self._is_waiting = False
        self._not_before = now + _OTHERS_SHARE * (now - self._began_at)


def few_of_the_lost(losses: Iterable[int], size: int) -> list[bool]:
    """Which of some deliveries to take, by how often each was lost in a row."""
    taken = 0
    chosen = []
    for count in losses:
        fits = not count or taken < max(1, size // SHARE_OF_LOST**count)
        taken += bool(count) and fits
        chosen.append(fits)
    return chosen
