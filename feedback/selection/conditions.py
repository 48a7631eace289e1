"""What FilterSets are made of: conditions that are kept to the letter or refused.

A condition that is passed over makes a selection larger, and then somebody sends to
tickets that nobody asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import QueryDict
from django_filters import FilterSet
from django_filters.fields import IsoDateTimeField
from django_filters.filters import Filter

# What every database can look up as a number, in ASCII digits.
NUMBER = re.compile(r"[0-9]{1,18}")
_MAX_LENGTH = 500


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about a word that is not known; empty if none is near."""
    close = get_close_matches(word[:100], list(known), n=1)
    return f" Did you mean '{close[0]}'?" if close else ""


class ConditionFilter(Filter):
    """A filter whose form field turns what is given into a Q."""

    def filter(self, qs: QuerySet[Any], value: Q | None) -> QuerySet[Any]:
        return qs if value is None else qs.filter(value)


class _OneField(forms.CharField):
    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=_MAX_LENGTH, strip=False, **options)


class LookupField(_OneField):
    """What is given must be in `lookup`, such as `created_at__gte`."""

    def __init__(self, *, lookup: str, **options: Any) -> None:
        self.lookup = lookup
        super().__init__(**options)

    def read(self, text: str) -> Any:
        return text

    def clean(self, value: str | None) -> Q | None:
        text = super().clean(value)
        return Q(**{self.lookup: self.read(text)}) if text else None


class TextFilter(ConditionFilter):
    field_class = LookupField


class ChoiceField(LookupField):
    """One of the words in `meanings`, which says what each stands for."""

    def __init__(self, *, meanings: dict[str, Any], **options: Any) -> None:
        self.meanings = meanings
        super().__init__(**options)

    def read(self, text: str) -> Any:
        if text not in self.meanings:
            raise ValidationError(f"Give one of: {', '.join(self.meanings)}.")
        return self.meanings[text]


class ChoiceFilter(ConditionFilter):
    field_class = ChoiceField


class NumberField(LookupField):
    def read(self, text: str) -> int:
        if not NUMBER.fullmatch(text) or not int(text):
            raise ValidationError("Give the number of a row, such as 12.")
        return int(text)


class NumberFilter(ConditionFilter):
    field_class = NumberField


class MomentField(LookupField):
    def read(self, text: str) -> Any:
        try:
            moment = IsoDateTimeField().clean(text)
            # Beyond, databases can't shift it from one time zone to another.
            usable = 1900 <= moment.year <= 9000
        except (ValidationError, OverflowError):
            usable = False
        if not usable:
            raise ValidationError(
                "Give a date or a moment as in ISO 8601: 2026-11-23,"
                " 2026-11-23T09:30:00Z. In a URL, write + as %2B."
            )
        return moment


class MomentFilter(ConditionFilter):
    field_class = MomentField


class RowsField(forms.Field):
    """Rows by number or name; given several times, any of them."""

    widget = forms.MultipleHiddenInput

    def __init__(self, *, rows: QuerySet[Any], lookup: str, **options: Any) -> None:
        self.rows = rows
        self.lookup = lookup
        super().__init__(**options)

    def clean(self, value: list[str] | None) -> Q | None:
        if not value:
            return None
        found: set[int] = set()
        for each in value:
            found |= self._numbers(each)
        return Q(**{f"{self.lookup}__in": sorted(found)})

    def _numbers(self, text: str) -> set[int]:
        wanted = Q(name=text) if "\0" not in text else Q(pk__in=[])
        if NUMBER.fullmatch(text):
            wanted |= Q(pk=int(text))
        found = set(self.rows.filter(wanted).order_by().values_list("pk", flat=True))
        if not found:
            names = self.rows.order_by("name").values_list("name", flat=True)
            hint = did_you_mean(text, names.distinct()[:1000])
            kind = self.rows.model._meta.verbose_name
            raise ValidationError(f"There is no {kind} '{text[:100]}'.{hint}")
        return found


class RowsFilter(ConditionFilter):
    """`rows` says which can be named, asked with the filter set."""

    field_class = RowsField

    def __init__(
        self, rows: Callable[[Any], QuerySet[Model]], *, lookup: str, **options: Any
    ) -> None:
        self.rows = rows
        super().__init__(lookup=lookup, **options)

    @property
    def field(self) -> RowsField:
        return RowsField(rows=self.rows(self.parent), **self.extra)


class StrictFilterSet(FilterSet):
    """Refuses parameters that it does not know, that are empty or are given twice.

    `beside` names those that are somebody else's, such as the cursor of a page.
    """

    def __init__(
        self, data: QueryDict, queryset: QuerySet[Any], beside: Iterable[str] = ()
    ) -> None:
        super().__init__(data, queryset)
        self.is_bound = True  # Without data, too: then it takes all.
        self.beside = frozenset(beside)

    @property
    def errors(self) -> dict[str, list[str]]:
        """What is wrong, by the parameter that it is wrong with."""
        found = {name: [problem] for name, problem in self._refused()}
        for name, problems in self.form.errors.items():
            found.setdefault(name, [str(problem) for problem in problems])
        return found

    def add(self, name: str, condition: ConditionFilter) -> None:
        """One more that is known."""
        condition.model, condition.parent = self.queryset.model, self
        self.filters[name] = condition

    def is_valid(self) -> bool:
        return not self.errors

    def _refused(self) -> Iterator[tuple[str, str]]:
        for name in self.data:
            if name in self.beside:
                continue
            if name not in self.filters:
                known = [*self.filters, *self.beside]
                yield name, f"No such parameter.{did_you_mean(name, known)}"
                continue
            values = self.data.getlist(name)
            several = isinstance(self.form.fields[name].widget, RowsField.widget)
            if not all(values):
                yield name, "Give a value, or leave the parameter out."
            elif len(values) > 1 and not several:
                yield name, "Give this parameter once."
