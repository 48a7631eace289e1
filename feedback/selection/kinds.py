"""Kinds of fields: which qualifiers each takes, and what they mean in SQL.

A kind says the positive qualifiers; the negatives are their complements. What is
missing, of another type, or an empty text is empty, and meets no positive but
`is empty`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import reduce
from operator import or_
from typing import Any, ClassVar, cast

from django.core.exceptions import ValidationError
from django.db.models import F, Q
from django.db.models.expressions import Combinable, Func
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    In,
    IsNull,
    LessThan,
    LessThanOrEqual,
    Lookup,
    Regex,
)

from ..models.folded import Folded
from ..names import fold
from .folding import BeginsText, EndsText, HasText
from .qualifiers import Qualifier, Shape, complement
from .stored import IsListAt, StoredValue
from .values import (
    Interval,
    Span,
    day_of,
    read_day,
    read_moment,
    read_number,
    read_span,
    text_of,
)

# A column by its path, or an expression.
Column = str | Combinable | Func
_ORDER: dict[Qualifier, type[Lookup]] = {
    Qualifier.GREATER: GreaterThan,
    Qualifier.LESS: LessThan,
    Qualifier.AT_LEAST: GreaterThanOrEqual,
    Qualifier.AT_MOST: LessThanOrEqual,
}
_EMPTINESS = (Qualifier.IS_EMPTY, Qualifier.IS_NOT_EMPTY)


@dataclass(frozen=True)
class Moment:
    """When a condition is asked, and where the day begins then."""

    now: datetime
    zone: tzinfo


def expression(column: Column) -> Any:
    return F(column) if isinstance(column, str) else column


def any_of(conditions: Sequence[Q]) -> Q:
    return reduce(or_, conditions)


@dataclass(frozen=True)
class Kind:
    """Base of all kinds: `read` takes one value, `test` makes the Q of a positive."""

    name: ClassVar[str]
    qualifiers: ClassVar[tuple[Qualifier, ...]]

    def read(self, value: object, qualifier: Qualifier, zone: tzinfo) -> Any:
        """The value to compare with; raises ValidationError."""
        return text_of(value)

    def kept(self, value: object) -> object:
        """A value that was given, as the conditions of a filter keep it."""
        return value if isinstance(value, int) else text_of(value)

    def test(
        self, column: Column, qualifier: Qualifier, values: list[Any], at: Moment
    ) -> Q:
        raise NotImplementedError

    def shown(self, value: object) -> str:
        """What is stored, for people."""
        return "empty" if value in (None, "", []) else str(value)


class TextKind(Kind):
    name = "text"
    qualifiers: ClassVar[tuple[Qualifier, ...]] = (
        *(Qualifier.IS, Qualifier.IS_NOT, Qualifier.IS_ONE_OF),
        *(Qualifier.CONTAINS, Qualifier.DOES_NOT_CONTAIN),
        *(Qualifier.STARTS_WITH, Qualifier.ENDS_WITH, *_EMPTINESS),
    )

    def read(self, value: object, qualifier: Qualifier, zone: tzinfo) -> str:
        return read_text(value)

    def test(
        self, column: Column, qualifier: Qualifier, values: list[Any], at: Moment
    ) -> Q:
        text = expression(column)
        if qualifier == Qualifier.IS_EMPTY:
            return Q(IsNull(text, True)) | Q(Exact(text, ""))
        if qualifier in (Qualifier.IS, Qualifier.IS_ONE_OF):
            return Q(In(Folded(text), sorted({fold(each) for each in values})))
        return Q(text_lookup(qualifier)(text, values[0]))


def read_text(value: object) -> str:
    text = text_of(value)
    if not fold(text):  # Every text contains it.
        raise ValidationError("Give a text that can be seen.")
    return text


def text_lookup(qualifier: Qualifier) -> type[Lookup[Any]]:
    return _LOOKUPS[qualifier]


_LOOKUPS: dict[Qualifier, type[Lookup[Any]]] = {
    Qualifier.CONTAINS: HasText,
    Qualifier.STARTS_WITH: BeginsText,
    Qualifier.ENDS_WITH: EndsText,
}


class SearchKind(TextKind):
    """Several texts at once: it contains what one of them does."""

    name = "search"
    qualifiers = (Qualifier.CONTAINS, Qualifier.DOES_NOT_CONTAIN)


@dataclass(frozen=True)
class ChoiceKind(Kind):
    """One of the texts that are offered."""

    name = "choice"
    qualifiers = (Qualifier.IS, Qualifier.IS_NOT, Qualifier.IS_ONE_OF, *_EMPTINESS)
    choices: tuple[str, ...] = ()

    def read(self, value: object, qualifier: Qualifier, zone: tzinfo) -> str:
        text = text_of(value)
        if text in self.choices:
            return text
        named = fold(text)
        for choice in self.choices:
            if fold(choice) == named:
                return choice
        raise ValidationError(f"Give one of: {', '.join(self.choices)}.")

    def test(
        self, column: Column, qualifier: Qualifier, values: list[Any], at: Moment
    ) -> Q:
        text = expression(column)
        if qualifier == Qualifier.IS_EMPTY:
            return Q(IsNull(text, True)) | Q(Exact(text, ""))
        if isinstance(column, str):
            return Q(**{f"{column}__in": values})
        return Q(In(text, values))


class ChoicesKind(ChoiceKind):
    """Several of the texts that are offered, in a list."""

    name = "choices"
    qualifiers = (
        *(Qualifier.CONTAINS, Qualifier.DOES_NOT_CONTAIN, Qualifier.IS_ONE_OF),
        *_EMPTINESS,
    )

    def test(
        self, column: Column, qualifier: Qualifier, values: list[Any], at: Moment
    ) -> Q:
        items = cast(IsListAt, column)
        if qualifier == Qualifier.IS_EMPTY:
            return complement(Q(items))
        return any_of([Q(items.has(each)) for each in values])


class NumberKind(Kind):
    name = "number"
    qualifiers: ClassVar[tuple[Qualifier, ...]] = (
        *(Qualifier.IS, Qualifier.IS_NOT, Qualifier.IS_ONE_OF),
        *(Qualifier.GREATER, Qualifier.LESS, Qualifier.AT_LEAST, Qualifier.AT_MOST),
        *(Qualifier.BETWEEN, *_EMPTINESS),
    )

    def read(self, value: object, qualifier: Qualifier, zone: tzinfo) -> Any:
        return read_number(text_of(value))

    def test(
        self, column: Column, qualifier: Qualifier, values: list[Any], at: Moment
    ) -> Q:
        number = expression(column)
        if qualifier == Qualifier.IS_EMPTY:
            return Q(IsNull(number, True))
        return ordered(number, qualifier, values)


def ordered(column: Any, qualifier: Qualifier, values: list[Any]) -> Q:
    if qualifier == Qualifier.BETWEEN:
        low, high = values
        return Q(GreaterThanOrEqual(column, low)) & Q(LessThanOrEqual(column, high))
    if qualifier in _ORDER:
        return Q(_ORDER[qualifier](column, values[0]))
    return Q(In(column, values))


class WholeKind(NumberKind):
    """A whole number that is always there, such as a count."""

    name = "number"
    qualifiers = tuple(each for each in NumberKind.qualifiers if each not in _EMPTINESS)

    def read(self, value: object, qualifier: Qualifier, zone: tzinfo) -> int:
        number = number_in_whole(text_of(value))
        if number is None:
            raise ValidationError("Give a whole number, such as 10.")
        return number


class OptionalWholeKind(WholeKind):
    """A whole number of something that may be missing."""

    qualifiers = NumberKind.qualifiers


def number_in_whole(text: str) -> int | None:
    text = text.strip()
    digits = text.removeprefix("-")
    is_whole = digits.isascii() and digits.isdecimal() and len(digits) < 10
    return int(text) if is_whole else None


class TruthKind(Kind):
    """Yes or no; what is missing is no."""

    name = "truth"
    qualifiers = (Qualifier.YES, Qualifier.NO)

    def test(
        self, column: Column | Q, qualifier: Qualifier, values: list[Any], at: Moment
    ) -> Q:
        return column if isinstance(column, Q) else Q(expression(column))

    def shown(self, value: object) -> str:
        return "yes" if value is True else "no"


_SPANS = (Qualifier.IN_LAST, Qualifier.MORE_THAN_AGO)


class MomentKind(Kind):
    """A moment that is always there."""

    name = "moment"
    qualifiers = (
        *(Qualifier.AFTER, Qualifier.BEFORE, Qualifier.BETWEEN),
        *(*_SPANS, Qualifier.TODAY),
    )

    def read(self, value: object, qualifier: Qualifier, zone: tzinfo) -> Any:
        if qualifier.shape == Shape.SPAN:
            return read_span(text_of(value))
        return read_moment(text_of(value), zone)

    def test(
        self, column: Column, qualifier: Qualifier, values: list[Any], at: Moment
    ) -> Q:
        if qualifier == Qualifier.TODAY:
            values = [day_of(at.now.astimezone(at.zone).date(), at.zone)]
        return Q(**_moments(str(column), qualifier, values, at.now))


def _moments(
    path: str, qualifier: Qualifier, values: list[Any], now: datetime
) -> dict[str, datetime]:
    first = values[0]
    if isinstance(first, Span):
        since = now - first.length
        if qualifier == Qualifier.MORE_THAN_AGO:
            return {f"{path}__lt": since}
        return {f"{path}__gte": since, f"{path}__lte": now}
    if qualifier == Qualifier.AFTER:
        return {f"{path}__gte": first.start}
    if qualifier == Qualifier.BEFORE:
        return {f"{path}__lt": first.start}
    last: Interval = values[-1]
    within = "lte" if last.start == last.end else "lt"
    return {f"{path}__gte": first.start, f"{path}__{within}": last.end}


class DateKind(Kind):
    """A date, stored as JSON has it: a text, whose order is that of dates."""

    name = "date"
    qualifiers = (
        *(Qualifier.IS, Qualifier.IS_NOT, *MomentKind.qualifiers, *_EMPTINESS),
    )

    def read(self, value: object, qualifier: Qualifier, zone: tzinfo) -> Any:
        if qualifier.shape != Shape.SPAN:
            return read_day(text_of(value))
        span = read_span(text_of(value))
        if span.unit != "days":
            raise ValidationError("A date has no hours. Give days, such as '7 days'.")
        return span

    def test(
        self, column: Column, qualifier: Qualifier, values: list[Any], at: Moment
    ) -> Q:
        text = expression(column)
        is_date = Q(Regex(text, _DATE))
        if qualifier == Qualifier.IS_EMPTY:
            return complement(is_date)
        if qualifier in (Qualifier.IS, Qualifier.TODAY):
            today = at.now.astimezone(at.zone).date().isoformat()
            return Q(In(text, values or [today]))
        return is_date & _days(text, qualifier, values, at)


_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


def _days(text: StoredValue, qualifier: Qualifier, values: list[Any], at: Moment) -> Q:
    if isinstance(values[0], Span):
        today = at.now.astimezone(at.zone).date()
        edge = (today - values[0].length).isoformat()
        if qualifier == Qualifier.MORE_THAN_AGO:
            return Q(LessThan(text, edge))
        last = today.isoformat()
        return Q(GreaterThan(text, edge)) & Q(LessThanOrEqual(text, last))
    if qualifier == Qualifier.BETWEEN:
        return ordered(text, qualifier, values)
    lookup = GreaterThanOrEqual if qualifier == Qualifier.AFTER else LessThan
    return Q(lookup(text, values[0]))


@dataclass(frozen=True)
class RowKind(Kind):
    """One of the rows that the catalogue knows, by its key."""

    name = "row"
    qualifiers: ClassVar[tuple[Qualifier, ...]] = (
        Qualifier.IS,
        Qualifier.IS_NOT,
        Qualifier.IS_ONE_OF,
    )
    noun: str = "row"

    def read(self, value: object, qualifier: Qualifier, zone: tzinfo) -> int:
        number = number_in_whole(text_of(value))
        if number is None or number < 1:
            raise ValidationError(f"Give the number of a {self.noun}, such as 12.")
        return number

    def kept(self, value: object) -> object:
        return int(text_of(value))

    def test(
        self, column: Column, qualifier: Qualifier, values: list[Any], at: Moment
    ) -> Q:
        if qualifier == Qualifier.IS_EMPTY:
            return Q(**{f"{column}__isnull": True})
        return Q(**{f"{column}__in": sorted(set(values))})


class OptionalRowKind(RowKind):
    qualifiers = (*RowKind.qualifiers, *_EMPTINESS)
