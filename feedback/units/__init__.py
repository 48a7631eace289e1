"""Every write of a ticket or tester notices what differs, and announces it."""

from .changed import Changed, Origin
from .facts import Announced, HasFacts, Reference, Values
from .rows import AnnouncedQuerySet, AnnouncedRow, plain_values
from .signals import changed, changing
from .unit import Unit, quietly, unit

__all__ = [
    "Announced",
    "AnnouncedQuerySet",
    "AnnouncedRow",
    "Changed",
    "HasFacts",
    "Origin",
    "Reference",
    "Unit",
    "Values",
    "changed",
    "changing",
    "plain_values",
    "quietly",
    "unit",
]
