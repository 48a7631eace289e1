"""Changes as the write path announces them, and what triggers made of them."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from feedback.changes import Changed, Origin
from feedback.changes.signals import changed, changing
from feedback.models import Feedback, Tester
from logs.models import Run
from macros.models import Trigger

ADA = Origin(actor="ada")
NOTHING: dict[str, Any] = {}


def change(
    row: Feedback | Tester,
    before: dict[str, Any] = NOTHING,
    after: dict[str, Any] = NOTHING,
    *,
    is_new: bool = False,
    comments: tuple[str, ...] = (),
) -> Changed:
    return Changed(row.pk, is_new, dict(before), dict(after), comments)


def announce(
    *changes: Changed, of: type[Feedback] | type[Tester] = Feedback, by: Origin = ADA
) -> None:
    with transaction.atomic():
        changed.send(sender=of, changes=list(changes), origin=by)


def modify(*rows: Feedback, by: Origin = ADA) -> None:
    """Each gets another title, on paper."""
    announce(*(change(row, {"title": "Old"}, {"title": "New"}) for row in rows), by=by)


def look_before(*rows: Feedback) -> None:
    with transaction.atomic():
        changing.send(sender=Feedback, pks=[row.pk for row in rows])


def decisions(of: Trigger) -> list[tuple[str, str]]:
    """Outcome and detail, the newest first."""
    return [(row.outcome, row.detail) for row in of.decisions.all()]


def runs_of(trigger: Trigger) -> list[Run]:
    return list(trigger.runs.order_by("pk"))
