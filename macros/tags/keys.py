"""The key by which other systems find a ticket's record again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from .scope import RenderContext

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def ticket_key(context: RenderContext) -> object:
    """The ticket's number in the database, and when it was made.

    Another installation gives the same number, but hardly in the same microsecond.
    Neither of the two ever changes.
    """
    ticket = context.subject
    return f"{ticket.pk}-{(ticket.created_at - _EPOCH) // _MICROSECOND:x}"
