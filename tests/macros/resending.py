"""Runs that have something to resend."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from logs.models import Attempt, Delivery, Run
from macros import deliveries
from macros.models import Macro
from tests import factories

COUNTERS = ("state", "delivered", "failed", "skipped", "cancelled", "pending")
GONE = "http://127.0.0.1:9/"


def a_macro(*urls: str, tickets: int = 1, **options: Any) -> Macro:
    bugs = factories.feedback_type()
    factories.tickets(bugs, tickets, title="Old title")
    return factories.macro(bugs, *urls, **options)


def work(run: Run) -> tuple[object, ...]:
    deliveries.work(run.pk)
    return counters(run)


def counters(run: Run) -> tuple[object, ...]:
    run.refresh_from_db()
    return tuple(getattr(run, name) for name in COUNTERS)


def states(run: Run) -> list[str]:
    rows = run.deliveries.order_by("feedback", "step")
    return list(rows.values_list("state", flat=True))


def finish(run: Run, *outcomes: tuple[str, str]) -> None:
    """End deliveries as if a worker had; (state, error) by subject, then step."""
    rows = run.deliveries.order_by("feedback", "step")
    for delivery, (state, error) in zip(rows, outcomes, strict=True):
        tried = state in ("delivered", "failed")
        Delivery.objects.filter(pk=delivery.pk).update(
            state=state, last_error=error, attempts=tried, next_attempt_at=None
        )
        if tried:
            attempt = Attempt(delivery=delivery, number=1, started_at=timezone.now())
            attempt.method, attempt.url, attempt.error_class = "POST", GONE, error
            Attempt.objects.bulk_create([attempt])
    counted = states(run)
    Run.objects.filter(pk=run.pk).update(
        state="finished",
        **{
            name: counted.count(name)
            for name in ("delivered", "failed", "skipped", "cancelled")
        },
    )
