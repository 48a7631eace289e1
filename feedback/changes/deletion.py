"""Deleting a row with all that belongs to it, however much that is.

A few thousand rows go at once, in one transaction. More than that go in steps, which
the clock takes one a second, each short: so no page waits, and no other write does.
A step that is cut off is taken again.
"""

from __future__ import annotations

from django.apps import apps
from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from ..models import DeletedInSteps
from .belongings import Related, belongings, counted, listed

# Rows that are deleted in one transaction; in a step, of each model.
AT_ONCE = 5_000
BEING_DELETED = (
    f"It is being deleted in the background, {AT_ONCE:,} rows of each kind a second."
    " The list shows how much is left."
)


def delete(row: Model) -> bool:
    """False where it is only marked, and the clock deletes it."""
    if isinstance(row, DeletedInSteps) and is_big(row):
        rows = type(row)._base_manager.filter(pk=row.pk, deleting_since=None)
        rows.update(deleting_since=timezone.now())
        return False
    row.delete()
    return True


def why_not(row: Model) -> str:
    """What keeps a row from being deleted, or an empty string."""
    if isinstance(row, DeletedInSteps) and row.deleting_since:
        return f"{row}: {BEING_DELETED}"
    holding = listed(belongings(type(row)).holds, [row.pk])
    if not holding:
        return ""
    return (
        f"The {row._meta.verbose_name} {row} is used by {holding}. Change or delete"
        " these first."
    )


def is_big(row: Model) -> bool:
    """Whether it is too much for one transaction."""
    return sum(counted(belongings(type(row)).goes, [row.pk], AT_ONCE + 1)) > AT_ONCE


def go_on() -> None:
    """Take the next step of all that is being deleted."""
    for model in apps.get_models():
        if issubclass(model, DeletedInSteps):
            for row in model._base_manager.exclude(deleting_since=None):
                _step(row)


def _step(row: Model) -> None:
    """What others depend on waits until those are gone; the row itself is the last."""
    unfinished: set[type[Model]] = set()
    for related in belongings(type(row)).goes:
        if related.before & unfinished or not _is_emptied(row, related):
            unfinished.add(related.model)
    if not unfinished:
        with transaction.atomic():
            if _hold(row):
                row.delete()


@transaction.atomic
def _is_emptied(row: Model, related: Related) -> bool:
    if not _hold(row):
        return False
    # Locked, so that nothing is added below them meanwhile.
    rows = related.rows([row.pk]).select_for_update(of=("self",)).only("pk")
    pks = [each.pk for each in rows[:AT_ONCE]]
    # What they hold, such as bodies, is not read for that.
    read = getattr(related.model, "READ_TO_DELETE", ())
    related.model._base_manager.filter(pk__in=pks).only("pk", *read).delete()
    return len(pks) < AT_ONCE


def _hold(row: Model) -> bool:
    """Whether it is there, and no other clock is at it."""
    rows = type(row)._base_manager.select_for_update(skip_locked=True)
    return rows.filter(pk=row.pk).first() is not None
