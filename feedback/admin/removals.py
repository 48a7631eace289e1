"""Parts of a type that something uses: they are removed after one more question."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.forms.formsets import DELETION_FIELD_NAME

from macros.models.losses import listed, lost
from macros.models.usage import User

from ..changes.stored import as_stored
from ..console.ordered import OrderedFormSet
from ..console.scoping import DistinctNames

_ASK = (
    "Filters that lose a part match nothing, and what selects by them does not run;"
    " tags of what is gone make a delivery fail; packages and lookups with its column"
    " give nothing. To remove it all the same, tick the box below and save again."
)


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
        losses = [
            f"{part} is used by: {listed(users)}." for part, users in self._lost()
        ]
        if losses:
            self.removal = hashlib.sha256("\n".join(losses).encode()).hexdigest()
        if losses and self.data.get(self.removal_field) != self.removal:
            problems += [*losses, _ASK]
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
            yield from lost(stored, None if is_gone else form.instance)
