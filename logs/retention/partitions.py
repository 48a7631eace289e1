"""The months of transcripts on PostgreSQL; on SQLite they are plain rows.

A partition is named for its month, `logs_transcript_2026_11`. What belongs to none, by
a clock that is years off, is kept in the default one.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from time import monotonic

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, transaction

from ..models import Transcript

logger = logging.getLogger(__name__)

TABLE = Transcript._meta.db_table
DEFAULT = f"{TABLE}_default"
# Months for which there is room, this one with them.
MONTHS_AHEAD = 3
# To make or drop a partition, the table is locked for a moment. Who can't have that
# lock soon gives up and comes back, for all that is written meanwhile waits behind.
LOCK_TIMEOUT = "1s"
_EVERY_SECONDS = 3600
_looked_at = float("-inf")
_NAMED = re.compile(rf"{TABLE}_(\d{{4}})_(\d{{2}})")


def are_used(using: str = DEFAULT_DB_ALIAS) -> bool:
    return connections[using].vendor == "postgresql"


def months(using: str = DEFAULT_DB_ALIAS) -> dict[str, datetime]:
    """The partitions of months, oldest first, each with the moment when it ends."""
    if not are_used(using):
        return {}
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = %s::regclass ORDER BY 1",
            [TABLE],
        )
        names = [name for (name,) in cursor.fetchall()]
    named = {name: _NAMED.fullmatch(name) for name in names}
    return {
        name: _following(datetime(int(match[1]), int(match[2]), 1, tzinfo=UTC))
        for name, match in named.items()
        if match
    }


def make_room(now: datetime, using: str = DEFAULT_DB_ALIAS) -> None:
    """Make the partitions of this month and the next ones, as far as there are none.

    A month of which rows stand in the default partition already stays there. Nothing
    where migrations have not made the table.
    """
    if not (are_used(using) and _is_made(using)):
        return
    known = months(using)
    for first in _coming(now):
        name = f"{TABLE}_{first:%Y_%m}"
        if name not in known:
            begin, end = (f"'{day:%Y-%m-%d}Z'" for day in (first, _following(first)))
            _execute(
                f"CREATE TABLE {name} PARTITION OF {TABLE}"
                f" FOR VALUES FROM ({begin}) TO ({end})",
                using,
            )


def _is_made(using: str) -> bool:
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [TABLE])
        return bool(cursor.fetchone()[0])


def look_after_room(now: datetime) -> None:
    """Make room once an hour: what can't be made now is not tried each second."""
    global _looked_at
    if monotonic() - _looked_at >= _EVERY_SECONDS:
        _looked_at = monotonic()
        make_room(now)


def drop_before(moment: datetime) -> list[str]:
    """Drop the months that ended before a moment; returns their names.

    It takes as long for a million rows as for one.
    """
    gone = [name for name, end in months().items() if end <= moment]
    return [name for name in gone if _execute(f"DROP TABLE {name}")]


def _execute(statement: str, using: str = DEFAULT_DB_ALIAS) -> bool:
    """Whether it could be done now. Names and dates in it are this module's own."""
    try:
        with transaction.atomic(using), connections[using].cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            cursor.execute(statement)
    except DatabaseError as error:
        logger.warning("%s: %s", statement, str(error).strip())
        return False
    return True


def _coming(now: datetime) -> Iterator[datetime]:
    in_utc = now.astimezone(UTC)
    first = datetime(in_utc.year, in_utc.month, 1, tzinfo=UTC)
    for _ in range(MONTHS_AHEAD):
        yield first
        first = _following(first)


def _following(first: datetime) -> datetime:
    year, month = first.year + first.month // 12, first.month % 12 + 1
    return first.replace(year=year, month=month)
