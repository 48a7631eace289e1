"""What other programs bring: tickets through external sources, and testers."""

from .faults import Refused
from .submitting import KeyReused, TicketGone, submit

__all__ = ["KeyReused", "Refused", "TicketGone", "submit"]
