"""What can be done with a run that exists: confirm, pause, resume, cancel."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from django.db import transaction
from django.db.models import Model
from django.dispatch import receiver
from django.utils import timezone

from feedback.changes.signals import deleted
from feedback.models import Community, FeedbackType, Project
from logs import audit, recording
from logs.models import Action, Run, RunState
from logs.models.runs import RunQuerySet

from .. import queue
from ..models import Macro

MAX_NOTIFIED = 100


@transaction.atomic
def confirm_run(run: Run) -> bool:
    """Start what waits for a person's word; True if it did."""
    confirmed = recording.confirm(run)
    if confirmed:
        audit.record(Action.CONFIRMED, run)
        transaction.on_commit(lambda: queue.notify(run.pk, run.pending))
    return confirmed


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

    True if it was active, paused or not confirmed.
    """
    cancelled = recording.cancel(run, timezone.now())
    if cancelled:
        audit.record(Action.CANCELLED, run)
    return cancelled


# The look-ups from a run to whatever it does not outlive unfinished.
_STOPPED_WITH: dict[type[Model], str] = {
    Community: "community",
    Project: "project",
    FeedbackType: "macro__feedback_type",
    Macro: "macro",
}


def unfinished_runs(model: type[Model], rows: Collection[Model]) -> RunQuerySet:
    """Those that end when these rows are deleted."""
    lookup = _STOPPED_WITH.get(model)
    if lookup is None:
        return Run.objects.none()
    settled = [RunState.FINISHED, RunState.CANCELLED, RunState.CANCELLING]
    pks = [row.pk for row in rows]
    return Run.objects.filter(**{f"{lookup}__in": pks}).exclude(state__in=settled)


def said_of_runs(model: type[Model], rows: Collection[Model]) -> list[str]:
    """What a page says of them before the rows are deleted."""
    count = unfinished_runs(model, rows).count()
    if not count:
        return []
    verb = "run in progress is" if count == 1 else "runs in progress are"
    return [f"{count:,} {verb} cancelled. What is being sent still arrives."]


@receiver(deleted, dispatch_uid="runs")
def _cancel_with(
    sender: type[Model], rows: Collection[Model], **kwargs: object
) -> None:
    """Their deliveries may be very many, so that the clock ends those."""
    for run in unfinished_runs(sender, rows):
        audit.record(Action.CANCELLED, run, detail="What it belonged to was deleted.")
        recording.begin_cancelling(run)
