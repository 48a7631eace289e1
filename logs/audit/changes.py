"""A row that was made or changed, and what became of the rows below it."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Model

from feedback.access.keys import Actor
from feedback.changes.signals import Pair

from ..models import Action
from .differences import Changes, differences, with_parts
from .entries import record

# A field that is the point of a change, and what it means when it becomes true or
# false.
_SWITCHES = {
    "is_superuser": (Action.ROLE_GIVEN, Action.ROLE_TAKEN),
    "is_paused": (Action.PAUSED, Action.RESUMED),
    "is_active": (Action.SWITCHED_ON, Action.SWITCHED_OFF),
    "is_enabled": (Action.SWITCHED_ON, Action.SWITCHED_OFF),
}


def record_change(
    before: Model | None,
    after: Model,
    parts: Iterable[Pair] = (),
    *,
    actor: Actor | None = None,
    detail: str = "",
    action: Action | None = None,
) -> None:
    """Write one entry with all that differs; none where there is nothing to say.

    The differences say what kind of action it was, unless that is given.
    """
    changes = with_parts(differences(before, after), parts)
    if before is not None and not changes and not detail:
        return
    if action is None:
        action = Action.CREATED if before is None else _meaning(changes)
    record(action, after, actor=actor, changes=changes, detail=detail)


def _meaning(changes: Changes) -> Action:
    for name, (on, off) in _SWITCHES.items():
        if name in changes:
            return on if changes[name][1] else off
    return Action.CHANGED
