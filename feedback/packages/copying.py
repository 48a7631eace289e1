"""Rows as PostgreSQL writes them itself, by COPY: no row is a row of Python.

Each value is made in an inner query, once, and written by the outer one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection
from psycopg import sql

from ..models import PackageFormat
from ..transfer.cells import BEGINS_FORMULA, INVISIBLE
from .tables import Table
from .values import ColumnType
from .writing import json_name

_MOMENT = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
_APOSTROPHE = "'"
_UNSEEN = INVISIBLE.replace("\0", "")  # PostgreSQL stores none.
# A hyphen between two others would make a range of them.
_BEGINNINGS = "".join(sorted(BEGINS_FORMULA - {"-"})) + "-"
_GUARDED = f"^{_APOSTROPHE}*[{_UNSEEN}]*[{_BEGINNINGS}]"
# The first letter of nearly every text says that it is none of these.
_FIRST = [ord(each) for each in (_APOSTROPHE, *_UNSEEN, *_BEGINNINGS)]


def lines(table: Table, form: str) -> Iterator[bytes]:
    """As in `writing`. Nothing else may use the connection meanwhile."""
    statement = _statement(table, form)
    # Django passes on what its cursors have beside its own, but not their errors.
    errors = connection.wrap_database_errors
    with errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for line in copy:
            yield bytes(line)


def _statement(table: Table, form: str) -> sql.Composable:
    names = [f"c{number}" for number, _ in enumerate(table.columns)]
    rows = table.rows.values_list(*(each.expression for each in table.columns))
    operations: Any = connection.ops  # Those of PostgreSQL.
    inner = sql.SQL(operations.compose_sql(*rows.query.sql_with_params()))
    parts = sql.SQL("COPY (SELECT {} FROM ({} OFFSET 0) AS s ({})) TO STDOUT {}")
    aliases = sql.SQL(", ").join(map(sql.Identifier, names))
    write, options = _FORMS[form]
    return parts.format(write(table, names), inner, aliases, sql.SQL(options))


def _csv(table: Table, names: list[str]) -> sql.Composable:
    guards = table.package.guards_formulas
    pairs = zip(table.columns, names, strict=True)
    return sql.SQL(", ").join(
        _guarded(name)
        if guards and column.type == ColumnType.TEXT
        # What is true, PostgreSQL would write as t.
        else _text(name, column.type)
        for column, name in pairs
    )


def _guarded(name: str) -> sql.Composable:
    condition = sql.SQL("ascii({0}) = ANY ({1}) AND {0} ~ {2}").format(
        sql.Identifier(name), sql.Literal(_FIRST), sql.Literal(_GUARDED)
    )
    return sql.SQL("CASE WHEN {1} THEN '''' || {0} ELSE {0} END").format(
        sql.Identifier(name), condition
    )


def _text(name: str, kind: str) -> sql.Composable:
    if kind == ColumnType.MOMENT:
        return sql.SQL(_MOMENT).format(sql.Identifier(name))
    if kind == ColumnType.BOOLEAN:
        return sql.SQL("{}::text").format(sql.Identifier(name))
    return sql.Identifier(name)


def _json(table: Table, names: list[str]) -> sql.Composable:
    """One text: as rows of its own, PostgreSQL takes no names beyond 63 letters."""
    parts: list[sql.Composable] = []
    for number, (column, name) in enumerate(zip(table.columns, names, strict=True)):
        start = "," if number else "{"
        parts.append(sql.Literal(f"{start}{json_name(column)}:"))
        parts.append(_member(name, column.type))
    return sql.SQL("{} || '}}'").format(sql.SQL(" || ").join(parts))


def _member(name: str, kind: str) -> sql.Composable:
    at = sql.Identifier(name)
    if kind == ColumnType.TEXT:
        value: sql.Composable = sql.SQL("to_json({})::text").format(at)
    elif kind in (ColumnType.DATE, ColumnType.MOMENT):
        value = sql.SQL("""'"' || {} || '"'""").format(_text(name, kind))
    elif kind == ColumnType.LIST:
        value = at
    else:
        value = sql.SQL("{}::text").format(at)
    return sql.SQL("coalesce({}, 'null')").format(value)


_Write = Callable[[Table, list[str]], sql.Composable]
# Control characters are escaped in JSON, so that nothing of it is ever quoted.
_ONE_TEXT = r"(FORMAT csv, DELIMITER E'\x02', QUOTE E'\x01')"
_FORMS: dict[str, tuple[_Write, str]] = {
    PackageFormat.CSV: (_csv, "(FORMAT csv)"),
    PackageFormat.JSON: (_json, _ONE_TEXT),
    PackageFormat.NDJSON: (_json, _ONE_TEXT),
}
