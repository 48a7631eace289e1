"""The record as it is given out: an object of JSON, or a header and a row of CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from ..models.numbers import ExactEncoder
from ..packages.values import Value, json_text, moment_text, number_text
from ..transfer.cells import safe_cell

CONTENT_TYPES = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8; header=present",
}


def written(record: Mapping[str, Value], form: str) -> bytes:
    return (_csv if form == "csv" else _json)(record).encode()


def _json(record: Mapping[str, Value]) -> str:
    members = {
        name: moment_text(value) if isinstance(value, datetime) else value
        for name, value in record.items()
    }
    return json.dumps(members, cls=ExactEncoder, ensure_ascii=False)


def _csv(record: Mapping[str, Value]) -> str:
    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow([safe_cell(name) for name in record])
    writer.writerow([_cell(value) for value in record.values()])
    return lines.getvalue()


def _cell(value: Value) -> object:
    """A spreadsheet shows it, and calculates nothing of it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return moment_text(value)
    if isinstance(value, Decimal):
        return number_text(value)
    return value if isinstance(value, int) else safe_cell(_text(value))


def _text(value: str | list[object]) -> str:
    return value if isinstance(value, str) else json_text(value)
