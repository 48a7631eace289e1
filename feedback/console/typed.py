"""What people type into forms: alike in the store, whatever a browser makes of it.

A browser ends each line with two characters, and drops line ends from a box of one
line; a form of Django's strips what it takes. So a value that nobody touched comes back
as another one. Here it counts as the same, in all forms of all models.
"""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import CharField, Model, TextField

from ..texts import lines

_LINE_ENDS = re.compile(r"[\r\n]")
_has_changed = forms.CharField.has_changed


def end_lines_alike(sender: type[Model], instance: Model, **signal: object) -> None:
    """Before a row is saved, wherever its texts are from: a form, an API, a file.

    The rows of libraries are theirs: they look them up by what they have written.
    """
    if not hasattr(sender, "privacy"):
        return
    for field in sender._meta.concrete_fields:
        if isinstance(field, CharField | TextField):
            value = instance.__dict__.get(field.attname)
            if isinstance(value, str) and "\r" in value:
                setattr(instance, field.attname, lines(value))


def replace_comparison() -> None:
    forms.CharField.has_changed = has_changed  # type: ignore[assignment,method-assign]


def has_changed(field: forms.CharField, initial: Any, data: Any) -> bool:
    """Whether what was typed differs from what the form would send back untouched."""
    if isinstance(initial, str) and isinstance(data, str) and not field.disabled:
        return not is_untouched(field, initial, data)
    return _has_changed(field, initial, data)


def is_untouched(field: forms.CharField, stored: str, given: str) -> bool:
    one_line = isinstance(field.widget, forms.TextInput)
    shown = _LINE_ENDS.sub("", stored) if one_line else stored
    try:
        before, after = field.to_python(shown), field.to_python(given)
    except ValidationError:
        return stored == given
    return lines(str(before or "")) == lines(str(after or ""))


def keep_untouched(form: Any, stored: Model, row: Model) -> None:
    """Give a row back the texts that were only sent back, as they are stored."""
    for name, field in form.fields.items():
        before, after = (each.__dict__.get(name) for each in (stored, row))
        if not (isinstance(before, str) and isinstance(after, str)):
            continue
        if isinstance(field, forms.CharField) and is_untouched(field, before, after):
            setattr(row, name, before)
