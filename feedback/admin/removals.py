"""Parts of a type that something uses: they are removed after one more question."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.forms.formsets import DELETION_FIELD_NAME

from macros.models.usage import User, users_of, users_of_choice, users_of_label

from ..changes.stored import as_stored
from ..console.ordered import OrderedFormSet
from ..console.scoping import DistinctNames
from ..models import FormField, Status

_ASK = (
    "Filters that lose a part match nothing, and what selects by them does not run;"
    " tags of what is gone make a delivery fail. To remove it all the same, tick the"
    " box below and save again."
)
_MAX_LISTED = 20


class AskingFormSet(OrderedFormSet, DistinctNames):
    """Refuses to remove what is used, until a box says that it is meant.

    The box is for what was listed: if anything else uses it by then, it asks anew.
    """

    # Stands for what was listed; empty where there is nothing to ask.
    removal = ""

    @property
    def removal_field(self) -> str:
        return f"{self.prefix}-removal"

    def clean(self) -> None:
        problems: list[str] = []
        try:
            super().clean()
        except ValidationError as error:  # Such as a step that refers to it.
            problems = error.messages
        lost = [f"{part} is used by: {_listed(users)}." for part, users in self._lost()]
        if lost:
            self.removal = hashlib.sha256("\n".join(lost).encode()).hexdigest()
        if lost and self.data.get(self.removal_field) != self.removal:
            problems += [*lost, _ASK]
        if problems:
            raise ValidationError(problems)

    def _lost(self) -> Iterator[tuple[str, list[User]]]:
        for form in self.initial_forms:
            # As it was sent: what a step refers to is refused by its form.
            is_gone = self.data.get(form.add_prefix(DELETION_FIELD_NAME))
            if not is_gone and not form.has_changed():
                continue
            stored: Any = as_stored(form.instance)
            if stored is None:
                continue
            parts = _removed(stored, form) if not is_gone else _whole(stored)
            yield from ((part, users) for part, users in parts if users)


def _whole(row: Status | FormField) -> Iterator[tuple[str, list[User]]]:
    yield f"{row._meta.verbose_name.capitalize()} {row}", users_of(row)  # type: ignore[union-attr]


def _removed(row: Status | FormField, form: Any) -> Iterator[tuple[str, list[User]]]:
    """What an edit takes away: the key that others know a question by, its choices."""
    if isinstance(row, Status):
        return
    new: FormField = form.instance
    if new.key != row.key:
        yield f"Key {row.key} of {row}", users_of(row)
        return
    if new.label != row.label:
        yield f"Label {row.label}", users_of_label(row)
    for choice in row.choice_list:
        if choice not in new.choice_list:
            yield f"Choice {choice} of {row}", users_of_choice(row, choice)


def _listed(users: list[User]) -> str:
    names = [name for _, name in users]
    more = len(names) - _MAX_LISTED
    shown = "; ".join(names[:_MAX_LISTED])
    return f"{shown}; and {more} more" if more > 0 else shown
