"""The values of packages: one form for each, on both databases and in every format.

PostgreSQL writes CSV and NDJSON itself. What Python makes of the same row is the same
to the letter, so that nobody can tell from a file which of them wrote it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db.models import TextChoices

# Text, whole number, exact number, truth, a date as in ISO 8601, a moment in UTC, a
# list of texts; None is no value.
Value = str | int | Decimal | bool | datetime | list[Any] | None


class ColumnType(TextChoices):
    TEXT = "text", "Text"
    INTEGER = "integer", "Whole number"
    NUMBER = "number", "Number"
    BOOLEAN = "boolean", "Yes or no"
    DATE = "date", "Date"
    MOMENT = "moment", "Date and time"
    LIST = "list", "List of texts"


# A day of the calendar, with its leap years; no database needs to try it out.
DATE = (
    "^(?!0000)([0-9][0-9][0-9][0-9]-("
    "(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])"
    "|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    "|02-(0[1-9]|1[0-9]|2[0-8]))"
    "|([0-9][0-9](0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)$"
)
_DATE = re.compile(DATE.replace("$", r"\Z"))
_MOMENT = "%Y-%m-%dT%H:%M:%S.%fZ"


def json_text(value: Any) -> str:
    """A value of JSON as PostgreSQL writes `jsonb`: exact, in its order of keys."""
    if isinstance(value, Decimal):
        return number_text(value)
    if isinstance(value, list):
        return f"[{', '.join(map(json_text, value))}]"
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        pairs = (f"{json_text(key)}: {json_text(value[key])}" for key in keys)
        return f"{{{', '.join(pairs)}}}"
    return json.dumps(value, ensure_ascii=False)


def number_text(value: Decimal | float) -> str:
    """As PostgreSQL writes `numeric`: all digits that were stored, and no exponent."""
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    return f"{exact:f}" if exact else f"{abs(exact):f}"


def moment_text(value: datetime) -> str:
    return value.astimezone(UTC).strftime(_MOMENT).zfill(27)


def _text(value: Any) -> Value:
    return value if isinstance(value, str) else None


def _integer(value: Any) -> Value:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if is_whole else None


def _number(value: Any) -> Value:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return Decimal(number_text(value)) if isinstance(value, float) else value


def _boolean(value: Any) -> Value:
    return value if isinstance(value, bool) else None


def _date(value: Any) -> Value:
    return value if isinstance(value, str) and _DATE.match(value) else None


def _moment(value: Any) -> Value:
    return value.astimezone(UTC) if isinstance(value, datetime) else None


def _list(value: Any) -> Value:
    return value if isinstance(value, list) and value else None


# What is of another type counts as missing.
READ: dict[str, Callable[[Any], Value]] = {
    ColumnType.TEXT: _text,
    ColumnType.INTEGER: _integer,
    ColumnType.NUMBER: _number,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.DATE: _date,
    ColumnType.MOMENT: _moment,
    ColumnType.LIST: _list,
}


def any_text(value: Any) -> Value:
    """Whatever JSON has there, as a text; null is no value."""
    if value is None or isinstance(value, str):
        return value
    return json_text(value)
