from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import Error, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

LOCK_SECONDS = 5.0
# What PostgreSQL says of a lock that it could not have in time.
_LOCK_NOT_AVAILABLE = "55P03"


class Command(migrate.Command):
    """Django's own, which does not let deliveries wait behind it.

    A change of a table waits for whoever reads it, and whoever comes later waits for
    the change. So on PostgreSQL it waits for some seconds only.
    """

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--lock-seconds",
            type=float,
            default=LOCK_SECONDS,
            help="How long a change may wait for a table that is in use, while all that"
            f" comes later waits behind it: {LOCK_SECONDS:g} where you do not say.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        if connection.vendor != "postgresql":
            super().handle(*args, **options)
            return
        seconds = max(options["lock_seconds"], 0.001)
        try:
            _wait_no_longer(connection, f"{seconds * 1000:.0f}ms")
            super().handle(*args, **options)
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") != _LOCK_NOT_AVAILABLE:
                raise
            raise CommandError(
                f"A table was in use for {seconds:g} seconds, so the migration gave up:"
                " whoever comes later would have waited behind it. What was made before"
                f" stays, and nothing is half made.{_oldest(connection)} Run it again."
                " At a busy time --lock-seconds lets it wait longer."
            ) from error
        finally:
            with suppress(Error):
                _wait_no_longer(connection, "0")


def _wait_no_longer(connection: BaseDatabaseWrapper, text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [text])


def _oldest(connection: BaseDatabaseWrapper) -> str:
    """Who may be in the way, as a sentence with a space before it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid, application_name, state,"
            " extract(epoch FROM clock_timestamp() - xact_start)"
            " FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
            " ORDER BY xact_start LIMIT 1"
        )
        row = cursor.fetchone()
    if row is None:
        return ""
    pid, name, state, seconds = row
    return (
        f" The oldest transaction began {seconds:,.0f} seconds ago, in process {pid} of"
        f" the database ({name or 'without a name'}, {state})."
    )
