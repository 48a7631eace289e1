"""A database that takes no writes, as a standby or a disk without rights does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

_OFF_AND_ON = {
    "postgresql": ("SET default_transaction_read_only = {}", "off", "on"),
    "sqlite": ("PRAGMA query_only = {}", "0", "1"),
}


@contextmanager
def read_only() -> Iterator[None]:
    """This process's connection; a new one, made meanwhile, takes writes."""
    statement, off, on = _OFF_AND_ON[connection.vendor]
    if connection.in_atomic_block and connection.vendor != "sqlite":
        # Within a transaction it ends with a savepoint only.
        first, last = "SAVEPOINT reading", "ROLLBACK TO SAVEPOINT reading"
        statements: tuple[str, ...] = (first, "SET TRANSACTION READ ONLY")
    else:
        statements, last = (statement.format(on),), statement.format(off)
    with connection.cursor() as cursor:
        for each in statements:
            cursor.execute(each)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(last)
