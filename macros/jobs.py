"""What the workers and the clock do. Each is safe to do twice."""

from __future__ import annotations

from django.utils import timezone

from feedback.changes import deletion
from logs import recording
from logs.models import Run, RunState

from . import deliveries, queue
from .deliveries import alerts


def deliver(run_id: int) -> None:
    deliveries.deliver(run_id)


def wake() -> None:
    """Notify the workers of every run that has work due and no job waiting.

    This finds new runs whose wake-up was lost, retries that are due, and deliveries of
    workers that died. Deletions of very much go on by a step.
    """
    now = timezone.now()
    for run in Run.objects.filter(state=RunState.CANCELLING):
        recording.cancel_unheld(run, now)
    alerts.announce()
    due = set(Run.objects.with_due_deliveries(now).values_list("pk", flat=True))
    for run_id in sorted(due - queue.notified_runs()) if due else ():
        queue.notify(run_id)
    deletion.go_on()
