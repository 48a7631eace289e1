"""From documents to rows. Each row passes its own checks before it is saved.

Call these inside a transaction, and roll it back where there are problems.
"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db.models import Model

from feedback.access.keys import Actor
from feedback.models import (
    USUAL_STATUSES,
    FeedbackType,
    FormField,
    Project,
    Status,
)
from logs.models import Action

from ..models import Macro, MacroVersion, Step, kind_named, step_kinds
from ..tags.names import nearest
from .macros import save_macro
from .members import read_members, read_rows, settings_of
from .problems import Problems, member
from .writing import Document, plain

TYPE_PARTS = (
    *("statuses", "fields", "filters", "macros", "listeners", "sources"),
    *("packages", "lookups"),
)


def make_type(
    project: Project, document: object, path: str, problems: Problems
) -> FeedbackType | None:
    """The type with its statuses and form, without macros; None if it is refused."""
    before = len(problems.messages)
    made = FeedbackType(project=project)
    values = read_members(
        document,
        path,
        problems,
        fields=settings_of(FeedbackType),
        parts=TYPE_PARTS,
    )
    if not _saved(made, values, path, problems):
        return None
    if isinstance(document, dict) and not document.get("statuses"):
        document = {**document, "statuses": [{**each} for each in USUAL_STATUSES]}
    kinds: list[tuple[str, type[Model]]] = [("statuses", Status), ("fields", FormField)]
    for name, model in kinds:
        for position, (where, row) in enumerate(
            read_rows(document, name, path, problems), start=1
        ):
            values = read_members(row, where, problems, fields=settings_of(model))
            part = model(feedback_type=made, position=position)
            _saved(part, values, where, problems)
    return made if len(problems.messages) == before else None


def fill_macro(
    macro: Macro,
    document: object,
    path: str,
    problems: Problems,
    *,
    actor: Actor | None,
    note: str,
    action: Action | None = None,
) -> MacroVersion | None:
    """Make a macro, new or stored, what the document says; None if it does not fit.

    What the document leaves out gets its default.
    """
    before = len(problems.messages)
    fields = settings_of(Macro)
    # Triggers and schedules are no part of a macro's versions.
    parts = ("steps", "triggers", "schedules")
    values = read_members(document, path, problems, fields=fields, parts=parts)
    for name, field in fields.items():
        setattr(macro, name, values.get(name, field.get_default()))
    steps = _steps(macro, document, path, problems, [])
    if len(problems.messages) > before:
        return None
    return _saved_macro(macro, steps, path, problems, actor, note, action)


def change_macro(
    macro: Macro,
    document: Document,
    problems: Problems,
    *,
    actor: Actor | None,
    note: str = "",
) -> MacroVersion | None:
    """Change what the document gives of a stored macro; None if it does not fit.

    Steps that it gives as they are stored are not looked at again.
    """
    before = len(problems.messages)
    fields = settings_of(Macro)
    values = read_members(document, "", problems, fields=fields, parts=("steps",))
    for name, value in values.items():
        setattr(macro, name, value)
    steps = macro.concrete_steps()
    if "steps" in document:
        steps = _steps(macro, document, "", problems, steps)
    if len(problems.messages) > before:
        return None
    return _saved_macro(macro, steps, "", problems, actor, note, None)


def _saved_macro(
    macro: Macro,
    steps: list[Step],
    path: str,
    problems: Problems,
    actor: Actor | None,
    note: str,
    action: Action | None,
) -> MacroVersion | None:
    try:
        return save_macro(macro, steps, actor, note=note, action=action)
    except ValidationError as error:
        problems.add_invalid(path, error)
        return None


def _steps(
    macro: Macro, document: object, path: str, problems: Problems, kept: list[Step]
) -> list[Step]:
    """What the document says, but the very rows of `kept` where it says the same."""
    as_stored = {step.pk: (step, plain(step.document())) for step in kept}
    steps = []
    for where, row in read_rows(document, "steps", path, problems):
        alike = (pk for pk, (_, each) in as_stored.items() if each == row)
        if (pk := next(alike, None)) is not None:
            steps.append(as_stored.pop(pk)[0])
        elif step := _step(macro, where, row, problems):
            steps.append(step)
    for position, step in enumerate(steps, start=1):
        step.position = position
    _match(steps, macro.concrete_steps() if macro.pk else [])
    return steps


def _match(steps: list[Step], stored: list[Step]) -> None:
    """Each step becomes the row that is like it, or else the next one of its kind."""
    taken = {step.pk for step in steps}
    left = {step.pk: step for step in stored if step.pk not in taken}
    for is_alike in (_says_the_same, _is_of_its_kind):
        for step in steps:
            alike = (pk for pk, each in left.items() if is_alike(step, each))
            if step.pk is None and (pk := next(alike, None)) is not None:
                step.pk = pk
                step._state.adding = False
                del left[pk]


def _is_of_its_kind(step: Step, other: Step) -> bool:
    return step.kind == other.kind


def _says_the_same(step: Step, other: Step) -> bool:
    return step.document() == other.document()


def _saved(
    row: Model, values: dict[str, object], path: str, problems: Problems
) -> bool:
    for name, value in values.items():
        setattr(row, name, value)
    try:
        row.full_clean()
    except ValidationError as error:
        problems.add_invalid(path, error)
        return False
    row.save()
    return True


def _step(macro: Macro, path: str, row: object, problems: Problems) -> Step | None:
    name = row.get("kind") if isinstance(row, dict) else None
    kind = kind_named(name)
    if kind is None and isinstance(row, dict):
        known = step_kinds()
        meant = nearest(str(name)[:60], known) if name else None
        problem = f"This must be one of {', '.join(known)}."
        problem += f" Did you mean {meant}?" if meant else ""
        problems.add(member(path, "kind"), problem)
        return None
    before = len(problems.messages)
    fields = settings_of(kind) if kind else {}
    values = read_members(row, path, problems, fields=fields, parts=("kind",))
    if kind is None or len(problems.messages) > before:
        return None
    try:
        return kind.restore(macro, values)
    except ValidationError as error:
        problems.add_invalid(path, error)
        return None
