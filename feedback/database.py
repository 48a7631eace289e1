"""Whether the database is away: gone, or one that takes no writes any more."""

from __future__ import annotations

import sqlite3

from django.db import (
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
)

# PostgreSQL's read_only_sql_transaction, which Django takes for an internal error: what
# was the primary has become a standby, or somebody has made it read-only.
_READ_ONLY = "25006"


def is_away(error: BaseException) -> bool:
    """Whether the same may work later, without any change of what was asked."""
    return isinstance(error, (InterfaceError, OperationalError)) or _is_read_only(error)


def is_gone(error: BaseException) -> bool:
    """Whether nothing at all can be written for now, be it asked again or not."""
    return _is_read_only(error) or not connection.is_usable()


def _is_read_only(error: BaseException) -> bool:
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        # What the driver itself refuses has no code.
        code = getattr(cause, "sqlite_errorcode", 0)
        return code & 0xFF == sqlite3.SQLITE_READONLY
    return getattr(cause, "sqlstate", None) == _READ_ONLY


def ask_anew() -> None:
    """The next query looks for the database again: it may be elsewhere by now."""
    if not connection.in_atomic_block:
        connection.close()


def tend() -> None:
    """Lets go of a connection that is too old, or that the database has ended."""
    if not connection.in_atomic_block:
        close_old_connections()
