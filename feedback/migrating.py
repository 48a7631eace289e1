"""What migrations are made of that workers of the version before live through.

`tests/meta/migrations.py` says which operations they may not have, and why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.apps.registry import Apps
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import AddIndex
from django.db.migrations.state import ProjectState
from django.db.models import QuerySet

# Rows of one transaction.
BATCH = 2_000


class AddIndexAtWork(AddIndexConcurrently):
    """Make an index while others write, in a migration with `atomic = False`.

    Cut off, it can be made again: what was left half made is dropped first. On SQLite
    it is a plain AddIndex.
    """

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        connection = schema_editor.connection
        states = app_label, schema_editor, from_state, to_state
        if connection.vendor != "postgresql":
            AddIndex.database_forwards(self, *states)
            return
        is_valid = _is_valid(connection, self.index.name)
        if is_valid:
            return
        with _patient(connection):
            if is_valid is False:
                name = connection.ops.quote_name(self.index.name)
                schema_editor.execute(f"DROP INDEX CONCURRENTLY {name}")
            super().database_forwards(*states)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        states = app_label, schema_editor, from_state, to_state
        if schema_editor.connection.vendor != "postgresql":
            AddIndex.database_backwards(self, *states)
            return
        with _patient(schema_editor.connection):
            super().database_backwards(*states)


def _is_valid(connection: BaseDatabaseWrapper, name: str) -> bool | None:
    """None where there is no such index."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)",
            [connection.ops.quote_name(name)],
        )
        row = cursor.fetchone()
    return None if row is None else bool(row[0])


@contextmanager
def _patient(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """It waits for transactions that were there before, and nobody waits for it."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        [before] = cursor.fetchone()
        cursor.execute("SET lock_timeout = 0")
        try:
            yield
        finally:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [before])


class InBatches:
    """Code for RunPython that changes many rows, in a migration with `atomic = False`.

    `change` gets some rows after the other, in the order of their keys, each time in a
    transaction of its own. Cut off, it begins anew: rows that were changed must come
    out the same.
    """

    def __init__(
        self,
        app_label: str,
        model_name: str,
        change: Callable[[QuerySet[Any]], object],
        size: int = BATCH,
    ) -> None:
        self.model = app_label, model_name
        self.change = change
        self.size = size

    def __call__(self, apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        alias = schema_editor.connection.alias
        rows = apps.get_model(*self.model)._base_manager.using(alias).order_by("pk")
        left = rows
        while pks := list(left.values_list("pk", flat=True)[: self.size]):
            with transaction.atomic(using=alias):
                self.change(rows.filter(pk__gte=pks[0], pk__lte=pks[-1]))
            left = rows.filter(pk__gt=pks[-1])
