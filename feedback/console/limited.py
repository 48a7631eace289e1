"""Queries that a page can do without, and gets only a short time for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import OperationalError, connection, transaction

# PostgreSQL's query_canceled.
_CANCELED = "57014"


class TookLonger(Exception):
    """The database ended a query whose time was over."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """PostgreSQL ends the queries within by itself, whether anybody still waits or not.

    SQLite has no such limit of its own: there QUERY_DEADLINE holds for the whole page.
    Raises TookLonger.
    """
    milliseconds = max(1, round(min(seconds, settings.QUERY_DEADLINE) * 1000))
    try:
        with transaction.atomic():
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute(f"SET LOCAL statement_timeout = {milliseconds}")
            yield
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) == _CANCELED:
            raise TookLonger from error
        raise
