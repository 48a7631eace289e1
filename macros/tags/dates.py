"""The filter `date`: a strftime format and, after @, a time zone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from zoneinfo import ZoneInfo, available_timezones

from .arguments import whole
from .errors import BadArgument, ValueRefused
from .names import nearest

_DIRECTIVE = re.compile(r"%(-?[A-Za-z%]?)")
# Those Python documents, F and T, and the hyphen that drops a leading zero; what else
# the C library knows differs between systems.
_KNOWN = frozenset("aAbBcdfFGHIjmMpSTuUVwWxXyYzZ%") | {
    "-d", "-m", "-H", "-I", "-M", "-S", "-j",
}  # fmt: skip
_ANY_DAY = datetime(2026, 3, 4, 5, 6, 7)


def build_date(argument: str, kind: str) -> Callable[[object], object]:
    """Raises BadArgument if the format or the time zone is unknown."""
    pattern, zone = _split_zone(argument.strip())
    _check(pattern)

    def apply(value: object) -> object:
        if value is None or value == "":
            return value
        moment = _moment(value)
        try:
            if zone is not None and isinstance(moment, datetime) and moment.tzinfo:
                moment = moment.astimezone(zone)
            return moment.strftime(pattern)
        except (ValueError, OverflowError):
            raise ValueRefused("is a date that the filter date cannot write") from None

    return apply


def _split_zone(argument: str) -> tuple[str, ZoneInfo | None]:
    unquoted = whole(argument)
    pattern, at, name = unquoted.rpartition("@")
    # Inside a format: `%d @ %H`.
    if not at or "%" in name:
        return unquoted, None
    return whole(pattern.rstrip()), _zone(name.strip())


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        similar = nearest(name, available_timezones())
        raise BadArgument(f"unknown time zone '{name}'", similar) from None


def _check(pattern: str) -> None:
    # The C library ends the text at a NUL.
    if not pattern.isprintable():
        raise BadArgument("a date format may hold no control characters")
    if not pattern.strip():
        raise BadArgument("the filter date needs a format, as in date:%d.%m.%Y")
    for directive in _DIRECTIVE.finditer(pattern):
        if not directive[1]:
            raise BadArgument("a % in a date format needs a letter; write %% for %")
        if directive[1] not in _KNOWN:
            raise BadArgument(f"'{directive[0]}' means nothing in a date format")
    try:
        _ANY_DAY.strftime(pattern)
    except ValueError:
        raise BadArgument("this date format cannot be written") from None


def _moment(value: object) -> date:
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        text = value.strip()
        try:
            if len(text) == len("2026-03-04"):
                return date.fromisoformat(text)
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    raise ValueRefused("is not a date, so the filter date cannot write it")
