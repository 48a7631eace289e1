"""What changed on a row, fit for a log that nobody can change.

Credentials are never repeated there, and neither is what a model hides, as its
`privacy` states: it must be possible to erase a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from django.db import models
from django.db.models import Model

from feedback.access.privacy import NOTHING_PERSONAL, Privacy
from feedback.texts import lines, storable
from feedback.units import Changed, HasFacts

from ..redaction import HIDDEN, is_credential, origin_in

Field: TypeAlias = "models.Field[Any, Any]"
# Maps the name of a field to its values before and after.
Values = list[Any]
Changes = dict[str, Values]

MAX_TEXT = 200
_MAX_NAME = 200
_MAX_CHANGES = 60
_MAX_LISTED = 30

# Beside those of `logs.redaction`.
_CREDENTIAL = re.compile(r"encrypted|hash|otp|seed|private|certificate", re.IGNORECASE)
_TEXTS = (models.CharField, models.TextField, models.JSONField, models.BinaryField)


def name_of(row: Model) -> str:
    """The name of a row in the log, without what may not stand there."""
    name = getattr(row, "audit_name", row.__str__)
    return shortened(name(), _MAX_NAME)


def shortened(text: str, length: int) -> str:
    text = storable(text)
    return text if len(text) <= length else text[: length - 1] + "…"


def differences(before: Model | None, after: Model | None) -> Changes:
    """What differs, field by field; all that is filled in where there was no row."""
    row = after or before
    listed = dict(_differing(row, before, after)) if row is not None else {}
    return _bounded(listed)


def differences_in(model: type[HasFacts], changed: Changed) -> Changes:
    """The same of what was announced: a column for all that it says."""
    listed: Changes = {}
    for name in changed.fields:
        column = model.announced.column_of(name)
        field = model._meta.get_field(column)
        sides = [changed.before.get(name, ""), changed.after.get(name, "")]
        if _hides(model, column):
            sides = [HIDDEN if side not in ("", None) else "" for side in sides]
        before = listed.get(field.name, ["", ""])
        listed[field.name] = [
            new or old for old, new in zip(before, sides, strict=True)
        ]
    return _bounded(listed)


def _hides(model: type[HasFacts], column: str) -> bool:
    """Whether the model hides it, or the one that it leads to what is said of it."""
    field = model._meta.get_field(column)
    privacy: Privacy = getattr(model, "privacy", NOTHING_PERSONAL)
    if reference := model.announced.references.get(column):
        theirs: Privacy = getattr(field.related_model, "privacy", NOTHING_PERSONAL)
        return privacy.hides(field.name) or theirs.hides(reference.column)
    return privacy.hides(field.name)


def with_parts(
    changes: Changes, parts: Iterable[tuple[Model | None, Model | None]]
) -> Changes:
    """The same, with what became of the rows below it."""
    listed = dict(changes)
    for before, after in parts:
        row = after or before
        if row is None:
            continue
        label = f"{row._meta.verbose_name} {name_of(row)}"
        if before is None:
            listed[label] = ["", "added"]
        elif after is None:
            listed[label] = ["", "deleted"]
        else:
            for name, values in differences(before, after).items():
                listed[f"{label}: {name}"] = values
    return _bounded(listed)


def _bounded(changes: Changes) -> Changes:
    if len(changes) <= _MAX_CHANGES:
        return changes
    kept = dict(list(changes.items())[: _MAX_CHANGES - 1])
    return kept | {"…": ["", f"and {len(changes) - len(kept)} more"]}


def _differing(
    row: Model, before: Model | None, after: Model | None
) -> Iterator[tuple[str, Values]]:
    for field in _fields(row):
        old, new = _raw(field, before), _raw(field, after)
        if old == new or (before is None and not new):
            continue
        if _is_hidden(row, field):
            yield field.name, [HIDDEN if old else "", HIDDEN if new else ""]
        else:
            yield field.name, [_shown(field, before), _shown(field, after)]


def _fields(row: Model) -> Iterator[Field]:
    """Without keys and what the database or the clock fills in."""
    for field in (*row._meta.concrete_fields, *row._meta.many_to_many):
        automatic = getattr(field, "auto_now", False) or getattr(
            field, "auto_now_add", False
        )
        if not (field.primary_key or automatic):
            yield field


def _raw(field: Field, row: Model | None) -> Any:
    if row is None:
        return None
    if field.many_to_many:
        return sorted(each.pk for each in getattr(row, field.name).all())
    value = getattr(row, field.attname)
    return lines(value) if isinstance(value, str) else value


def _is_hidden(row: Model, field: Field) -> bool:
    privacy: Privacy | None = getattr(row, "privacy", None)
    if privacy is not None and privacy.hides(field.name):
        return True
    if not isinstance(field, _TEXTS) or field.choices:
        return False
    return is_credential(field.name) or bool(_CREDENTIAL.search(field.name))


def _shown(field: Field, row: Model | None) -> Any:
    value = None if row is None else getattr(row, field.name)
    if field.many_to_many:
        names = [name_of(each) for each in value.all()] if value else []
        return ", ".join(names[:_MAX_LISTED])[:MAX_TEXT]
    if value is None or isinstance(value, bool | int | float):
        return _labelled(field, value)
    if isinstance(value, Model):
        return name_of(value)
    if field.name == "url":
        return origin_in(value)
    return shortened(str(_labelled(field, value)), MAX_TEXT)


def _labelled(field: Field, value: object) -> object:
    """A choice by its label; a list, as of JSON, is none."""
    return dict(field.flatchoices).get(value, value) if field.flatchoices else value
