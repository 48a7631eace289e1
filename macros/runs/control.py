"""What can be done with a run that was started: pause, resume, cancel."""

from __future__ import annotations

from functools import partial

from django.db import transaction
from django.utils import timezone

from logs import audit, recording
from logs.models import Action, Run

from .. import queue
from ..models import Macro

MAX_NOTIFIED = 100


@transaction.atomic
def pause_run(run: Run) -> bool:
    """Hold a run until it is resumed; True if it was active."""
    paused = recording.pause(run)
    if paused:
        audit.record(Action.PAUSED, run)
    return paused


@transaction.atomic
def resume_run(run: Run) -> bool:
    """Continue a paused run; True if it was paused."""
    resumed = recording.resume(run)
    if resumed:
        audit.record(Action.RESUMED, run)
        transaction.on_commit(lambda: queue.notify(run.pk, run.pending))
    return resumed


@transaction.atomic
def pause_macro(macro: Macro, reason: str) -> bool:
    """Hold all runs of a macro until it is resumed; True if it was not paused."""
    paused = Macro.objects.filter(pk=macro.pk).pause(reason, timezone.now())
    if paused:
        audit.record(Action.PAUSED, macro, detail=reason)
    return paused


@transaction.atomic
def resume_macro(macro: Macro) -> None:
    """Let a paused macro run again, and continue its runs."""
    paused = Macro.objects.filter(pk=macro.pk).exclude(paused_reason="")
    if paused.update(paused_reason="", paused_at=None):
        audit.record(Action.RESUMED, macro)
    waiting = Run.objects.with_due_deliveries(timezone.now()).filter(macro=macro)
    # The clock notifies of the rest.
    for run in waiting.order_by("pk")[:MAX_NOTIFIED]:
        transaction.on_commit(partial(queue.notify, run.pk, run.pending))


@transaction.atomic
def cancel_run(run: Run) -> bool:
    """Send nothing more of a run; what is on the wire is still recorded.

    True if it was active or paused.
    """
    cancelled = recording.cancel(run, timezone.now())
    if cancelled:
        audit.record(Action.CANCELLED, run)
    return cancelled
