"""Signatures that cover the moment they were made, so that none is good for ever."""

from __future__ import annotations

from datetime import datetime

from .problems import Problem, Reason

# How far the sender's clock and ours may be apart, in seconds, either way. What
# Standard Webhooks, Slack and Stripe say.
WINDOW = 300
# Digits of a moment in Unix seconds; more are none.
_MAX_DIGITS = 12


def moment(text: str) -> int | None:
    """Unix seconds; None where the text is anything else."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS
    return int(text) if is_number else None


def stale(signed_at: int, now: datetime) -> Problem | None:
    """Asked only where the signature is right: nobody else learns of our clock."""
    ahead = signed_at - int(now.timestamp())
    if abs(ahead) <= WINDOW:
        return None
    direction = "in the future" if ahead > 0 else "ago"
    return Problem(
        Reason.STALE,
        f"The call was signed {abs(ahead):,} seconds {direction}; {WINDOW} are allowed,"
        " either way. Look at the clock of the sender, and at the one here.",
    )
