"""Whether the tables are those of this version, whatever migrations are said to be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import connection, models
from django.db.migrations import AddField, AddIndex, CreateModel, Migration
from django.db.migrations.executor import MigrationExecutor

from .database import OURS, index_names, missing_migrations
from .findings import Finding, bad

_MAX_NAMED = 3
# Table and name of each column. Django's introspection asks ten times for each table.
_COLUMNS = {
    "sqlite": "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c"
    " WHERE m.type = 'table'",
    "postgresql": "SELECT relname, attname FROM pg_attribute"
    " JOIN pg_class ON pg_class.oid = attrelid WHERE relkind IN ('r', 'p')"
    " AND relnamespace::regnamespace::name = ANY(current_schemas(false))"
    " AND attnum > 0 AND NOT attisdropped",
}
# Only what has no transaction can be cut off on PostgreSQL, and is made for that.
_AGAIN = (
    "Run manage.py migrate again: it goes on where it was cut off. Workers may go on"
    " meanwhile."
)
_BACK = (
    "Start no worker. Restore the backup from before the upgrade, or take away what it"
    " made, and run manage.py migrate again."
)


def whole(now: datetime) -> Iterator[Finding]:
    missing = missing_migrations(MigrationExecutor(connection))
    tables = _tables()
    indexes = index_names() if missing else set()
    if not missing:
        yield from _incomplete(tables)
    for migration in missing:
        made = [name for name in _makes(migration) if _is_there(name, tables)]
        made += [each for each in _indexes_of(migration) if each[1] in indexes]
        if made:
            named = ", ".join(".".join(each).rstrip(".") for each in made[:_MAX_NAMED])
            yield bad(
                "migration_half_made",
                f"The migration {migration.app_label}.{migration.name} was begun and"
                f" not finished: it has made {named}.",
                _BACK if migration.atomic else _AGAIN,
            )


def _incomplete(tables: dict[str, set[str]]) -> Iterator[Finding]:
    needed = [(model._meta.db_table, _columns(model)) for model in _models()]
    lacking = [
        f"{table}.{column}"
        for table, columns in needed
        for column in sorted(columns - tables.get(table, set()))
    ]
    if lacking:
        yield bad(
            "schema_incomplete",
            f"The database lacks {len(lacking)} columns of this version, such as"
            f" {', '.join(lacking[:_MAX_NAMED])}, though all migrations are said to be"
            " made.",
            "A restore was cut off, or somebody changed the tables. Restore a backup"
            " that is whole; what was sent since is in the log of its receivers.",
        )


def _models() -> list[type[models.Model]]:
    every = apps.get_models(include_auto_created=True)
    return [each for each in every if each._meta.app_label in OURS]


def _columns(model: type[models.Model]) -> set[str]:
    return {str(field.column) for field in model._meta.local_concrete_fields}


def _tables() -> dict[str, set[str]]:
    """The columns of each table."""
    tables: dict[str, set[str]] = defaultdict(set)
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS[connection.vendor])
        for table, column in cursor.fetchall():
            tables[table].add(column)
    return dict(tables)


def _makes(migration: Migration) -> Iterator[tuple[str, str]]:
    """Table and column of what it adds, without a column for a whole table."""
    for operation in migration.operations:
        if isinstance(operation, CreateModel):
            if model := _model(migration.app_label, operation.name):
                yield model._meta.db_table, ""
        elif isinstance(operation, AddField):
            model = _model(migration.app_label, operation.model_name)
            if model and (column := _column(model, operation.name)):
                yield model._meta.db_table, column


def _indexes_of(migration: Migration) -> Iterator[tuple[str, str]]:
    """Table and name of each index that it adds."""
    for operation in migration.operations:
        if isinstance(operation, AddIndex) and (
            model := _model(migration.app_label, operation.model_name)
        ):
            yield model._meta.db_table, operation.index.name


def _model(app: str, name: str) -> type[models.Model] | None:
    try:
        return apps.get_model(app, name)
    except LookupError:  # A later migration deletes it.
        return None


def _column(model: type[models.Model], name: str) -> str | None:
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    return getattr(field, "column", None)


def _is_there(name: tuple[str, str], tables: dict[str, set[str]]) -> bool:
    table, column = name
    return table in tables and (not column or column in tables[table])
