"""The kinds of conditions that a FilterSet is made of.

The admin's lists, the API and whatever else selects rows give them by one name each,
with one meaning.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.utils.timezone import get_current_timezone
from django_filters.filters import Filter

from ..texts import NUMBER
from .values import MAX_LENGTH, read_moment

MOMENT_SCHEMA = {"schema": {"type": "string", "format": "date-time"}}
# Each word of a search is looked for in every column.
MAX_WORDS = 30


def search_words(text: str) -> list[str]:
    """Raises ValidationError where they are more than a person searches for."""
    words = text.split()
    if len(words) > MAX_WORDS or len(text) > MAX_LENGTH:
        raise ValidationError(
            f"Search for at most {MAX_WORDS} words of {MAX_LENGTH} letters together."
        )
    if "\0" in text:
        raise ValidationError("There is a character that can't be searched for.")
    return words


class ConditionField(forms.CharField):
    """Turns the text that is given for a condition into a Q."""

    def __init__(self, *, strip: bool = True, **options: Any) -> None:
        super().__init__(max_length=MAX_LENGTH, strip=strip, **options)

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

    @property
    def schema(self) -> dict[str, Any]:
        """How OpenAPI describes the parameter."""
        return {"schema": {"type": "string", "minLength": 1}}


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

    @property
    def schema(self) -> dict[str, Any]:
        return {"schema": {"type": "string", "enum": [*self.extra["meanings"]]}}


class NumberField(LookupField):
    def read(self, text: str) -> int:
        if not NUMBER.fullmatch(text) or not int(text):
            raise ValidationError("Give the number of a row, such as 12.")
        return int(text)


class NumberFilter(ConditionFilter):
    field_class = NumberField

    @property
    def schema(self) -> dict[str, Any]:
        return {"schema": {"type": "integer", "minimum": 1}}


class MomentField(LookupField):
    """A moment without a zone, and a day's beginning, are of the caller's time zone.

    That is UTC in the API, and TIME_ZONE in the admin.
    """

    def read(self, text: str) -> datetime:
        return read_moment(text, get_current_timezone()).start


class MomentFilter(ConditionFilter):
    field_class = MomentField

    @property
    def schema(self) -> dict[str, Any]:
        return MOMENT_SCHEMA


def rows_named(rows: QuerySet[Model], text: str) -> QuerySet[Model]:
    """Those of the rows that have this number or name."""
    return rows.filter(named(text)).order_by()


def named(text: str) -> Q:
    """Selects what has this number or name."""
    condition = Q(name__iexact=text) if "\0" not in text else Q(pk__in=[])
    if NUMBER.fullmatch(text):
        condition |= Q(pk=int(text))
    return condition
