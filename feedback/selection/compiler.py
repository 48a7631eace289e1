"""Conditions as plain data, read by a catalogue and compiled to one Q.

Nothing is passed over: while one part is wrong, the whole selects nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q

from ..names import Hints
from .catalogue import Catalogue
from .fields import Field, Given
from .kinds import Moment
from .qualifiers import Qualifier, Shape, complement

# Each is looked at for every row.
MAX_CONDITIONS = 50
# Each value of a condition that takes several is looked up.
MAX_VALUES = 100
# No row is in it, on any model.
NOTHING = Q(pk__in=[])
_MATCH = {"all": Q.AND, "any": Q.OR}


@dataclass(frozen=True)
class Problem:
    """What is wrong with a part of the conditions, such as `conditions[2].value`."""

    path: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}: {self.sentence}"


@dataclass(frozen=True)
class Condition:
    field: Field
    qualifier: Qualifier
    given: Given

    def q(self, at: Moment) -> Q:
        positive = self.qualifier.positive
        test = self.field.test(positive, self.given.compared, at)
        return test if positive == self.qualifier else complement(test)

    @property
    def needs(self) -> str:
        """What it asks of the field, in words: `is one of New, Closed`."""
        words = self.given.words
        shape = self.qualifier.shape
        given = " and ".join(words) if shape == Shape.TWO else ", ".join(words)
        return f"{self.qualifier.label} {given}".strip()

    @property
    def words(self) -> str:
        return f"{self.field.label} {self.needs}"

    @property
    def kept(self) -> dict[str, object]:
        """As a filter keeps it."""
        plain: dict[str, object] = {
            "field": self.field.name,
            "qualifier": str(self.qualifier),
        }
        shape, values = self.qualifier.shape, self.given.kept
        if shape in (Shape.SEVERAL, Shape.TWO):
            plain["value"] = values
        elif shape != Shape.NOTHING:
            plain["value"] = values[0]
        return plain


@dataclass(frozen=True)
class Group:
    match: str
    parts: list[Condition | Group]

    def q(self, at: Moment) -> Q:
        return Q(*(part.q(at) for part in self.parts), _connector=_MATCH[self.match])

    @property
    def words(self) -> str:
        between = "; " if self.match == "all" else " or "
        return between.join(
            f"({part.words})" if isinstance(part, Group) else part.words
            for part in self.parts
        )

    @property
    def kept(self) -> dict[str, object]:
        return {"match": self.match, "conditions": [part.kept for part in self.parts]}


@dataclass
class Reader:
    """Reads conditions and notes every problem, each with its path."""

    catalogue: Catalogue
    problems: list[Problem] = field(default_factory=list)
    _count: int = 0
    _hints: Hints = field(default_factory=Hints)

    def read(self, conditions: object) -> Group:
        if conditions == {}:
            return Group("all", [])
        return self._group(conditions, "", is_nested=False)

    def _group(self, given: object, path: str, *, is_nested: bool) -> Group:
        where = path or "conditions"
        group = Group("all", [])
        if not isinstance(given, dict):
            self._note(where, 'Give an object: {"match": "all", "conditions": [...]}.')
            return group
        self._refuse_others(given, {"match", "conditions"}, where)
        match = given.get("match", "all")
        if not isinstance(match, str) or match not in _MATCH:
            self._note(f"{path}.match".lstrip("."), "Give one of: all, any.")
            match = "all"
        listed = given.get("conditions", [])
        below = f"{path}.conditions".lstrip(".")
        if not isinstance(listed, list):
            self._note(below, "Give a list of conditions.")
            return group
        if is_nested and not listed:
            self._note(below, "A group has at least one condition.")
        return Group(match, list(self._parts(listed, below, is_nested=is_nested)))

    def _parts(
        self, listed: list[object], path: str, *, is_nested: bool
    ) -> Iterator[Condition | Group]:
        if len(listed) > MAX_CONDITIONS:
            self._too_many(path, len(listed))
            return
        for number, each in enumerate(listed):
            where = f"{path}[{number}]"
            if isinstance(each, dict) and "conditions" in each:
                if is_nested:
                    self._note(where, "A group in a group is one level too deep.")
                else:
                    yield self._group(each, where, is_nested=True)
                continue
            self._count += 1
            if self._count == MAX_CONDITIONS + 1:
                self._too_many(path, self._count)
            elif self._count <= MAX_CONDITIONS:
                condition = self._condition(each, where)
                if condition is not None:
                    yield condition

    def _condition(self, given: object, path: str) -> Condition | None:
        if not isinstance(given, dict):
            self._note(path, "Give an object with field, qualifier and value.")
            return None
        self._refuse_others(given, {"field", "qualifier", "value"}, path)
        name = given.get("field")
        known = self.catalogue.find(name) if isinstance(name, str) else None
        if known is None:
            self._note(f"{path}.field", self._no_field(name))
            return None
        word = given.get("qualifier")
        if word not in [str(each) for each in known.qualifiers]:
            offered = ", ".join(known.qualifiers)
            problem = f"{known.label} is compared by one of: {offered}."
            self._note(f"{path}.qualifier", problem)
            return None
        try:
            return condition_of(
                known, Qualifier(word), given.get("value"), self.catalogue.zone
            )
        except ValidationError as error:
            problem = " ".join(error.messages)
            self._note(f"{path}.value", f"{known.label}: {problem}")
            return None

    def _no_field(self, name: object) -> str:
        if not isinstance(name, str):
            return "Give the name of a field."
        return f"There is no field '{shown(name)}'.{self.catalogue.nearest(name)}"

    def _too_many(self, path: str, count: int) -> None:
        problem = f"Give at most {MAX_CONDITIONS} conditions, not {count:,}."
        self._note(path, f"{problem} Split them over several filters.")

    def _refuse_others(self, given: dict[Any, Any], known: set[str], path: str) -> None:
        for name in given:
            if name not in known:
                hint = self._hints.near(str(name), known)
                self._note(path, f"There is no '{shown(str(name))}' here.{hint}")

    def _note(self, path: str, sentence: str) -> None:
        self.problems.append(Problem(path, sentence))


def condition_of(
    field: Field, qualifier: Qualifier, value: object, zone: tzinfo
) -> Condition:
    """Raises ValidationError where the value can't be compared with."""
    given = field.given(values_in(value, qualifier.shape), qualifier, zone)
    if qualifier.shape == Shape.TWO:
        _check_order(given)
    return Condition(field, qualifier, given)


def shown(name: str) -> str:
    """A name from outside, short enough and fit to be printed."""
    return ascii(name[:100])[1:-1] if not name.isprintable() else name[:100]


def values_in(value: object, shape: Shape) -> list[object]:
    """The values behind a qualifier; raises ValidationError where it takes others."""
    if shape == Shape.NOTHING:
        if value not in (None, "", []):
            raise ValidationError("It takes no value.")
        return []
    if shape in (Shape.ONE, Shape.SPAN):
        if value is None or isinstance(value, list | dict):
            raise ValidationError("Give one value.")
        return [value]
    if not isinstance(value, list) or not value:
        raise ValidationError("Give a list of values.")
    if shape == Shape.TWO and len(value) != 2:
        raise ValidationError("Give two values: from and to.")
    if len(value) > MAX_VALUES:
        raise ValidationError(f"Give at most {MAX_VALUES} values, not {len(value):,}.")
    return value


def _check_order(given: Given) -> None:
    low, high = given.pair
    if low > high:
        raise ValidationError("The first value is greater than the second.")
