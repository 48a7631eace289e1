"""What changed on a row, fit for a log that nobody can change.

Credentials are never repeated there, and neither is what people wrote or is known of
testers: it must be possible to erase a person.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.db import models
from django.db.models import Model

from ..redaction import is_credential

# By field: before and after.
Changes = dict[str, list[Any]]

HIDDEN = "(not shown)"
MAX_TEXT = 200
_MAX_NAME = 200
_MAX_CHANGES = 60
_MAX_LISTED = 30

# Beside those of `logs.redaction`.
_CREDENTIAL = re.compile(r"encrypted|hash|otp|seed|private|certificate", re.IGNORECASE)
_TEXTS = (models.CharField, models.TextField, models.JSONField, models.BinaryField)
_HIDDEN_FIELDS: dict[str, frozenset[str]] = {
    "feedback.feedback": frozenset(
        {"title", "description", "form_values", "external_data"}
    ),
    "feedback.comment": frozenset({"text"}),
}
_HIDDEN_MODELS = frozenset({"feedback.tester"})

_NAMES: dict[str, Callable[[Any], str]] = {
    "feedback.tester": lambda tester: f"Tester {tester.pk}",
    "feedback.feedback": lambda ticket: str(ticket.reference),
    "feedback.comment": lambda comment: f"Comment {comment.pk}",
}
_ORIGIN = re.compile(r"\s*(https?://)(?:[^/?#@\s]*@)?([^/?#\s]+)(.*)", re.S | re.I)


def name_of(row: Model) -> str:
    """The row's name in the log: the model may say one in `audit_name`."""
    if hasattr(row, "audit_name"):
        return shortened(row.audit_name(), _MAX_NAME)
    name = _NAMES.get(row._meta.label_lower, str)(row)
    return shortened(name, _MAX_NAME)


def origin_in(url: str) -> str:
    """A URL as far as its host: what follows is often a secret itself."""
    found = _ORIGIN.match(url)
    if found is None:
        return HIDDEN
    return found[1] + found[2] + ("/…" if found[3].strip("/") else "")


def shortened(text: str, length: int) -> str:
    """PostgreSQL cannot store NUL."""
    text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return text if len(text) <= length else text[: length - 1] + "…"


def differences(before: Model | None, after: Model | None) -> Changes:
    """By field, what differs; all that is filled in where there was no row before."""
    row = after or before
    found = dict(_differing(row, before, after)) if row is not None else {}
    return _bounded(found)


def with_parts(
    changes: Changes, parts: Iterable[tuple[Model | None, Model | None]]
) -> Changes:
    """The same, with what became of the rows below it."""
    found = dict(changes)
    for before, after in parts:
        row = after or before
        if row is None:
            continue
        label = f"{row._meta.verbose_name} {name_of(row)}"
        if before is None:
            found[label] = ["", "added"]
        elif after is None:
            found[label] = ["", "deleted"]
        else:
            for name, values in differences(before, after).items():
                found[f"{label}: {name}"] = values
    return _bounded(found)


def _bounded(changes: Changes) -> Changes:
    if len(changes) <= _MAX_CHANGES:
        return changes
    kept = dict(list(changes.items())[: _MAX_CHANGES - 1])
    return kept | {"…": ["", f"and {len(changes) - len(kept)} more"]}


def _differing(
    row: Model, before: Model | None, after: Model | None
) -> Iterator[tuple[str, list[Any]]]:
    for field in _fields(row):
        old, new = _raw(field, before), _raw(field, after)
        if old == new or (before is None and not new):
            continue
        if _is_hidden(row, field):
            yield field.name, [HIDDEN if old else "", HIDDEN if new else ""]
        else:
            yield field.name, [_shown(field, before), _shown(field, after)]


def _fields(row: Model) -> Iterator[Any]:
    """Without keys and what the database or the clock fills in."""
    for field in (*row._meta.concrete_fields, *row._meta.many_to_many):
        automatic = getattr(field, "auto_now", False) or getattr(
            field, "auto_now_add", False
        )
        if not (field.primary_key or automatic):
            yield field


def _raw(field: Any, row: Model | None) -> Any:
    if row is None:
        return None
    if field.many_to_many:
        return sorted(each.pk for each in getattr(row, field.name).all())
    return getattr(row, field.attname)


def _is_hidden(row: Model, field: Any) -> bool:
    label = row._meta.label_lower
    hidden = getattr(row, "AUDIT_HIDDEN", _HIDDEN_FIELDS.get(label, ()))
    if label in _HIDDEN_MODELS or field.name in hidden:
        return True
    if not isinstance(field, _TEXTS) or field.choices:
        return False
    return is_credential(field.name) or bool(_CREDENTIAL.search(field.name))


def _shown(field: Any, row: Model | None) -> Any:
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


def _labelled(field: Any, value: Any) -> Any:
    """A choice by its label; a list, as of JSON, is none."""
    return dict(field.flatchoices).get(value, value) if field.flatchoices else value
