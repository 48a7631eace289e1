"""What a row says under the names that conditions have, and when two say the same."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

from django.db.models import Model

from ..texts import lines, lines_in

# Values of columns, by the attributes they have on a row.
Values = dict[str, Any]
Facts = dict[str, object]

_FRACTIONS = (float, Decimal)
_AS_IS = frozenset({str, int, bool, type(None)})


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key that is announced as a column of the row it leads to."""

    name: str
    column: str
    # Under which its key is announced as well.
    key_name: str = ""


@dataclass(frozen=True, slots=True)
class Announced:
    """Which columns of a model are announced, and under which names.

    Each key of the parsed JSON in `answers` and in `values` has a name of its own that
    begins as it says. A blank answer is none; another value is what it is.
    """

    plain: tuple[str, ...]
    references: Mapping[str, Reference] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    # Where it stands when a row was modified, and what does not modify it.
    modified: str = ""
    unmodifying: tuple[str, ...] = ()
    # Nothing is announced of a row in which this is filled.
    hushed: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.plain, *self.references, *self.answers, *self.values)

    @property
    def always_read(self) -> tuple[str, ...]:
        return (self.hushed,) if self.hushed else ()

    def is_hushed(self, values: Values) -> bool:
        return bool(self.hushed and values.get(self.hushed))

    def concerns(self, written: Values, stored: Values) -> bool:
        """Whether something of what is written to a row is announced."""
        return bool({*self.columns} & written.keys()) and not self.is_hushed(stored)

    def as_stored(self, model: type[Model], column: str, value: Any) -> Any:
        """A value as the database will give it back."""
        if isinstance(value, str):
            return lines(str(value))
        if isinstance(value, dict | list):
            stored = parsed(value, model._meta.get_field(column))
            return lines_in(stored) if column in self.answers else stored
        return value

    def facts(self, column: str, value: Any) -> Facts:
        """What one column says; a reference by its key, under the column's name."""
        if prefix := self.values.get(column):
            return {f"{prefix}{key}": each for key, each in (value or {}).items()}
        if prefix := self.answers.get(column):
            return {f"{prefix}{key}": each for key, each in _given(value).items()}
        return {column: value} if _is_given(value) else {}

    def is_same(self, column: str, stored: Any, given: Any) -> bool:
        if column in self.values or column not in self.columns:
            return same(stored, given)
        if column in self.answers:
            before, after = _given(stored), _given(given)
            return before.keys() == after.keys() and all(
                _same_answer(before[key], after[key]) for key in before
            )
        return _same_answer(stored, given)

    def differing(self, before: Values, after: Values) -> tuple[Facts, Facts]:
        """The facts that are not the same, of the columns that are in `after`."""
        was: Facts = {}
        is_now: Facts = {}
        for column in self.columns:
            if column not in after:
                continue
            old = self.facts(column, before.get(column))
            new = self.facts(column, after[column])
            alike = same if column in self.values else _same_answer
            for name in old.keys() & new.keys():
                if alike(old[name], new[name]):
                    del old[name], new[name]
            was |= old
            is_now |= new
        return was, is_now

    def column_of(self, name: str) -> str:
        """The column that says a fact."""
        for column, reference in self.references.items():
            if name in (reference.name, reference.key_name):
                return column
        for column, prefix in {**self.answers, **self.values}.items():
            if name.startswith(prefix):
                return column
        return name


class HasFacts(Model):
    """A model that says what of it is announced."""

    announced: ClassVar[Announced]

    class Meta:
        abstract = True


def parsed(value: Any, field: Any) -> Any:
    """What a JSON column gives back: numbers that are not whole as Decimals."""
    try:
        return _as_read(value)
    except TypeError:
        return json.loads(json.dumps(value, cls=field.encoder), cls=field.decoder)


def _as_read(value: Any) -> Any:
    """The same for plain JSON, at a fifth of what it costs to write and read it.

    Raises TypeError for what is not plain.
    """
    kind = type(value)
    if kind in _AS_IS:
        return value
    if kind is dict and all(type(key) is str for key in value):
        return {key: _as_read(each) for key, each in value.items()}
    if kind is list:
        return [_as_read(each) for each in value]
    raise TypeError


def same(one: Any, other: Any) -> bool:
    """As JSON has it: 1, 1.5 and true are of three types, a float is a Decimal."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            same(one[key], other[key]) for key in one
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, str) and isinstance(other, str):
        return one == other
    if isinstance(one, _FRACTIONS) and isinstance(other, _FRACTIONS):
        return Decimal(str(one)) == Decimal(str(other))
    return type(one) is type(other) and bool(one == other)


def _same_answer(one: Any, other: Any) -> bool:
    """A text that was stored with other line ends is the same text."""
    if isinstance(one, str) and isinstance(other, str):
        return lines(one) == lines(other)
    return same(one, other)


def _given(answers: Mapping[str, Any] | None) -> Facts:
    return {key: each for key, each in (answers or {}).items() if _is_given(each)}


def _is_given(value: object) -> bool:
    return not (value is None or value == "" or value == [])


def keys_in(rows: Iterable[Facts], column: str) -> set[Any]:
    return {values[column] for values in rows if values.get(column) is not None}
