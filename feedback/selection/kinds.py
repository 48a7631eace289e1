"""Kinds of fields: which qualifiers each takes, and what they mean in SQL.

A kind says the positive qualifiers; the negatives are their complements. What is
missing, of another type, or an empty text is empty, and meets no positive but
`is empty`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any, ClassVar, cast

from django.core.exceptions import ValidationError
from django.db.models import F, Q
from django.db.models.expressions import Combinable, Func
from django.db.models.lookups import Exact, In, IsNull, Lookup

from ..models.folded import Folded
from ..models.numbers import ExactEncoder, written
from ..names import fold
from .folding import BeginsText, EndsText, HasText
from .qualifiers import Qualifier, complement
from .stored import IsListAt, IsTrueAt, StoredValue, is_held
from .values import text_of, whole_in

# A column by its path, or an expression.
Column = str | Combinable | Func
_MAX_SHOWN = 100
EMPTINESS = (Qualifier.IS_EMPTY, Qualifier.IS_NOT_EMPTY)


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

    def kept(self, value: object, read: Any) -> object:
        """A value that was given and read, as the conditions of a filter keep it."""
        return value if isinstance(value, int) else text_of(value)

    def test(
        self, column: Column, qualifier: Qualifier, values: list[Any], at: Moment
    ) -> Q:
        raise NotImplementedError

    def shown(self, value: object, zone: tzinfo) -> str:
        """What is stored, for people."""
        if value in (None, "", []):
            return "empty"
        if isinstance(value, list):
            value = ", ".join(map(str, value))
        if isinstance(value, Decimal):
            return written(value)
        plain = json.dumps(value, cls=ExactEncoder, ensure_ascii=False)
        shown = value if isinstance(value, str) else plain
        return f"{shown[:_MAX_SHOWN]}..." if len(shown) > _MAX_SHOWN else shown


class TextKind(Kind):
    name = "text"
    qualifiers: ClassVar[tuple[Qualifier, ...]] = (
        *(Qualifier.IS, Qualifier.IS_NOT, Qualifier.IS_ONE_OF),
        *(Qualifier.CONTAINS, Qualifier.DOES_NOT_CONTAIN),
        *(Qualifier.STARTS_WITH, Qualifier.ENDS_WITH, *EMPTINESS),
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
    qualifiers = (Qualifier.IS, Qualifier.IS_NOT, Qualifier.IS_ONE_OF, *EMPTINESS)
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

    def kept(self, value: object, read: Any) -> object:
        return read

    def test(
        self, column: Column, qualifier: Qualifier, values: list[Any], at: Moment
    ) -> Q:
        text = expression(column)
        if qualifier == Qualifier.IS_EMPTY:
            return Q(IsNull(text, True)) | Q(Exact(text, ""))
        if isinstance(column, str):
            return Q(**{f"{column}__in": values})
        if isinstance(column, StoredValue):
            held = [is_held(column, each) for each in values]
            if indexed := [each for each in held if each is not None]:
                return any_of(indexed)
        return Q(In(text, values))


class ChoicesKind(ChoiceKind):
    """Several of the texts that are offered, in a list."""

    name = "choices"
    qualifiers = (
        *(Qualifier.CONTAINS, Qualifier.DOES_NOT_CONTAIN, Qualifier.IS_ONE_OF),
        *EMPTINESS,
    )

    def test(
        self, column: Column, qualifier: Qualifier, values: list[Any], at: Moment
    ) -> Q:
        items = cast(IsListAt, column)
        if qualifier == Qualifier.IS_EMPTY:
            return complement(Q(items))
        return any_of([items.has(each) for each in values])


class TruthKind(Kind):
    """Yes or no; what is missing is no."""

    name = "truth"
    qualifiers = (Qualifier.YES, Qualifier.NO)

    def test(
        self, column: Column | Q, qualifier: Qualifier, values: list[Any], at: Moment
    ) -> Q:
        if isinstance(column, Q):
            return column
        ticked = is_held(column, True) if isinstance(column, IsTrueAt) else None
        return ticked or Q(expression(column))

    def shown(self, value: object, zone: tzinfo) -> str:
        return "yes" if value is True else "no"


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
        number = whole_in(text_of(value))
        if number is None or number < 1:
            raise ValidationError(f"Give the number of a {self.noun}, such as 12.")
        return number

    def kept(self, value: object, read: Any) -> object:
        return read

    def test(
        self, column: Column, qualifier: Qualifier, values: list[Any], at: Moment
    ) -> Q:
        if qualifier == Qualifier.IS_EMPTY:
            return Q(**{f"{column}__isnull": True})
        return Q(**{f"{column}__in": sorted(set(values))})


class OptionalRowKind(RowKind):
    qualifiers = (*RowKind.qualifiers, *EMPTINESS)
