"""The one way to make and to change a listener with its parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import TypeVar

from django.core.exceptions import (
    NON_FIELD_ERRORS,
    PermissionDenied,
    ValidationError,
)
from django.db import models, transaction

from feedback.access.actors import may
from feedback.access.keys import Actor
from feedback.changes.signals import Pair
from logs import audit

from ..models import Listener, ListenerAction, ListenerCheck, ListenerKey
from ..models.listeners import new_key

Part = TypeVar("Part", ListenerCheck, ListenerAction)


@transaction.atomic
def save_listener(
    listener: Listener,
    checks: Sequence[ListenerCheck],
    actions: Sequence[ListenerAction],
    actor: Actor | None,
    *,
    note: str = "",
) -> None:
    """Make or change a listener, so that it has these parts and no others.

    A new one gets a key. Writes an entry in the audit log with what differs. `actor` is
    None where the system itself asks, which may do all. Raises ValidationError, with
    the members of a part under `checks[0].secret`, and PermissionDenied.
    """
    rows = Listener.objects.select_for_update(no_key=True, of=("self",))
    before = rows.filter(pk=listener.pk).first() if listener.pk else None
    _check(listener, checks, actions)
    listener.save()
    if before is None:
        ListenerKey.objects.create(listener=listener, key=new_key())
    for position, action in enumerate(actions, start=1):
        action.position = position
    parts = [*_keep(listener, ListenerCheck, checks)]
    parts += _keep(listener, ListenerAction, actions)
    permission = f"macros.{'change' if before else 'add'}_listener"
    if actor is not None and not may(actor, permission, listener):
        raise PermissionDenied
    audit.record_change(before, listener, parts, actor=actor, detail=note)


def _check(
    listener: Listener,
    checks: Sequence[ListenerCheck],
    actions: Sequence[ListenerAction],
) -> None:
    problems = _problems_of(listener, "")
    for name, parts in (("checks", checks), ("actions", actions)):
        for number, part in enumerate(parts):
            problems |= _problems_of(part, f"{name}[{number}]", "listener")
    if not problems:
        problems = Listener.find_problems(listener, checks, actions)
    if problems:
        raise ValidationError(problems)


def _problems_of(row: models.Model, path: str, *exclude: str) -> dict[str, list[str]]:
    try:
        row.clean_fields(exclude=exclude)  # First: the others rely on what it reads.
        row.full_clean(exclude=exclude)
    except ValidationError as error:
        return {
            ".".join(filter(None, (path, "" if name == NON_FIELD_ERRORS else name)))
            or NON_FIELD_ERRORS: messages
            for name, messages in error.message_dict.items()
        }
    return {}


def _keep(
    listener: Listener, model: type[Part], rows: Sequence[Part]
) -> Iterator[Pair]:
    """Each takes the row that stood in its place; what is left of those goes."""
    stored = list(model._default_manager.filter(listener=listener))
    for before, row in zip_longest(stored, rows):
        if row is None:
            before.delete()
        else:
            row.listener = listener
            row.pk = before.pk if before else None
            row._state.adding = before is None
            row.save()
        yield before, row
