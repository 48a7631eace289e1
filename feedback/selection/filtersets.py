"""Conditions by name, kept to the letter or refused, and made one Q.

A condition that is passed over makes a selection larger, and then somebody sends to
tickets that nobody asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.forms import MultipleHiddenInput
from django.http import QueryDict
from django.utils.text import capfirst
from django_filters import FilterSet

from ..models import Filter
from ..names import Hints
from .catalogue import Catalogue
from .compiler import MAX_VALUES, NOTHING
from .conditions import ConditionFilter, named
from .parameters import external_parameters

M = TypeVar("M", bound=Model)
# More than there are conditions, with a few on each question and external name.
MAX_CONDITIONS = 60


class StrictFilterSet(FilterSet):
    """Refuses parameters that it does not know, that are empty or are given twice.

    While one is refused, nothing is selected. `beside` names those that are somebody
    else's, such as the cursor of a page.
    """

    def __init__(
        self, data: QueryDict, queryset: QuerySet[Model], beside: Iterable[str] = ()
    ) -> None:
        self.too_many = len(data) > MAX_CONDITIONS
        # Nothing is looked up then, not even which of them there are.
        super().__init__(QueryDict() if self.too_many else data, queryset)
        self.is_bound = True  # Without data, too: then it takes all.
        self.beside = frozenset(beside)

    @property
    def errors(self) -> dict[str, list[str]]:
        """What is wrong, by the parameter that it is wrong with."""
        if self.too_many:
            return {"conditions": [f"Give at most {MAX_CONDITIONS} conditions."]}
        problems = {name: [problem] for name, problem in self._refused()}
        for name, sentences in self.form.errors.items():
            problems.setdefault(name, [str(each) for each in sentences])
        return problems

    @property
    def given(self) -> list[str]:
        """The conditions that are given, in the order of the data."""
        return [name for name in self.data if name in self.filters]

    @property
    def condition(self) -> Q:
        """All that is given, as one condition."""
        if self.errors:
            return NOTHING
        every = Q()
        for name in self.given:
            every &= self.form.cleaned_data[name]
        return every

    @property
    def words(self) -> str:
        """What is given, for people: `Status: New, Confirmed; Open: yes`."""
        return "; ".join(
            f"{capfirst(self.title_of(name))}: {self.value_in_words(name)}"
            for name in self.given
        )

    def title_of(self, name: str) -> str:
        condition: ConditionFilter = self.filters[name]
        return condition.title or name.replace("_", " ")

    def filter_queryset(self, queryset: QuerySet[Model]) -> QuerySet[Model]:
        return queryset.filter(self.condition)

    def is_valid(self) -> bool:
        return not self.errors

    def add(self, name: str, condition: ConditionFilter) -> None:
        """Let one more condition be given."""
        condition.model, condition.parent = self.queryset.model, self
        self.filters[name] = condition

    def value_in_words(self, name: str) -> str:
        given = self.data.getlist(name)
        words: str = self.form.fields[name].in_words(given)
        return words or ", ".join(given)

    def _refused(self) -> Iterator[tuple[str, str]]:
        hints = Hints()
        for name in self.data:
            if name in self.beside:
                continue
            if name not in self.filters:
                known = [*self.filters, *self.beside]
                yield name, f"No such parameter.{hints.near(name, known)}"
                continue
            values = self.data.getlist(name)
            several = isinstance(self.form.fields[name].widget, MultipleHiddenInput)
            if not all(value.strip() for value in values):
                yield name, "Give a value, or leave the parameter out."
            elif len(values) > 1 and not several:
                yield name, "Give this parameter once."


class CatalogueFilterSet(StrictFilterSet):
    """Over subjects: each parameter stands for conditions of the catalogue.

    Beside what a class lists it knows `external_<name>` and `has_external_<name>`.
    """

    def __init__(
        self,
        data: QueryDict,
        queryset: QuerySet[Model],
        catalogue: Catalogue,
        beside: Iterable[str] = (),
    ) -> None:
        self.catalogue = catalogue
        super().__init__(data, queryset, beside)
        for name, condition in external_parameters(self.data).items():
            self.add(name, condition)

    @property
    def saved_filters(self) -> QuerySet[Filter]:
        """The saved filters that may be spoken of."""
        raise NotImplementedError

    def narrowed(self, name: str, rows: QuerySet[M]) -> QuerySet[M]:
        """Those of the rows that a parameter names; all, where it is not given."""
        values = [each for each in self.data.getlist(name) if each.strip()]
        if not values:
            return rows
        any_of_them = Q()
        for each in values[:MAX_VALUES]:
            any_of_them |= named(each)
        return rows.filter(any_of_them)

    def as_conditions(self) -> dict[str, object]:
        """What is given, as a saved filter keeps it.

        Raises ValidationError where a part of it is refused.
        """
        if self.errors:
            raise ValidationError(self.errors)
        parts: list[object] = []
        for name in self.given:
            group = self.form.fields[name].group(self.data.getlist(name))
            if group.match == "any" and len(group.parts) > 1:
                parts.append(group.kept)
            else:
                parts += [part.kept for part in group.parts]
        return {"match": "all", "conditions": parts}
