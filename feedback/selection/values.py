"""Values of conditions as they are read: each is checked, and refused by a sentence."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_datetime

from ..models.numbers import written
from .stored import MAX_DECIMAL, MAX_WHOLE

MAX_LENGTH = 500
# As JSON writes them (RFC 8259, section 6).
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SPAN = re.compile(r"([0-9]{1,4}) ?(day|hour)s?")
# Beyond, databases can't shift a moment from one time zone to another.
_YEARS = range(1900, 9001)
WRONG_MOMENT = (
    "Give a date or a moment as in ISO 8601: 2026-11-23,"
    " 2026-11-23T09:30:00Z. In a URL, write + as %2B."
)


class Interval(NamedTuple):
    """A moment, or a whole day; the end is not part of it."""

    start: datetime
    end: datetime


class Span(NamedTuple):
    length: timedelta
    unit: str


def text_of(value: object) -> str:
    """The text that a plain value of JSON is compared as."""
    if isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int) and abs(value) <= MAX_WHOLE:
        return str(value)
    if isinstance(value, Decimal) and value.is_finite() and abs(value) <= MAX_DECIMAL:
        return written(value)[:MAX_LENGTH]
    if isinstance(value, float) and math.isfinite(value):
        return text_of(Decimal(repr(value)))
    if not isinstance(value, str):
        raise ValidationError("Give a text, a number, true or false.")
    return _checked(value)


def _checked(text: str) -> str:
    if len(text) > MAX_LENGTH:
        raise ValidationError(f"Give at most {MAX_LENGTH} letters, not {len(text):,}.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValidationError("There is half a character in it.") from None
    if "\0" in text:
        raise ValidationError("There is a character that no text can have.")
    if not text:
        raise ValidationError("Give a value; for none, use 'is empty'.")
    return text


def number_in(text: str) -> int | Decimal | None:
    """The number that a text writes as JSON does, if both databases compare it."""
    if not _NUMBER.fullmatch(text):
        return None
    try:
        number = int(text)
    except ValueError:
        decimal = float(text)
        if abs(decimal) > MAX_DECIMAL:
            return None
        # What is too small for a float would be written with zeros without end.
        return Decimal(text) if decimal else 0
    return number if abs(number) <= MAX_WHOLE else None


def read_number(text: str) -> int | Decimal:
    number = number_in(text.strip())
    if number is None:
        raise ValidationError("Give a number, such as 10 or 2.5.")
    return number


def whole_in(text: str) -> int | None:
    text = text.strip()
    digits = text.removeprefix("-")
    is_whole = digits.isascii() and digits.isdecimal() and len(digits) < 10
    return int(text) if is_whole else None


def read_moment(text: str, zone: tzinfo) -> Interval:
    """A moment without a zone, and a day's beginning, are of the zone.

    A moment that a clock skips is read as if it had not been set forward yet; of one
    that comes twice, the first.
    """
    text = text.strip()
    try:
        moment = parse_datetime(text) if _MOMENT.fullmatch(text) else None
    except ValueError:
        moment = None
    if moment is None or moment.year not in _YEARS:
        raise ValidationError(WRONG_MOMENT)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone, fold=0)
    if _DAY.fullmatch(text):
        return day_of(moment.date(), zone)
    # PostgreSQL takes offsets below 16 hours only, and ISO 8601 has them up to 24.
    moment = moment.astimezone(UTC)
    return Interval(moment, moment)


def day_of(day: date, zone: tzinfo) -> Interval:
    midnight = datetime.combine(day, time(), zone)
    return Interval(midnight, datetime.combine(day + timedelta(1), time(), zone))


def read_day(text: str) -> str:
    """A date as it is stored."""
    text = text.strip()
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        raise ValidationError("Give a date as in ISO 8601, such as 2026-11-23.")
    return day.isoformat()


def read_span(text: str) -> Span:
    match = _SPAN.fullmatch(text.strip())
    if match is None or not int(match[1]):
        raise ValidationError("Give a time such as '7 days' or '12 hours'.")
    unit = match[2] + "s"
    return Span(timedelta(**{unit: int(match[1])}), unit)
