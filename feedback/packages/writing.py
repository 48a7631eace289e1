"""Rows of a table as CSV, JSON or NDJSON, one by one, as Python writes them.

What PostgreSQL writes in `copying` is the same to the letter.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from ..models import PackageFormat
from ..transfer.cells import kept_cell
from .columns import Column
from .tables import Table
from .values import Value, json_text, moment_text, number_text

CONTENT_TYPES: dict[str, str] = {
    PackageFormat.CSV: "text/csv; charset=utf-8",
    PackageFormat.JSON: "application/json",
    PackageFormat.NDJSON: "application/x-ndjson",
    PackageFormat.PARQUET: "application/vnd.apache.parquet",
}
Row = Sequence[Value]
_QUOTED = frozenset('",\n\r')


def csv_header(columns: Sequence[Column]) -> bytes:
    return (",".join(_cell(each.name) for each in columns) + "\n").encode()


def lines(table: Table, form: str) -> Iterator[bytes]:
    """Each row as one line, which ends the line; of CSV without the header."""
    write = writer_of(table.columns, form, guards=table.package.guards_formulas)
    for _, row in table.values():
        yield write(row)


def writer_of(
    columns: Sequence[Column], form: str, *, guards: bool = True
) -> Callable[[Row], bytes]:
    """What writes the values of one row; `guards` keeps formulas texts in CSV."""
    is_csv = form == PackageFormat.CSV
    return _csv_line(columns, guards) if is_csv else _json_line(columns)


def _csv_line(columns: Sequence[Column], guards: bool) -> Callable[[Row], bytes]:
    is_alone = len(columns) == 1

    def write(row: Row) -> bytes:
        line = ",".join(_csv_value(each, guards) for each in row)
        # Alone on a line it would end a table that PostgreSQL reads.
        return (f'"{line}"\n' if is_alone and line == r"\." else f"{line}\n").encode()

    return write


def _csv_value(value: Value, guards: bool) -> str:
    """Without a value the cell is empty; an empty text is two quotes."""
    if value is None:
        return ""
    if isinstance(value, str):
        return _cell(str(kept_cell(value)) if guards else value)
    if isinstance(value, list):
        return _cell(json_text(value))
    return plain_text(value)


def _cell(text: str) -> str:
    if text and _QUOTED.isdisjoint(text):
        return text
    return '"' + text.replace('"', '""') + '"'


def plain_text(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return moment_text(value)
    return number_text(value) if isinstance(value, Decimal) else str(value)


def _json_line(columns: Sequence[Column]) -> Callable[[Row], bytes]:
    names = [f"{json_name(each)}:" for each in columns]

    def write(row: Row) -> bytes:
        pairs = zip(names, row, strict=True)
        members = ",".join(name + _json_value(value) for name, value in pairs)
        return f"{{{members}}}\n".encode()

    return write


def json_name(column: Column) -> str:
    return json.dumps(column.name, ensure_ascii=False)


def _json_value(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, str | list):
        return json_text(value)
    text = plain_text(value)
    return f'"{text}"' if isinstance(value, datetime) else text
