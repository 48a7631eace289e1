"""Deleting a row with all that belongs to it, however much that is.

A few thousand rows go at once, in one transaction. More than that go in steps, which
the clock takes one a second, each short: so no page waits, and no other write does.
A step that is cut off is taken again.

What goes is locked before, dependents first: a worker that writes down results takes
deliveries, then tickets and testers, destinations, the run and figures. So whoever
waits holds nothing that the other one still wants.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from django.apps import apps
from django.db import connection, transaction
from django.db.models import Model, QuerySet
from django.utils import timezone

from ..models import Community, DeletedInSteps
from .belongings import Related, belongings, counted, listed
from .signals import deleted

# Rows that are deleted in one transaction; in a step, of each model.
AT_ONCE = 5_000
BEING_DELETED = (
    f"It is being deleted in the background, {AT_ONCE:,} rows of each kind a second."
    " The list shows how much is left."
)


@transaction.atomic
def delete(row: Model) -> bool:
    """Announce it, too. False where it is only marked, and the clock deletes it."""
    if isinstance(row, DeletedInSteps) and is_big(row):
        deleted.send(type(row), rows=[row])
        rows = type(row)._base_manager.filter(pk=row.pk, deleting_since=None)
        rows.update(deleting_since=timezone.now())
        return False
    lock(type(row), [row.pk])
    deleted.send(type(row), rows=[row])
    row.delete()
    return True


@transaction.atomic
def delete_all(rows: QuerySet[Model]) -> None:
    """The same of rows that are never too much."""
    lock(rows.model, list(rows.values_list("pk", flat=True)))
    deleted.send(rows.model, rows=rows)
    rows.delete()


def lock(model: type[Model], pks: Collection[int]) -> None:
    """Lock rows, what goes with them, and what loses its link to them."""
    if not connection.features.has_select_for_update:
        return  # One writes at a time.
    related = belongings(model)
    locked = [*related.goes, *related.stays, Related(model, frozenset(["pk"]))]
    for each in sorted(locked, key=lambda each: _position(each.model)):
        rows = each.rows(pks).order_by("pk").select_for_update(of=("self",))
        list(rows.only("pk"))


def _position(model: type[Model]) -> int:
    """Where a model stands among all, dependents first."""
    return lock_order().get(model, len(lock_order()))


@cache
def lock_order() -> dict[type[Model], int]:
    order = [each.model for each in belongings(Community).goes]
    return {model: position for position, model in enumerate(order)}


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
                lock(type(row), [row.pk])
                row.delete()


@transaction.atomic
def _is_emptied(row: Model, related: Related) -> bool:
    if not _hold(row):
        return False
    pks = list(related.rows([row.pk]).values_list("pk", flat=True)[:AT_ONCE])
    if pks:
        # So that nothing is added below them meanwhile.
        lock(related.model, pks)
    # What they hold, such as bodies, is not read for that.
    read = getattr(related.model, "READ_TO_DELETE", ())
    related.model._base_manager.filter(pk__in=pks).only("pk", *read).delete()
    return len(pks) < AT_ONCE


def _hold(row: Model) -> bool:
    """Whether it is there, and no other clock is at it.

    What a worker writes down may go on to name the row, and does not wait for that.
    """
    rows = type(row)._base_manager.select_for_update(no_key=True, skip_locked=True)
    return rows.filter(pk=row.pk).first() is not None
