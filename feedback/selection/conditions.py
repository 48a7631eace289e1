"""The kinds of conditions that a FilterSet is made of.

The admin's lists, the API and whatever else selects rows give them by one name each,
with one meaning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.timezone import get_current_timezone
from django_filters.filters import Filter

from ..names import fold

# What every database can look up as a number, in ASCII digits.
NUMBER = re.compile(r"[0-9]{1,18}")
_MAX_LENGTH = 500
# Each word of a search is looked for in every column.
MAX_WORDS = 30
# Each value of a condition that takes several is looked up.
MAX_VALUES = 100


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about a word that is not known; empty if none is near."""
    wanted = fold(word[:100])
    # What looks the same would be no help.
    shown = {fold(each): each for each in known if fold(each) != wanted}
    close = get_close_matches(wanted, shown, n=1)
    return f" Did you mean '{shown[close[0]]}'?" if close else ""


def search_words(text: str) -> list[str]:
    """Raises ValidationError where they are more than a person searches for."""
    words = text.split()
    if len(words) > MAX_WORDS or len(text) > _MAX_LENGTH:
        raise ValidationError(
            f"Search for at most {MAX_WORDS} words of {_MAX_LENGTH} letters together."
        )
    if "\0" in text:
        raise ValidationError("There is a character that can't be searched for.")
    return words


class ConditionField(forms.CharField):
    """Turns the text that is given for a condition into a Q."""

    def __init__(self, *, strip: bool = True, **options: Any) -> None:
        super().__init__(max_length=_MAX_LENGTH, strip=strip, **options)

    def clean(self, value: str | None) -> Q | None:
        text = super().clean(value)
        return self.condition(text) if text else None

    def condition(self, text: str) -> Q:
        """Raises ValidationError where the text can't be compared with."""
        raise NotImplementedError

    def in_words(self, values: list[str]) -> str:
        """What was given, for people."""
        return ", ".join(values)


class ConditionFilter(Filter):
    """A condition that people and programs may give by its name.

    Its form field turns what is given into a Q; `title` is its name for people.
    """

    def __init__(self, *, title: str = "", **options: Any) -> None:
        super().__init__(**options)
        self.title = title


class LookupField(ConditionField):
    """What is given must be in `lookup`, such as `created_at__gte`."""

    def __init__(self, *, lookup: str, **options: Any) -> None:
        self.lookup = lookup
        super().__init__(**options)

    def condition(self, text: str) -> Q:
        return Q(**{self.lookup: self.read(text)})

    def read(self, text: str) -> object:
        return text


class TextFilter(ConditionFilter):
    field_class = LookupField


class ChoiceField(LookupField):
    """One of the words in `meanings`, which says what each stands for."""

    def __init__(self, *, meanings: dict[str, object], **options: Any) -> None:
        self.meanings = meanings
        super().__init__(**options)

    def read(self, text: str) -> object:
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
    """A moment without a zone, and a day's beginning, are of the caller's time zone.

    That is UTC in the API, and TIME_ZONE in the admin. A moment that a clock skips is
    read as if it had not been set forward yet; of one that comes twice, the first.
    """

    def read(self, text: str) -> datetime:
        try:
            moment = parse_datetime(text.strip())
        except ValueError:
            moment = None
        # Beyond, databases can't shift it from one time zone to another.
        if moment is None or not 1900 <= moment.year <= 9000:
            raise ValidationError(
                "Give a date or a moment as in ISO 8601: 2026-11-23,"
                " 2026-11-23T09:30:00Z. In a URL, write + as %2B."
            )
        if moment.tzinfo is None:
            return moment.replace(tzinfo=get_current_timezone(), fold=0)
        return moment


class MomentFilter(ConditionFilter):
    field_class = MomentField


class SearchField(ConditionField):
    """Every word must be somewhere in these columns."""

    def __init__(self, *, columns: Iterable[str], **options: Any) -> None:
        self.columns = tuple(columns)
        super().__init__(**options)

    def condition(self, text: str) -> Q:
        every = Q()
        for word in search_words(text):
            anywhere = (Q(**{f"{field}__icontains": word}) for field in self.columns)
            every &= Q(*anywhere, _connector=Q.OR)
        return every


class SearchFilter(ConditionFilter):
    field_class = SearchField


def rows_named(rows: QuerySet[Model], text: str) -> QuerySet[Model]:
    """Those of the rows that have this number or name."""
    named = Q(name__iexact=text) if "\0" not in text else Q(pk__in=[])
    if NUMBER.fullmatch(text):
        named |= Q(pk=int(text))
    return rows.filter(named).order_by()


class RowsField(forms.Field):
    """Rows by number or name; given several times, any of them."""

    widget = forms.MultipleHiddenInput

    def __init__(self, *, rows: QuerySet[Model], lookup: str, **options: Any) -> None:
        self.rows = rows
        self.lookup = lookup
        super().__init__(**options)

    def clean(self, value: list[str] | None) -> Q | None:
        if not value:
            return None
        if len(value) > MAX_VALUES:
            raise ValidationError(f"Give at most {MAX_VALUES} values.")
        return self.condition({pk for each in value for pk in self._keys(each)})

    def condition(self, keys: Iterable[int]) -> Q:
        return Q(**{f"{self.lookup}__in": sorted(keys)})

    def in_words(self, values: list[str]) -> str:
        named = (rows_named(self.rows, each).values_list("name") for each in values)
        return ", ".join(dict.fromkeys(name for rows in named for (name,) in rows))

    def _keys(self, text: str) -> list[int]:
        keys = list(rows_named(self.rows, text).values_list("pk", flat=True))
        if not keys:
            names = self.rows.order_by("name").values_list("name", flat=True)
            hint = did_you_mean(text, names.distinct()[:1000])
            kind = self.rows.model._meta.verbose_name
            raise ValidationError(f"There is no {kind} '{text[:100]}'.{hint}")
        return keys


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
        field: RowsField = self.field_class(rows=self.rows(self.parent), **self.extra)
        return field
