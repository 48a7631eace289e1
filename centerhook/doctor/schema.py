"""Migrations that were cut off: what should be there and is not, and the reverse."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.apps import apps
from django.db import connection
from django.db.migrations import Migration, operations
from django.db.migrations.executor import MigrationExecutor

from .database import OURS
from .findings import Finding, bad


def cut_off(now: datetime) -> Iterator[Finding]:
    missing, tables = _missing(), Tables()
    yield from _half_made(missing, tables)
    # While migrations are missing, what they make is rightly not there.
    if not missing:
        yield from _not_there(tables)


class Tables:
    """What is in the database."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            listed = connection.introspection.get_table_list(cursor)
        self._names = {info.name for info in listed}

    def columns(self, table: str) -> set[str]:
        """Empty where there is no such table."""
        if table not in self._names:
            return set()
        with connection.cursor() as cursor:
            described = connection.introspection.get_table_description(cursor, table)
        return {info.name for info in described}

    def has(self, table: str, column: str, index: str) -> bool:
        if index:
            with connection.cursor() as cursor:
                there = connection.introspection.get_constraints(cursor, table)
            return index in there
        names = self.columns(table)
        return bool(names & {column, f"{column}_id"}) if column else bool(names)


def _half_made(missing: list[Migration], tables: Tables) -> Iterator[Finding]:
    """Only one without a transaction can be: what it made stays when it is cut off."""
    for migration in missing:
        if migration.atomic:
            continue
        there = [name for name in _made_by(migration) if tables.has(*name)]
        if there:
            what = ", ".join(".".join(filter(None, name)) for name in there[:3])
            yield bad(
                "migration_half_made",
                f"The migration {migration.app_label}.{migration.name} was begun and"
                f" not ended: {what} is there already.",
                "Run manage.py migrate again: such a migration goes on where it was cut"
                " off. Workers may go on meanwhile.",
            )


def _not_there(tables: Tables) -> Iterator[Finding]:
    for model in apps.get_models():
        if model._meta.app_label not in OURS:
            continue
        table = model._meta.db_table
        there = tables.columns(table)
        wanted = [str(field.column) for field in model._meta.local_concrete_fields]
        lacks = [name for name in wanted if name not in there]
        if lacks:
            what = f"its table {table} lacks {', '.join(lacks)}"
            yield bad(
                "column_missing",
                "The database says that every migration was made, and"
                f" {what if there else f'has no table {table}'}.",
                "A restore was cut off, or somebody ran migrate --fake. Restore the"
                " database from a backup that is whole.",
            )


def _missing() -> list[Migration]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [migration for migration, _ in plan]


def _made_by(migration: Migration) -> Iterator[tuple[str, str, str]]:
    """Table, and a column or an index of it."""
    for operation in migration.operations:
        if isinstance(operation, operations.CreateModel):
            yield _table(migration.app_label, operation.name), "", ""
        elif isinstance(operation, operations.AddField):
            table = _table(migration.app_label, operation.model_name)
            yield table, operation.name, ""
        elif isinstance(operation, operations.AddIndex):
            table = _table(migration.app_label, operation.model_name)
            yield table, "", operation.index.name


def _table(app_label: str, model_name: str) -> str:
    try:
        return str(apps.get_model(app_label, model_name)._meta.db_table)
    except LookupError:
        return f"{app_label}_{model_name.lower()}"
