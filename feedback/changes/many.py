"""The same values for many rows, in a few statements however many they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db.models import QuerySet

from ..units import AnnouncedRow, Origin, plain_values, unit
from .columns import write
from .signals import set_together

M = TypeVar("M", bound=AnnouncedRow)


def set_many(
    rows: QuerySet[M],
    *,
    origin: Origin | None = None,
    answers: Mapping[str, object] | None = None,
    **columns: Any,
) -> int:
    """Give rows columns, and answers to questions by their keys; None takes one away.

    Returns in how many something differs now. They are one unit of work of `origin`,
    or of whoever is at work, and are on the audit log where no macro set them.
    """
    model = rows.model
    with unit(origin) as opened:
        if answers is None:
            rows.update(**columns)
        else:
            [column] = model.announced.answers
            pks = rows.order_by().values_list("pk", flat=True)
            stored = opened.lock(model, pks, [column])
            plain = plain_values(model, columns)
            given = {
                pk: {**plain, column: _answered(values[column], answers)}
                for pk, values in stored.items()
            }
            write(model, given)
        changes = opened.changes(model)
        if changes and not opened.origin.is_automation:
            set_together.send(model, changes=changes)
    return len(changes)


def _answered(stored: Mapping[str, object], given: Mapping[str, object]) -> object:
    merged = {**stored, **given}
    return {key: value for key, value in merged.items() if value is not None}
