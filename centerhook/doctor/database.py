from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import Error, connection, transaction
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from .findings import Finding, bad, warning

OURS = ("feedback", "logs", "macros", "sign_in")
# PostgreSQL 14 is the oldest that Django 5.2 takes.
MIN_POSTGRES = 14
# Dead rows of a table that are worth a word: so many, and this share of all.
MANY_DEAD, DEAD_SHARE = 100_000, 0.3
MAX_APART_SECONDS = 5
APART_ADVICE = (
    "Let both keep time by NTP. Retries, schedules and signatures go by these clocks;"
    " nothing is lost, but it comes early, late or twice."
)


def missing_migrations(executor: MigrationExecutor) -> list[Migration]:
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [each for each, _ in plan]


def migrations(now: datetime) -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    missing = missing_migrations(executor)
    if missing:
        names = ", ".join(f"{each.app_label}.{each.name}" for each in missing[:3])
        yield bad(
            "migrations_missing",
            f"{len(missing)} migrations were not made, such as {names}.",
            "Run manage.py migrate. Workers of the version before go on meanwhile.",
        )
    known = set(executor.loader.disk_migrations)
    applied = MigrationRecorder(connection).applied_migrations()
    strange = sorted(key for key in applied if key not in known and key[0] in OURS)
    if strange:
        names = ", ".join(f"{app}.{name}" for app, name in strange[:3])
        yield bad(
            "migrations_unknown",
            f"The database has migrations that this version does not know: {names}.",
            "This is an older version than the one that made them, or the database of"
            " another installation. Start the newer version.",
        )


def writable(now: datetime) -> Iterator[Finding]:
    """Tried with a row that is taken back."""
    try:
        with transaction.atomic():
            # A table of Django's, which is as it was before any migration of ours.
            Session.objects.create(session_key="doctor", expire_date=now)
            transaction.set_rollback(True)
    except Error as error:
        yield bad(
            "database_read_only",
            f"Nothing can be written: {str(error).splitlines()[0]}",
            "Look whether its disk is full, or this is a standby. Nothing is sent and"
            " nothing is taken until it can be written again.",
        )


def version(now: datetime) -> Iterator[Finding]:
    if connection.vendor == "sqlite":
        yield warning(
            "sqlite",
            "The database is SQLite: one machine only, and one write at a time.",
            "Fine for a trial. For people who rely on it set DATABASE_URL to"
            " PostgreSQL.",
        )
    elif connection.vendor == "postgresql":
        database: Any = connection
        major = database.pg_version // 10_000
        if major < MIN_POSTGRES:
            yield bad(
                "database_old",
                f"PostgreSQL {major} is older than {MIN_POSTGRES}.",
                "Upgrade it; Django does not support it any more.",
            )


def indexes(now: datetime) -> Iterator[Finding]:
    """Those of our models that are missing, or were left half made."""
    there = index_names()
    for model in apps.get_models():
        if model._meta.app_label not in OURS:
            continue
        table = model._meta.db_table
        missing = [each.name for each in model._meta.indexes if each.name not in there]
        if missing:
            yield bad(
                "index_missing",
                f"The table {table} lacks {', '.join(missing)}.",
                "Pages and deliveries are slow without. Restore the database from a"
                " backup that is whole, or make the index as the migration has it.",
            )
    for name in _rows("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid"):
        yield warning(
            "index_invalid",
            f"The index {name} was left half made, and is not used.",
            f"Run REINDEX INDEX CONCURRENTLY {name}.",
        )


def index_names() -> set[str]:
    """All in one query: Django's own introspection asks 20 for each table."""
    sql = "SELECT name FROM sqlite_master WHERE type = 'index'"
    if connection.vendor == "postgresql":
        sql = "SELECT indexname FROM pg_indexes"
        sql += " WHERE schemaname = ANY(current_schemas(false))"
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return {str(name) for (name,) in cursor.fetchall()}


def encoding(now: datetime) -> Iterator[Finding]:
    for (name,) in _every("SHOW server_encoding"):
        if name != "UTF8":
            yield bad(
                "database_encoding",
                f"The database keeps texts as {name}, so not every text can be kept.",
                "Make one with the encoding UTF8, as docs/operations.md does, and"
                " restore a dump of this one into it.",
            )


def vacuum(now: datetime) -> Iterator[Finding]:
    dead = _rows(
        "SELECT relname FROM pg_stat_user_tables WHERE n_dead_tup > %s"
        " AND n_dead_tup > %s * (n_live_tup + n_dead_tup) ORDER BY n_dead_tup DESC",
        [MANY_DEAD, DEAD_SHARE],
    )
    for name in dead[:5]:
        yield warning(
            "vacuum_behind",
            f"Much of the table {name} is dead rows, so that reading it takes longer.",
            f"Look whether autovacuum is on; VACUUM ANALYZE {name} helps at once.",
        )


def clock(now: datetime) -> Iterator[Finding]:
    for (theirs,) in _every("SELECT clock_timestamp()"):
        apart = abs((theirs - datetime.now(theirs.tzinfo)).total_seconds())
        if apart > MAX_APART_SECONDS:
            yield bad(
                "clocks_apart",
                f"This machine's clock and the database's are {apart:,.0f} seconds"
                " apart.",
                APART_ADVICE,
            )


def _rows(sql: str, parameters: list[Any] | None = None) -> list[str]:
    return [str(row[0]) for row in _every(sql, parameters)]


def _every(sql: str, parameters: list[Any] | None = None) -> list[Any]:
    """Nothing where the database is not PostgreSQL."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
