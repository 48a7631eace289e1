"""The one way to make and to change a macro, whoever asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from django.core.exceptions import (
    NON_FIELD_ERRORS,
    PermissionDenied,
    ValidationError,
)
from django.db import transaction

from feedback.access.actors import may
from feedback.access.keys import Actor
from feedback.access.unlocking import locked_message
from feedback.changes.signals import Pair
from logs import audit
from logs.audit.differences import differences
from logs.models import Action

from ..models import Macro, MacroVersion, Step
from .versions import locked_macro, note_version

# A run has a delivery for each step and subject.
MAX_STEPS = 50

_Stored = Mapping[int, Step]


@transaction.atomic
def save_macro(
    macro: Macro,
    steps: Sequence[Step],
    actor: Actor | None,
    *,
    note: str = "",
    action: Action | None = None,
) -> MacroVersion:
    """Make or change a macro, so that it has these steps and no others.

    Writes the macro, its steps, a version and an entry in the audit log with what
    differs, or nothing. Steps with a key are rows of the macro; each gets a position of
    its own, in the order of the list. `note` goes into the version and the entry;
    `actor` is None where the system itself asks, which may do all. Raises
    ValidationError, with the members of a step under `steps[0].url`, and
    PermissionDenied.
    """
    before = locked_macro(macro) if macro.pk else None
    stored = {step.pk: step for step in before.concrete_steps()} if before else {}
    for step in steps:
        step.macro = macro
    _give_positions(steps)
    changed = [step for step in steps if _differing(step, stored)]
    # A step that only has another position was checked before.
    _check(macro, steps, [s for s in changed if _differing(s, stored) != {"position"}])
    macro.save()
    kept = {step.pk for step in steps}
    macro.steps.filter(pk__in=stored.keys() - kept).delete()
    for step in changed:
        step.macro = macro  # Its key is known by now.
        step.save()
    permission = f"macros.{'change' if before else 'add'}_macro"
    if actor is not None and not may(actor, permission, macro):
        raise PermissionDenied
    parts = _parts(stored, steps, changed)
    audit.record_change(before, macro, parts, actor=actor, detail=note, action=action)
    return note_version(macro, actor, note)


def _give_positions(steps: Sequence[Step]) -> None:
    """Places that rise already stay: nothing is written that nobody changed."""
    positions = [step.position for step in steps]
    given = [position for position in positions if position is not None]
    if positions != sorted({*given}):
        for position, step in enumerate(steps, start=1):
            step.position = position


def _differing(step: Step, stored: _Stored) -> set[str]:
    """The names of what differs from the stored step; of a new one it is its kind."""
    if step.pk not in stored:
        return {"kind"}
    return {*differences(stored[step.pk], step)}


def _check(macro: Macro, steps: Sequence[Step], changed: Sequence[Step]) -> None:
    """Steps that stay as they are stored are not looked at again."""
    problems: dict[str, list[str]] = {}
    try:
        macro.full_clean()
    except ValidationError as error:
        problems |= error.message_dict
    sends = any(step.NEEDS_API_KEY for step in changed)
    if sends and macro.has_owner and not macro.community.is_unlocked():
        problems.setdefault(NON_FIELD_ERRORS, []).append(
            locked_message(macro.community)
        )
    if len(steps) > MAX_STEPS:
        problems.setdefault(NON_FIELD_ERRORS, []).append(
            f"A macro has at most {MAX_STEPS} steps, and these are {len(steps)}."
        )
        changed = ()
    for number, step in enumerate(steps):
        if step in changed:
            problems |= _problems_of(step, f"steps[{number}]")
    if problems:
        raise ValidationError(problems)


def _problems_of(step: Step, path: str) -> dict[str, list[str]]:
    try:
        step.full_clean(exclude=["step_ptr", "macro"])
    except ValidationError as error:
        return {
            path if name == NON_FIELD_ERRORS else f"{path}.{name}": messages
            for name, messages in error.message_dict.items()
        }
    return {}


def _parts(
    stored: _Stored, steps: Sequence[Step], changed: Sequence[Step]
) -> Iterator[Pair]:
    for step in changed:
        yield stored.get(step.pk), step
    kept = {step.pk for step in steps}
    for pk, step in stored.items():
        if pk not in kept:
            yield step, None
