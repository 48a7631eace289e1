"""What other programs bring: tickets through external sources, and testers."""

from .faults import SubmissionRefused
from .submitting import KeyReused, TicketGone, submit

__all__ = ["KeyReused", "SubmissionRefused", "TicketGone", "submit"]
