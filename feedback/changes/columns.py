"""Many rows in one prepared statement for all that get the same columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connections
from django.db.models import Model

from ..units import AnnouncedRow, Values, unit


def write(model: type[AnnouncedRow], given: Mapping[int, Values]) -> None:
    """Give rows of tickets or testers the columns that differ from what they have."""
    with unit() as opened:
        differing = opened.write(model, given)
        groups: dict[tuple[str, ...], dict[int, Values]] = defaultdict(dict)
        for pk, values in differing.items():
            written = values | opened.moved(model, values)
            groups[tuple(sorted(written))][pk] = written
        for names, rows in groups.items():
            columns = {pk: [row[name] for name in names] for pk, row in rows.items()}
            _write_columns(model, names, columns)


def _write_columns(
    model: type[Model], names: Sequence[str], rows: Mapping[int, Sequence[Any]]
) -> None:
    """Set columns of rows by their keys: `bulk_update` costs many times as much.

    The rows are locked, in the order of their keys.
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
