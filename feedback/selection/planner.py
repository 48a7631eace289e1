"""How PostgreSQL plans what the compiler makes."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper


def set_up(connection: BaseDatabaseWrapper, **signal: object) -> None:
    """Compiling a filter of ten conditions takes a second, and running it a third."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET jit = off")
