"""What can be compared of a ticket or a tester, one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from ..models import Tester
from .kinds import Column, Kind, Moment, any_of
from .qualifiers import Qualifier, Shape, complement, truth_of
from .searching import contains
from .values import text_of

# Testers whom a search finds, and whose tickets are looked up by their keys.
MAX_SUBMITTERS = 1_000
# Where a search looks for testers.
SEARCHED_TESTERS = ("email", "first_name", "last_name", "company")
# The value as it is given, and its name for people.
Offered = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Given:
    """The values of a condition: to compare with, to keep in a filter, for people."""

    compared: list[Any]
    kept: list[object]
    words: list[str]

    @property
    def pair(self) -> tuple[Any, Any]:
        """The two values between which another must be."""
        low, high = self.compared
        return low, high


@dataclass(frozen=True, kw_only=True)
class Field:
    """`shown` is what people see of it, where that is another column."""

    name: str
    label: str
    kind: Kind
    column: Any = None
    shown: Any = None

    @property
    def qualifiers(self) -> tuple[Qualifier, ...]:
        return self.kind.qualifiers

    @property
    def offered(self) -> Offered:
        """The values to choose from; empty where any is taken."""
        return [(choice, choice) for choice in getattr(self.kind, "choices", ())]

    def given(
        self, values: Sequence[object], qualifier: Qualifier, zone: tzinfo
    ) -> Given:
        """Raises ValidationError where one of them can't be compared with."""
        compared = [self.kind.read(each, qualifier, zone) for each in values]
        kept = list(map(self.kind.kept, values, compared))
        return Given(compared, kept, [str(each) for each in kept])

    def test(self, qualifier: Qualifier, values: list[Any], at: Moment) -> Q:
        return self.kind.test(self.column, qualifier, values, at)


@dataclass(frozen=True, kw_only=True)
class SubmitterField(Field):
    """A tester's own field, of whoever submitted the ticket."""

    def test(self, qualifier: Qualifier, values: list[Any], at: Moment) -> Q:
        condition = super().test(qualifier, values, at)
        if qualifier == Qualifier.IS_EMPTY:
            # Without a submitter it is empty too.
            return complement(Q(_submitter_meets(complement(condition))))
        # An index finds testers by their e-mail, and then their tickets by their keys.
        # All else PostgreSQL thinks rarer than it is, and would go from each tester.
        if self.column == "email" and qualifier in _SAME:
            return _submitted_by(condition)
        return Q(truth_of(Q(_submitter_meets(condition))))


_SAME = (Qualifier.IS, Qualifier.IS_ONE_OF)


def _submitter_meets(condition: Q) -> Exists:
    """Looked up among the testers, who are fewer than the tickets."""
    testers = Tester.objects.filter(condition, pk=OuterRef("submitter"))
    return Exists(testers.order_by())


def _submitted_by(condition: Q) -> Q:
    """Tickets of the testers who meet it.

    PostgreSQL finds the tickets of a few by their keys. Where many meet it, most pages
    are full before it has looked at all testers.
    """
    if connection.vendor == "postgresql":
        testers = (
            Tester.objects.filter(condition).order_by().values_list("pk", flat=True)
        )
        few = list(testers[: MAX_SUBMITTERS + 1])
        if len(few) <= MAX_SUBMITTERS:
            return Q(submitter__in=few)
    return Q(truth_of(Q(_submitter_meets(condition))))


@dataclass(frozen=True, kw_only=True)
class SearchField(Field):
    """Any of several columns, or of the submitter's."""

    columns: tuple[str, ...]
    submitters: tuple[str, ...] = ()

    def test(self, qualifier: Qualifier, values: list[Any], at: Moment) -> Q:
        [word] = values
        own = [contains(self.columns, word)] if self.columns else []
        if self.submitters:
            named = contains(SEARCHED_TESTERS, word) & contains(self.submitters, word)
            own.append(_submitted_by(named))
        return any_of(own)


