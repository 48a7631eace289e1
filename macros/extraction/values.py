"""Values of a response, converted to the type that the author asked for."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from enum import StrEnum

from .budget import ExtractionError

MAX_VALUE = 4_000
MAX_ITEMS = 100

_NUMBER = re.compile(r"[+-]?\d{1,100}(\.\d{1,100})?([eE][+-]?\d{1,3})?")
_MAX_INTEGER = 10**100
_SECONDS = re.compile(r"\d{9,13}(\.\d{1,9})?")
# Characters of a date: the reader of HTTP's form takes its time over a long text.
_MAX_DATE = 100
_UTC = " UTC"
# Digits after the point, and characters of a number as it comes.
_MAX_EXPONENT = 150
_MAX_WRITTEN = 300
# Seconds until the year 5138, so that more are milliseconds.
_MILLISECONDS = 100_000_000_000


class ValueType(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    LIST = "list"


class Written(float):
    """A number of JSON and how it is written: a float to paths, exact when stored."""

    __slots__ = ("text",)

    def __new__(cls, text: str) -> Written:
        made = super().__new__(cls, text)
        made.text = text
        return made

    text: str


def convert(value: object, kind: ValueType) -> object:
    """The value as it is stored. Raises ExtractionError if it is of another type."""
    return _CONVERTERS[kind](value)


def _text(value: object) -> str:
    if isinstance(value, str):
        if len(value) > MAX_VALUE:
            raise ExtractionError(f"is longer than {MAX_VALUE:,} characters")
        return value
    if isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, (int, float)):
        number = _exact(value)
        return f"{number:f}" if isinstance(number, Decimal) else str(number)
    raise ExtractionError(f"is {_described(value)}, not a text")


def _number(value: object) -> int | Decimal:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        text = value.strip()
        value = int(text) if text.lstrip("+-").isdecimal() else Written(text)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ExtractionError(f"is {_described(value)}, not a number")
    return _exact(value)


def _exact(value: int | float) -> int | Decimal:
    """With all of its digits, which are few enough to be written without exponent."""
    # In this order: a long integer is no float.
    if abs(value) >= _MAX_INTEGER or not math.isfinite(value):
        raise ExtractionError("is a number too large to be stored")
    return value if isinstance(value, int) else _decimal(value)


def _decimal(value: float) -> Decimal:
    text = value.text if isinstance(value, Written) else repr(value)
    if len(text) <= _MAX_WRITTEN:
        exponent = Decimal(text).as_tuple().exponent
        if isinstance(exponent, int) and exponent >= -_MAX_EXPONENT:
            return Decimal(text)
    raise ExtractionError("is a number with more digits than can be stored")


def _boolean(value: object) -> bool:
    if isinstance(value, str):
        value = {"true": True, "false": False}.get(value.strip().lower(), value)
    if not isinstance(value, bool):
        raise ExtractionError(f"is {_described(value)}, not true or false")
    return value


def _date(value: object) -> str:
    """As ISO 8601: a day as it is, a moment in UTC if its zone is given.

    Seconds or milliseconds since 1970 and HTTP's own form are read too.
    """
    moment = moment_in(value)
    if isinstance(moment, datetime):
        moment = moment.replace(microsecond=0)
    return moment.isoformat()


def moment_in(value: object) -> date:
    """A day, or a moment: in UTC if its zone is given. Raises ExtractionError."""
    if isinstance(value, str) and _SECONDS.fullmatch(value.strip()):
        value = float(value)
    try:
        if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
            seconds = float(value)
            if abs(seconds) >= _MILLISECONDS:
                seconds /= 1000
            return datetime.fromtimestamp(seconds, UTC)
        if isinstance(value, str) and len(value) <= _MAX_DATE:
            return _date_in(value.strip())
    except (ValueError, OverflowError, OSError):
        pass
    raise ExtractionError(f"is {_described(value)}, not a date")


def _date_in(text: str) -> date:
    if len(text) <= 10:
        with suppress(ValueError):
            return date.fromisoformat(text)
    # Ruby, and so GitLab, writes `2026-11-23 14:05:00 UTC`.
    is_utc = text.endswith(_UTC)
    try:
        moment = datetime.fromisoformat(text.removesuffix(_UTC) + "Z" * is_utc)
    except ValueError:
        moment = parsedate_to_datetime(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment


def _list(value: object) -> list[object]:
    items = value if isinstance(value, list) else [value]
    if len(items) > MAX_ITEMS:
        raise ExtractionError(f"has more than {MAX_ITEMS} items")
    converted = [_item(item) for item in items]
    if len(json.dumps(converted, ensure_ascii=False, default=str)) > MAX_VALUE:
        raise ExtractionError(f"is longer than {MAX_VALUE:,} characters")
    return converted


def _item(value: object) -> object:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return _exact(value)
    raise ExtractionError(f"has {_described(value)} among its items")


def _described(value: object) -> str:
    if isinstance(value, str):
        shown = value if len(value) <= 60 else f"{value[:60]}…"
        return f"'{shown}'"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return "a number"
    return "an object" if isinstance(value, Mapping) else "a list"


_CONVERTERS: dict[ValueType, Callable[[object], object]] = {
    ValueType.TEXT: _text,
    ValueType.NUMBER: _number,
    ValueType.BOOLEAN: _boolean,
    ValueType.DATE: _date,
    ValueType.LIST: _list,
}
