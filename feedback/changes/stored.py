"""A row that a form or a program saves, compared with what it was."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from django.core.exceptions import PermissionDenied
from django.db.models import Model

from ..access.actors import may
from ..access.keys import Actor
from ..units import unit
from .signals import Pair, saved

M = TypeVar("M", bound=Model)


def as_stored(row: M) -> M | None:
    """The row as the database has it by now, or None."""
    if row.pk is None:
        return None
    many = [field.name for field in row._meta.many_to_many]
    rows = type(row)._base_manager.prefetch_related(*many)
    return rows.filter(pk=row.pk).first()


def save(
    row: Model, actor: Actor, *, parts: Iterable[Pair] = (), within: Model | None = None
) -> None:
    """Check a row and save it, where the actor may; `parts` are of rows below it.

    With `within` it is a part itself, of that row, and the change is that row's. Raises
    ValidationError, PermissionDenied: the caller undoes what it wrote then.
    """
    opts = row._meta
    with unit():
        before = as_stored(row)
        row.full_clean()
        row.save()
        permission = f"{opts.app_label}.{'change' if before else 'add'}_"
        if not may(actor, f"{permission}{opts.model_name}", row):
            raise PermissionDenied
        pairs = list(parts)
        if within is not None:
            before, row, pairs = within, within, [(before, row), *pairs]
        saved.send(type(row), before=before, after=row, parts=pairs, note="")