@dataclass(frozen=True, kw_only=True)
class RowField(Field):
    """A row that this one points at; `rows` are those that may be spoken of."""

    rows: QuerySet[Any]
    # What it is called among rows of several owners.
    name_of: Callable[[Any], str] = str

    @property
    def offered(self) -> Offered:
        return [(str(row.pk), self.name_of(row)) for row in self.rows]

    def given(
        self, values: Sequence[object], qualifier: Qualifier, zone: tzinfo
    ) -> Given:
        keys = [self.kind.read(each, qualifier, zone) for each in values]
        rows = self.named(keys)
        for key in keys:
            if key not in rows:
                noun = self.rows.model._meta.verbose_name
                raise ValidationError(f"There is no {noun} of number {key} here.")
        return Given(keys, [*keys], [rows[key].name for key in keys])

    def named(self, keys: Iterable[int]) -> dict[int, Any]:
        return {row.pk: row for row in self.rows.filter(pk__in=keys).order_by()}


@dataclass(frozen=True)
class Part:
    """A question as the forms of these types ask it; None is all types there are."""

    kind: Kind
    column: Column
    types: tuple[int, ...] | None

    def test(self, qualifier: Qualifier, values: list[Any], at: Moment) -> Q:
        """For `is empty`, whether there is an answer."""
        condition = self.kind.test(self.column, qualifier, values, at)
        if qualifier == Qualifier.IS_EMPTY:
            condition = complement(condition)
        own = Q() if self.types is None else Q(feedback_type__in=self.types)
        return own & condition


@dataclass(frozen=True)
class GivenToParts(Given):
    """`compared` is of parts, each with the values as it read them."""

    @property
    def pair(self) -> tuple[Any, Any]:
        _, (low, high) = self.compared[0]
        return low, high


@dataclass(frozen=True, kw_only=True)
class AnswerField(Field):
    """The answer to the questions of one key, which types may ask as different kinds.

    A part that does not take the value selects nothing.
    """

    parts: tuple[Part, ...]

    @property
    def qualifiers(self) -> tuple[Qualifier, ...]:
        every = {each for part in self.parts for each in part.kind.qualifiers}
        return tuple(each for each in Qualifier if each in every)

    @property
    def offered(self) -> Offered:
        kinds = (part.kind for part in self.parts)
        every = (each for kind in kinds for each in getattr(kind, "choices", ()))
        return [(choice, choice) for choice in dict.fromkeys(every)]

    def given(
        self, values: Sequence[object], qualifier: Qualifier, zone: tzinfo
    ) -> Given:
        takers = [part for part in self.parts if qualifier in part.kind.qualifiers]
        read: dict[Part, list[Any]] = {part: [] for part in takers}
        for value in values:
            _read_by_parts(value, read, qualifier, zone)
        # One that does not take both ends of a range takes none of it.
        compared = [
            (part, own)
            for part, own in read.items()
            if len(own) == len(values) or (own and qualifier.shape == Shape.SEVERAL)
        ]
        part, own = compared[0]
        if len(own) == len(values):
            kept = list(map(part.kind.kept, values, own))
        else:  # Each part has its own of them.
            kept = [text_of(each) for each in values]
        return GivenToParts(compared, kept, [str(each) for each in kept])

    def test(self, qualifier: Qualifier, values: list[Any], at: Moment) -> Q:
        somewhere = any_of([part.test(qualifier, read, at) for part, read in values])
        if qualifier == Qualifier.IS_EMPTY:
            # Tickets whose forms do not ask have no answer either.
            return complement(somewhere)
        return somewhere


def _read_by_parts(
    value: object, read: dict[Part, list[Any]], qualifier: Qualifier, zone: tzinfo
) -> None:
    """Add the value to those that take it; raises ValidationError if none does."""
    problems: list[str] = []
    for part, own in read.items():
        try:
            own.append(part.kind.read(value, qualifier, zone))
        except ValidationError as error:
            problems += error.messages
    if len(problems) == len(read):
        raise ValidationError(list(dict.fromkeys(problems)))
