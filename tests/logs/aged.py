"""Runs that ended long ago."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from feedback.models import FeedbackType
from logs.models import Attempt, AuditEntry, Delivery, DeliveryState, Run, RunState
from macros.models import Macro
from tests import factories


def ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


def run(of: FeedbackType | Macro, days: float, tickets: int = 1, **values: Any) -> Run:
    """Finished so many days ago, each ticket with one attempt at that time."""
    macro = of
    if isinstance(macro, FeedbackType):
        macro = factories.macro(macro, "https://example.com/")
    assert macro.feedback_type is not None
    factories.tickets(macro.feedback_type, tickets)
    made = factories.run(macro)
    finish(made, ago(days), **values)
    return made


def finish(made: Run, at: datetime, **values: Any) -> None:
    rows = Delivery.objects.filter(run=made)
    rows.update(
        state=DeliveryState.DELIVERED, attempts=1, finished_at=at, next_attempt_at=None
    )
    Attempt.objects.write([attempt(each, at) for each in rows.order_by("pk")])
    values = {"state": RunState.FINISHED, "finished_at": at, **values}
    count = rows.count()
    Run.objects.filter(pk=made.pk).update(
        created_at=at, total=count, delivered=count, **values
    )
    made.refresh_from_db()


def attempt(of: Delivery, at: datetime, **values: Any) -> Attempt:
    made = Attempt.begun(of, at)
    made.number, made.method, made.status = 1, "POST", 200
    made.url, made.request_body = "https://example.com/", '{"text": "It breaks"}'
    for name, value in values.items():
        setattr(made, name, value)
    return made


def audit_entry(of: FeedbackType | None, days: float) -> AuditEntry:
    community = of.project.community if of else None
    entry = AuditEntry(action="changed", community=community, moment=ago(days))
    entry.save()
    return entry
