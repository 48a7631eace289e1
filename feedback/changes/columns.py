"""Many rows in one prepared statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connections
from django.db.models import Model


def write_columns(
    model: type[Model], names: Sequence[str], rows: Mapping[int, Sequence[Any]]
) -> None:
    """Set columns of rows by their keys: `bulk_update` costs many times as much.

    A row that is referred to is given by its key. The caller has locked the rows, in
    the order of their keys, so that no two writers wait for each other.
    """
    if not rows:
        return
    connection = connections[model._default_manager.db]
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    sets = ", ".join(f"{field.column} = %s" for field in fields)
    parameters = [
        [
            *(
                field.get_db_prep_save(value, connection)
                for field, value in zip(fields, values, strict=True)
            ),
            pk,
        ]
        for pk, values in rows.items()
    ]
    with connection.wrap_database_errors, connection.cursor() as cursor:
        table = model._meta.db_table
        # Table and columns are the model's own names.
        sql = f"UPDATE {table} SET {sets} WHERE id = %s"  # noqa: S608
        cursor.executemany(sql, parameters)
