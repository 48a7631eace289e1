"""Whether this machine knows the time: what goes by age can't be brought back."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic

from django.db import connection
from redis.exceptions import RedisError

from logs.retention import APART

from . import queue, signs_of_life

logger = logging.getLogger(__name__)

# A clock looks every second, and tells of it once in so many.
_LOG_EVERY_SECONDS = 600
_logged_at = float("-inf")


def is_known(now: datetime) -> bool:
    """Whether what is old by this machine's clock may go; tells the log where not."""
    global _logged_at
    sentence = doubt(now)
    if sentence and monotonic() - _logged_at >= _LOG_EVERY_SECONDS:
        _logged_at = monotonic()
        logger.error("%s", sentence)
    return not sentence


def doubt(now: datetime) -> str:
    """What another clock says, as sentences; empty where it is an hour off at most."""
    for whose, theirs in _others():
        if abs(now - theirs) > APART:
            return (
                f"This machine's clock says {now:%Y-%m-%d %H:%M} UTC, and {whose} says"
                f" {theirs:%Y-%m-%d %H:%M}. Nothing goes by age until they agree."
            )
    return ""


def _others() -> Iterator[tuple[str, datetime]]:
    """Those that all machines share. A Redis that is away says nothing."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            [theirs] = cursor.fetchone()
        yield "the database's", theirs.astimezone(UTC)
    with suppress(RedisError):
        at = signs_of_life.time_of(queue.redis())
        yield "Redis'", datetime.fromtimestamp(at, UTC)
