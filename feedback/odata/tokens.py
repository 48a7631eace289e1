"""The text of a `$filter` as tokens (OData 4.0, ABNF of part 2), within bounds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from django.utils.dateparse import parse_datetime

from ..selection.stored import MAX_DECIMAL, MAX_WHOLE
from .errors import NotSupported, OptionRefused

FILTER = "$filter"
MAX_LENGTH = 8_000
# What literals can be, and None for null.
Plain = str | int | Decimal | bool | date | datetime | None

_PATTERN = re.compile(
    r"""(?P<space>[ \t]+)
    |(?P<text>'[^']*+(?:''[^']*+)*+')
    |(?P<moment>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(?:Z|[+\- ][0-9]{2}:[0-9]{2}))
    |(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9A-Za-z-]))
    |(?P<number>-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![0-9A-Za-z_.-]))
    |(?P<name>[^\W\d]\w*)
    |(?P<mark>[(),/:])""",
    re.VERBOSE,
)
_WORDS: dict[str, Plain] = {"null": None, "true": True, "false": False}
# Literals of types that no field has.
_OTHER_LITERALS = re.compile(
    r"(?:duration|binary|geography|geometry)'|[0-9a-fA-F]{8}-|[0-9]{2}:[0-9]{2}"
)


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is `literal`, `name`, `mark`, or `end`; `at` counts letters from 1."""

    kind: str
    text: str
    at: int
    value: Plain = None


def tokens_of(text: str) -> list[Token]:
    """Raises OptionRefused, NotSupported."""
    if len(text) > MAX_LENGTH:
        problem = f"It has {len(text):,} letters: give at most {MAX_LENGTH:,}."
        raise OptionRefused(FILTER, problem)
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        problem = "There is a character in it that no text can have."
        raise OptionRefused(FILTER, problem)
    return [*_read(text), Token("end", "the end", len(text) + 1)]


def _read(text: str) -> Iterator[Token]:
    position = 0
    while position < len(text):
        match = _PATTERN.match(text, position)
        if match is None or _OTHER_LITERALS.match(text, position):
            raise _unreadable(text, position)
        kind, part, at = str(match.lastgroup), match[0], position + 1
        position = match.end()
        if kind in ("name", "mark") and part not in _WORDS:
            yield Token(kind, part, at)
        elif kind != "space":
            yield Token("literal", part, at, _value(kind, part, at))


def _unreadable(text: str, position: int) -> OptionRefused:
    if literal := _OTHER_LITERALS.match(text, position):
        problem = f"A literal such as '{literal[0]}' at letter {position + 1} is none"
        return NotSupported(FILTER, f"{problem} of the types of these fields.")
    if text[position] == "'":
        problem = f"The text that begins at letter {position + 1} has no end."
    else:
        problem = f"Letter {position + 1}, {text[position]!a}, is not understood."
    return OptionRefused(FILTER, problem)


def _value(kind: str, part: str, at: int) -> Plain:
    if kind == "text":
        return part[1:-1].replace("''", "'")
    if kind == "name":
        return _WORDS[part]
    value = _number(part) if kind == "number" else _day_or_moment(kind, part)
    if value is None:
        problem = f"'{part[:60]}' at letter {at} is no {kind} that can be compared."
        raise OptionRefused(FILTER, problem)
    return value


def _number(part: str) -> int | Decimal | None:
    if part.lstrip("-").isdigit():
        whole = int(part) if len(part) < 21 else MAX_WHOLE + 1
        return whole if abs(whole) <= MAX_WHOLE else None
    number = Decimal(part)
    is_small = abs(number) <= MAX_DECIMAL if number.adjusted() < 20 else False
    # Its digits are written out when it is compared.
    return number if is_small and number.adjusted() > -30 else None


def _day_or_moment(kind: str, part: str) -> date | datetime | None:
    try:
        if kind == "date":
            return date.fromisoformat(part)
        # A + that was not encoded arrives as a space.
        moment = parse_datetime(part.replace(" ", "+"))
        return moment.astimezone(UTC) if moment else None
    except (ValueError, OverflowError):
        return None
