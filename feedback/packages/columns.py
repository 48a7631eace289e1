"""The columns that packages may have, by the names that conditions know them by.

A column's name and type are chosen once and kept: a question that is renamed keeps its
key, and one that is asked as another kind is a problem that the package names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import F
from django.db.models.functions import Coalesce

from ..forms import PREFIX
from ..models import FormField
from ..names import did_you_mean
from ..selection.answers import kind_of
from ..selection.catalogue import Catalogue
from ..selection.external import EXTERNAL_PREFIX, is_name, spellings
from ..selection.fields import AnswerField, Field, SearchField
from .stored import AT, AnyTextAt
from .values import READ, ColumnType, Value, any_text

FORM, EXTERNAL = "Form", "External data"
# A package with more is no table that people read.
MAX_COLUMNS = 200
EXTERNAL_TYPES = (
    ColumnType.TEXT,
    ColumnType.NUMBER,
    ColumnType.BOOLEAN,
    ColumnType.DATE,
    ColumnType.LIST,
)
_TYPES: dict[str, ColumnType] = {
    "text": ColumnType.TEXT,
    "choice": ColumnType.TEXT,
    "row": ColumnType.TEXT,
    "number": ColumnType.NUMBER,
    "truth": ColumnType.BOOLEAN,
    "date": ColumnType.DATE,
    "moment": ColumnType.MOMENT,
    "choices": ColumnType.LIST,
}


@dataclass(frozen=True)
class Column:
    """`expression` is its value in SQL: of its type, or NULL.

    A date is a text there, and a list its JSON. What Python makes of the row it reads
    from `source`, by `read`. `field` is how conditions compare it, where they do.
    """

    name: str
    label: str
    group: str
    type: ColumnType
    expression: Any
    source: Any = None
    read: Callable[[Any], Value] | None = None
    field: Field | None = None

    def value_in(self, stored: Any) -> Value:
        return (self.read or READ[self.type])(stored)

    @property
    def kept(self) -> dict[str, str]:
        """As a package keeps it."""
        return {"name": self.name, "type": str(self.type)}


def plain(
    name: str, label: str, group: str, kind: ColumnType, column: Any, **more: Any
) -> Column:
    """A column of the row itself, or of one that it points at."""
    expression = F(column) if isinstance(column, str) else column
    return Column(name, label, group, kind, expression, **more)


def from_field(field: Field, group: str) -> Column:
    """A field that conditions know too."""
    shown = field.shown if field.shown is not None else field.column
    kind = _TYPES[field.kind.name]
    if kind == ColumnType.NUMBER:  # Only answers have a fraction.
        kind = ColumnType.INTEGER
    return plain(field.name, field.label, group, kind, shown, field=field)


@dataclass(frozen=True)
class ColumnCatalogue:
    """All columns that there are for the rows of one owner."""

    fixed: dict[str, Column]
    catalogue: Catalogue | None = None

    @cached_property
    def answers(self) -> dict[str, list[Column]]:
        """One column for each type in which a question of the key is asked."""
        fields = self.catalogue.answers.values() if self.catalogue else ()
        return {each.name: list(_answers(each)) for each in fields}

    @property
    def columns(self) -> Iterator[Column]:
        """All but external data, whose names nobody knows beforehand."""
        yield from self.fixed.values()
        for each in self.answers.values():
            yield from each

    def find(self, name: str, kind: str = "") -> Column | None:
        """Without a type, of the first that it may have."""
        for each in self._named(name):
            if kind in ("", each.type):
                return each
        return None

    def problem(self, name: str, kind: str = "") -> str:
        """Why there is no such column."""
        named = list(self._named(name))
        if named:
            types = " or ".join(each.type.label.lower() for each in named)
            was = _label(kind)
            return f"'{named[0].label}' is now of the type {types}, and was {was}."
        if name.startswith(PREFIX):
            return f"No form has this field any more.{self._nearest(name)}"
        return f"There is no such column.{self._nearest(name)}"

    def _named(self, name: str) -> Iterator[Column]:
        if name in self.fixed:
            yield self.fixed[name]
        yield from self.answers.get(name, ())
        external = name.removeprefix(EXTERNAL_PREFIX)
        if self.catalogue and external != name and is_name(external):
            field = self.catalogue.find(name)
            yield from (_external(external, kind, field) for kind in EXTERNAL_TYPES)

    def _nearest(self, name: str) -> str:
        return did_you_mean(name, [each.name for each in self.columns])


def _label(kind: str) -> str:
    return ColumnType(kind).label.lower() if kind in ColumnType else "another"


def _answers(field: Field) -> Iterator[Column]:
    assert isinstance(field, AnswerField)  # noqa: S101 - as the catalogue makes them
    key = field.name.removeprefix(PREFIX)
    for kind in dict.fromkeys(_TYPES[part.kind.name] for part in field.parts):
        yield Column(
            name=field.name,
            label=field.label,
            group=FORM,
            type=kind,
            expression=AT[kind]("form_values", key),
            source="form_values",
            read=_picked([key], READ[kind]),
            field=field,
        )


def _external(name: str, kind: ColumnType, field: Field | None) -> Column:
    is_text = kind == ColumnType.TEXT
    at = AnyTextAt if is_text else AT[kind]
    keys = spellings(name)
    every = [at("external_data", key) for key in keys]
    return Column(
        name=EXTERNAL_PREFIX + name,
        label=name,
        group=EXTERNAL,
        type=kind,
        expression=every[0] if len(every) == 1 else Coalesce(*every),
        source="external_data",
        read=_picked(keys, any_text if is_text else READ[kind]),
        field=field,
    )


def _picked(keys: list[str], read: Callable[[Any], Value]) -> Callable[[Any], Value]:
    """The first value that is stored under one of the keys."""

    def pick(stored: Any) -> Value:
        values = (read(stored.get(key)) for key in keys)
        return next((each for each in values if each is not None), None)

    return pick


def type_of(question: FormField) -> ColumnType:
    """What its column has, where no other type asks the same as another kind."""
    return _TYPES[kind_of(question).name]


def from_catalogue(catalogue: Catalogue, group: str) -> Iterator[Column]:
    """Every field of its own that has a value; a search has none."""
    for field in catalogue.own.values():
        if not isinstance(field, SearchField) and _has_value(field):
            is_submitters = field.name.startswith("submitter_")
            yield from_field(field, "Submitter" if is_submitters else group)


def _has_value(field: Field) -> bool:
    return field.shown is not None or field.column is not None
