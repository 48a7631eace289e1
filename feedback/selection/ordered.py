"""Kinds of fields whose values are in order: numbers, moments and dates."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any, ClassVar, cast

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.db.models.lookups import (
    GreaterThan,
    GreaterThanOrEqual,
    In,
    IsNull,
    LessThan,
    LessThanOrEqual,
    Lookup,
    Regex,
)

from .kinds import EMPTINESS, Column, Kind, Moment, expression
from .qualifiers import Qualifier, Shape, complement
from .stored import StoredValue
from .values import (
    Interval,
    Span,
    day_of,
    read_day,
    read_moment,
    read_number,
    read_span,
    text_of,
    whole_in,
)

_ORDER: dict[Qualifier, type[Lookup]] = {
    Qualifier.GREATER: GreaterThan,
    Qualifier.LESS: LessThan,
    Qualifier.AT_LEAST: GreaterThanOrEqual,
    Qualifier.AT_MOST: LessThanOrEqual,
}


class NumberKind(Kind):
    name = "number"
    qualifiers: ClassVar[tuple[Qualifier, ...]] = (
        *(Qualifier.IS, Qualifier.IS_NOT, Qualifier.IS_ONE_OF),
        *(Qualifier.GREATER, Qualifier.LESS, Qualifier.AT_LEAST, Qualifier.AT_MOST),
        *(Qualifier.BETWEEN, *EMPTINESS),
    )

    def read(self, value: object, qualifier: Qualifier, zone: tzinfo) -> Any:
        return read_number(text_of(value))

    def kept(self, value: object, read: Any) -> object:
        return read if isinstance(read, int) else text_of(value)

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
    qualifiers = tuple(each for each in NumberKind.qualifiers if each not in EMPTINESS)

    def read(self, value: object, qualifier: Qualifier, zone: tzinfo) -> int:
        number = whole_in(text_of(value))
        if number is None:
            raise ValidationError("Give a whole number, such as 10.")
        return number


class OptionalWholeKind(WholeKind):
    """A whole number of something that may be missing."""

    qualifiers = NumberKind.qualifiers


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

    def shown(self, value: object, zone: tzinfo) -> str:
        return f"{cast(datetime, value).astimezone(zone):%Y-%m-%d %H:%M %Z}"


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
        *(Qualifier.IS, Qualifier.IS_NOT, *MomentKind.qualifiers, *EMPTINESS),
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
