"""A worker's wire: one request for each of its threads, and shared fairly."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.conf import settings

# Where the others have nothing, a community leaves one thread in so many to them, and
# as many to destinations of its own that have nothing on the wire yet.
_LEFT = 16
# Beside that a destination has up to so many times what is still there: the more of
# them are slow, the less each has.
_OF_THE_REST = 4


@dataclass(slots=True, eq=False)
class Wire:
    """No more requests are begun than there are threads, so that none waits for one.

    What is in a line for threads could be neither given back nor overtaken.
    """

    free: int = field(default_factory=lambda: int(settings.WORKER_THREADS))


@dataclass(slots=True, eq=False)
class Share:
    """What one community has on the wire, however slow what it sends to is."""

    wire: Wire = field(default_factory=Wire)
    taken: int = 0

    def has_room(self, in_flight: int) -> bool:
        """Whether a destination that has so many on the wire may have another."""
        free = self.wire.free
        left = (free + self.taken) // _LEFT
        if not in_flight:
            return free > left
        return in_flight < _OF_THE_REST * (free - 2 * left)

    def take(self) -> None:
        self.wire.free -= 1
        self.taken += 1

    def give_back(self) -> None:
        self.wire.free += 1
        self.taken -= 1
