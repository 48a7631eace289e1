"""Every write of a ticket or tester notices what differs, and announces it."""

from .changed import Changed, Origin
from .facts import Announced, Reference, Values
from .rows import AnnouncedQuerySet, AnnouncedRow
from .signals import changed, changing
from .unit import Unit, quietly, unit

__all__ = [
    "Announced",
    "AnnouncedQuerySet",
    "AnnouncedRow",
    "Changed",
    "Origin",
    "Reference",
    "Unit",
    "Values",
    "changed",
    "changing",
    "quietly",
    "unit",
]
