"""What a condition compares: a field, or what a function makes of one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from django.db.models import IntegerField, TextField
from django.db.models.functions import (
    Cast,
    ExtractDay,
    ExtractHour,
    ExtractMinute,
    ExtractMonth,
    ExtractSecond,
    ExtractYear,
    Length,
    Substr,
    TruncDate,
)

from ..models.folded import Folded
from ..names import fold
from .errors import NotSupported, OptionRefused
from .tokens import FILTER, Plain

TEXT, INTEGER, NUMBER = "text", "integer", "number"
BOOLEAN, DATE, MOMENT, LIST = "boolean", "date", "moment", "list"
_DAY = "day"  # A date in SQL, where those of forms are texts there.
_PARTS: dict[str, Callable[..., Any]] = {
    "year": ExtractYear,
    "month": ExtractMonth,
    "day": ExtractDay,
    "hour": ExtractHour,
    "minute": ExtractMinute,
    "second": ExtractSecond,
}
# Where they are in a date as it is stored.
_IN_TEXT = {"year": (1, 4), "month": (6, 2), "day": (9, 2)}
_CASES: dict[str, Callable[[str], str]] = {"tolower": str.lower, "toupper": str.upper}
_WANTED = {
    TEXT: "a text such as 'New'",
    INTEGER: "a number such as 10",
    NUMBER: "a number such as 2.5",
    BOOLEAN: "true or false",
    DATE: "a date such as 2026-11-23",
    MOMENT: "a moment such as 2026-11-23T09:30:00Z",
    _DAY: "a date such as 2026-11-23",
}


class Nothing(Exception):
    """No value of the operand is like it."""


@dataclass(frozen=True)
class Operand:
    """`expression` is its value in SQL, `label` what people wrote.

    One that `is_there` is never null.
    """

    label: str
    type: str
    expression: Any
    case: Callable[[str], str] | None = None
    is_there: bool = False

    @property
    def compared(self) -> Any:
        return Folded(self.expression) if self.type == TEXT else self.expression

    def same(self, value: Plain) -> Any:
        """A value to look for. Raises OptionRefused, Nothing."""
        read = self.read(value)
        if isinstance(read, str) and self.type == TEXT:
            if self.case is not None and read != self.case(read):
                raise Nothing
            return fold(read)
        if isinstance(read, Decimal) and self.type == INTEGER:
            if read != read.to_integral_value():
                raise Nothing
            return int(read)
        return read

    def bound(self, value: Plain, *, is_lower: bool) -> Any:
        """A value to be above or below of. Raises OptionRefused."""
        read = self.read(value)
        if self.type == TEXT:
            return fold(str(read))
        if self.type == INTEGER and isinstance(read, Decimal):
            return math.ceil(read) if is_lower else math.floor(read)
        return read

    def read(self, value: Plain) -> Plain:
        """The value as one of the operand's type. Raises OptionRefused."""
        if self.type == LIST:
            raise OptionRefused(FILTER, f"'{self.label}' is a list: compare with null.")
        is_day = isinstance(value, date) and not isinstance(value, datetime)
        if self.type == MOMENT and isinstance(value, date) and is_day:
            return datetime.combine(value, time(), UTC)
        if self.type == DATE and isinstance(value, date) and is_day:
            return value.isoformat()
        fits = {
            TEXT: isinstance(value, str),
            INTEGER: isinstance(value, int | Decimal) and not isinstance(value, bool),
            NUMBER: isinstance(value, int | Decimal) and not isinstance(value, bool),
            BOOLEAN: isinstance(value, bool),
            MOMENT: isinstance(value, datetime),
            _DAY: is_day,
        }
        if not fits.get(self.type):
            problem = f"Compare '{self.label}' with {_WANTED[self.type]}."
            raise OptionRefused(FILTER, problem)
        return value

    def under(self, function: str) -> Operand:
        """What the function makes of it. Raises NotSupported, OptionRefused."""
        label = f"{function}({self.label})"
        if function in _CASES:
            self._must_be(function, TEXT)
            return Operand(label, TEXT, self.expression, _CASES[function])
        if function == "length":
            self._must_be(function, TEXT)
            return Operand(label, INTEGER, Length(self.expression))
        if function == "date":
            self._must_be(function, MOMENT)
            return Operand(label, _DAY, TruncDate(self.expression, tzinfo=UTC))
        if function in _PARTS:
            return Operand(label, INTEGER, self._part(function))
        raise NotSupported(FILTER, f"The function '{function[:60]}' is not supported.")

    def _part(self, function: str) -> Any:
        if self.type == DATE and function in _IN_TEXT:
            start, length = _IN_TEXT[function]
            part = Substr(self.expression, start, length, output_field=TextField())
            return Cast(part, IntegerField())
        self._must_be(function, MOMENT)
        return _PARTS[function](self.expression, tzinfo=UTC)

    def _must_be(self, function: str, type: str) -> None:
        if self.type != type:
            what = _WANTED[type].partition(" such")[0]
            problem = f"{function}() takes {what}, and '{self.label}' is none."
            raise OptionRefused(FILTER, problem)
