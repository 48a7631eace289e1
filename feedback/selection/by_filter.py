"""`filter=<number or name>`: a saved filter among the parameters of a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from ..models import Filter
from ..names import did_you_mean
from .compiler import NOTHING, Group, Reader
from .conditions import ConditionFilter, rows_named
from .saved import catalogue_for, compiled, within

# Each has conditions of its own, which every row is looked at for.
MAX_FILTERS = 10


class SavedField(forms.Field):
    """Filters by number or name; given several times, all of them."""

    widget = forms.MultipleHiddenInput

    def __init__(self, *, rows: QuerySet[Filter], **options: Any) -> None:
        self.rows = rows
        super().__init__(**options)

    def clean(self, value: list[str] | None) -> Q | None:
        if not value:
            return None
        every = Q()
        for row in self.named(value):
            every &= condition_of(row)
        return every

    def named(self, values: list[str]) -> list[Filter]:
        """Raises ValidationError."""
        if len(values) > MAX_FILTERS:
            raise ValidationError(f"Give at most {MAX_FILTERS} filters.")
        return [self._one(each) for each in values]

    def conditions(self, numbers: Sequence[str]) -> dict[str, Q]:
        """What each of these selects; nothing, where it is gone or broken."""
        filters = self._with_owners().in_bulk([int(each) for each in numbers])
        return {each: _condition_or_nothing(filters.get(int(each))) for each in numbers}

    def _with_owners(self) -> QuerySet[Filter]:
        owners = ("feedback_type__project", "project", "community")
        return self.rows.select_related(*owners)

    def _one(self, text: str) -> Filter:
        rows: list[Any] = list(rows_named(self._with_owners(), text)[:2])
        if not rows:
            names = self.rows.order_by("name").values_list("name", flat=True)
            hint = did_you_mean(text, names.distinct()[:1000])
            raise ValidationError(f"There is no filter '{text[:100]}'.{hint}")
        if len(rows) > 1:
            raise ValidationError(
                f"There are several filters '{text[:100]}'. Give the number of one."
            )
        row: Filter = rows[0]
        return row

    def group(self, values: list[str]) -> Group:
        """Their conditions, to become part of another filter."""
        parts: list[Any] = []
        for row in self.named(values):
            catalogue = catalogue_for(row.owner, row.subject_kind)
            group = Reader(catalogue).read(row.conditions)
            has_groups = any(isinstance(part, Group) for part in group.parts)
            if group.match == "all":
                parts += group.parts
            elif has_groups:
                raise ValidationError(
                    f"The filter {row} has groups within 'any of these', so that it"
                    " can't be part of another filter."
                )
            else:
                parts.append(group)
        return Group("all", parts)

    def in_words(self, values: list[str]) -> str:
        """Those that there are: a list that refuses one has words all the same."""
        rows: list[Any] = [
            row for each in values for row in rows_named(self.rows, each)
        ]
        return ", ".join(dict.fromkeys(row.name for row in rows))


class SavedParameter(ConditionFilter):
    def __init__(self) -> None:
        super().__init__(
            help_text="Name or number of a saved filter; several times: all of them."
        )

    @property
    def field(self) -> SavedField:
        return SavedField(rows=self.parent.saved_filters, **self.extra)

    @property
    def schema(self) -> dict[str, Any]:
        several = {"type": "array", "items": {"type": "string", "minLength": 1}}
        return {"schema": several, "style": "form", "explode": True}


def _condition_or_nothing(row: Filter | None) -> Q:
    try:
        return condition_of(row) if row else NOTHING
    except ValidationError:
        return NOTHING


def condition_of(row: Filter) -> Q:
    """What a filter selects, as one condition. Raises ValidationError if it is broken.

    A filter that has lost a part is refused, so that nobody takes what is empty for
    what was meant.
    """
    result = compiled(row)
    if result.problems:
        why = " ".join(each.sentence for each in result.problems)
        raise ValidationError(
            f"The filter {row} has lost a part, so it matches nothing: {why}"
        )
    return within(row) & result.q
