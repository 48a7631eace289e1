"""The key by which other systems find a ticket's record again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from string import ascii_lowercase, digits

from .scope import RenderContext

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS = digits + ascii_lowercase


def ticket_key(context: RenderContext) -> object:
    """The ticket's number in the database, and when it was made.

    Another installation gives the same number, but hardly in the same microsecond.
    Neither of the two ever changes.
    """
    ticket = context.subject
    since = max(ticket.created_at - _EPOCH, timedelta()) // timedelta(microseconds=1)
    written = ""
    while since:
        since, digit = divmod(since, len(_DIGITS))
        written = _DIGITS[digit] + written
    return f"{ticket.pk}-{written}"
