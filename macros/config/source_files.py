"""External sources in files, under their type.

A key is in no file, and no submitter, who is a person.
"""

from __future__ import annotations

from typing import Any

from feedback.models import ExternalSource, FeedbackType

from .imported import Import
from .members import read_members, settings_of
from .problems import Problems, member
from .writing import Document, plain, settings_in


def source_document(row: ExternalSource) -> Document:
    status = row.default_status
    named = {"default_status": status.name} if status is not None else {}
    return plain(settings_in(row) | named)


def add_source(importing: Import, of: FeedbackType, row: Any, path: str) -> None:
    """One that is new is off, at an address of its own; a replaced one keeps both."""
    problems, before = importing.problems, len(importing.problems.messages)
    fields = settings_of(ExternalSource)
    values = read_members(row, path, problems, fields=fields, parts=("default_status",))
    made = ExternalSource(feedback_type=of)
    for name, field in fields.items():
        setattr(made, name, values.get(name, field.get_default()))
    made.is_active = False
    rivals = ExternalSource.objects.filter(feedback_type=of)
    if not importing.settle(made, rivals, path):
        return
    _take_status(made, row, path, problems)
    if len(problems.messages) > before or not importing.fits(made, path):
        return
    stored = rivals.filter(pk=made.pk).first() if made.pk else None
    importing.keep(stored, made)
    done = importing.made
    (done.sources if stored is None else done.replaced).append(made)
    sentence = f"External source {made} {'is replaced' if stored else 'is new'}"
    sentence += "." if made.is_active else ", and off."
    if stored is None:
        sentence += " It gets an address of its own."
    done.sentences.append(sentence)


def _take_status(made: ExternalSource, row: Any, path: str, problems: Problems) -> None:
    name = row.get("default_status") if isinstance(row, dict) else None
    made.default_status = None
    if name is None:
        return
    if isinstance(name, str):
        rows = made.feedback_type.statuses.filter(name__iexact=name)
        made.default_status = rows.first()
    if made.default_status is None:
        problem = f"There is no status '{str(name)[:60]}'."
        problems.add(member(path, "default_status"), problem)
