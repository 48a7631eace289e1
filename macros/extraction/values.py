"""From what was found in an answer to a value of the type that was asked for."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

from .paths import Unfit

MAX_VALUE = 4_000
MAX_ITEMS = 100

# What PostgreSQL can't keep in JSON.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_NUMBER = re.compile(r"[+-]?\d{1,100}(\.\d{1,100})?([eE][+-]?\d{1,3})?")
_MAX_INTEGER = 10**100
# Seconds until the year 5138, so that more are milliseconds.
_MILLISECONDS = 100_000_000_000


class ValueType(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    LIST = "list"


def convert(value: Any, kind: ValueType) -> Any:
    """Raises Unfit."""
    return _CONVERTERS[kind](value)


def storable(text: str) -> str:
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _text(value: Any) -> str:
    if isinstance(value, str):
        if len(value) > MAX_VALUE:
            raise Unfit(f"is longer than {MAX_VALUE:,} characters")
        return storable(value)
    if isinstance(value, (bool, int, float)):
        return json.dumps(_finite(value))
    raise Unfit(f"is {_called(value)}, not a text")


def _number(value: Any) -> int | float:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        text = value.strip()
        value = int(text) if text.lstrip("+-").isdecimal() else float(text)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Unfit(f"is {_called(value)}, not a number")
    return _finite(value)


def _finite(value: int | float) -> int | float:
    if isinstance(value, float) and not math.isfinite(value):
        raise Unfit("is a number too large to be stored")
    if abs(value) >= _MAX_INTEGER:
        raise Unfit("is a number too large to be stored")
    return value


def _boolean(value: Any) -> bool:
    if isinstance(value, str):
        value = {"true": True, "false": False}.get(value.strip().lower(), value)
    if not isinstance(value, bool):
        raise Unfit(f"is {_called(value)}, not true or false")
    return value


def _date(value: Any) -> str:
    """As ISO 8601: a day as it is, a moment in UTC if its zone was given.

    Also read are numbers of seconds or milliseconds since 1970, and HTTP's own form.
    """
    if isinstance(value, str) and re.fullmatch(r"\d{9,13}(\.\d{1,9})?", value.strip()):
        value = float(value)
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            seconds = value / 1000 if abs(value) >= _MILLISECONDS else value
            return _moment(datetime.fromtimestamp(seconds, UTC))
        if isinstance(value, str):
            return _date_in(value.strip())
    except (ValueError, OverflowError, OSError):
        pass
    raise Unfit(f"is {_called(value)}, not a date")


def _date_in(text: str) -> str:
    try:
        if len(text) <= 10:
            return date.fromisoformat(text).isoformat()
        return _moment(datetime.fromisoformat(text))
    except ValueError:
        return _moment(parsedate_to_datetime(text))


def _moment(moment: datetime) -> str:
    known = moment.astimezone(UTC) if moment.tzinfo else moment
    return known.replace(microsecond=0).isoformat()


def _list(value: Any) -> list[Any]:
    items = value if isinstance(value, list) else [value]
    if len(items) > MAX_ITEMS:
        raise Unfit(f"has more than {MAX_ITEMS} items")
    made = [_item(item) for item in items]
    if len(json.dumps(made, ensure_ascii=False)) > MAX_VALUE:
        raise Unfit(f"is longer than {MAX_VALUE:,} characters")
    return made


def _item(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (int, float)):
        return _finite(value)
    raise Unfit(f"has {_called(value)} among its items")


def _called(value: Any) -> str:
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


_CONVERTERS: dict[ValueType, Callable[[Any], Any]] = {
    ValueType.TEXT: _text,
    ValueType.NUMBER: _number,
    ValueType.BOOLEAN: _boolean,
    ValueType.DATE: _date,
    ValueType.LIST: _list,
}
