"""From documents to rows. Each row passes its own checks before it is saved.

Call these inside a transaction, and roll it back where problems were found.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model

from feedback.models import FeedbackType, FormField, Project, Status

from ..models import Macro, Step, kind_named, step_kinds
from ..tags.names import nearest
from .members import read_members, read_rows, settings_of
from .problems import Problems, member

_Planned = tuple[str, type[Step], dict[str, Any]]


def make_type(
    project: Project, document: Any, path: str, problems: Problems
) -> FeedbackType | None:
    """The type with its statuses and form, without macros; None if it is refused."""
    before = len(problems.found)
    made = FeedbackType(project=project)
    values = read_members(
        document,
        path,
        problems,
        fields=settings_of(FeedbackType),
        parts=("statuses", "fields", "macros"),
    )
    if not _saved(made, values, path, problems):
        return None
    kinds: list[tuple[str, type[Model]]] = [("statuses", Status), ("fields", FormField)]
    for name, model in kinds:
        for position, (where, row) in enumerate(
            read_rows(document, name, path, problems), start=1
        ):
            values = read_members(row, where, problems, fields=settings_of(model))
            part = model(feedback_type=made, position=position)
            _saved(part, values, where, problems)
    return made if len(problems.found) == before else None


def fill_macro(macro: Macro, document: Any, path: str, problems: Problems) -> bool:
    """Make a macro, new or stored, what the document says; True if it fits.

    What the document leaves out gets its default. Steps are made anew.
    """
    before = len(problems.found)
    fields = settings_of(Macro)
    values = read_members(document, path, problems, fields=fields, parts=("steps",))
    steps = [
        planned
        for where, row in read_rows(document, "steps", path, problems)
        if (planned := _planned(where, row, problems))
    ]
    if len(problems.found) > before:
        return False
    defaults = {name: field.get_default() for name, field in fields.items()}
    if not _saved(macro, defaults | values, path, problems):
        return False
    locked = any(kind.NEEDS_API_KEY for _, kind, _ in steps)
    if locked and not macro.community.is_unlocked():
        told = (
            f"Web requests are locked: the community {macro.community} has no valid API"
            " key. A Community Manager can create one."
        )
        problems.add(path, told)
        return False
    macro.steps.all().delete()
    for position, step in enumerate(steps, start=1):
        _save_step(macro, position, step, problems)
    return len(problems.found) == before


def _saved(row: Any, values: dict[str, Any], path: str, problems: Problems) -> bool:
    for name, value in values.items():
        setattr(row, name, value)
    try:
        row.full_clean()
    except ValidationError as error:
        problems.add_invalid(path, error)
        return False
    row.save()
    return True


def _planned(path: str, row: Any, problems: Problems) -> _Planned | None:
    name = row.get("kind") if isinstance(row, dict) else None
    kind = kind_named(name)
    if kind is None and isinstance(row, dict):
        known = step_kinds()
        meant = nearest(str(name)[:60], known) if name else None
        told = f"This must be one of {', '.join(known)}."
        told += f" Did you mean {meant}?" if meant else ""
        problems.add(member(path, "kind"), told)
        return None
    fields = settings_of(kind) if kind else {}
    values = read_members(row, path, problems, fields=fields, parts=("kind",))
    return (path, kind, values) if kind else None


def _save_step(
    macro: Macro, position: int, planned: _Planned, problems: Problems
) -> None:
    path, kind, values = planned
    try:
        step = kind.restore(macro, values)
    except ValidationError as error:
        problems.add_invalid(path, error)
        return
    step.position = position
    step.save()
