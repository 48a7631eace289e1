"""What the workers and the clock do. Each is safe to do twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from functools import wraps

from django.conf import settings
from django.db.models import Min
from django.utils import timezone

from feedback import database, mode
from feedback.late import LateModule
from feedback.models import Mode, StoredResponse
from logs import recording
from logs.models import Run, RunState

from . import deliveries, queue, triggers
from .deliveries.held_up import held_up
from .models import InboundCall

# Most workers only deliver, and the clock does the rest.
attachments = LateModule("feedback.attachments.pruning")
deletion = LateModule("feedback.changes.deletion")
snapshots = LateModule("feedback.packages.snapshots")
imports = LateModule("feedback.transfer.imports")
retention = LateModule("logs.retention")
partitions = LateModule("logs.retention.partitions")
keeping = LateModule("logs.figures.keeping")
right_time = LateModule("macros.right_time")
alerts = LateModule("macros.deliveries.alerts")
work = LateModule("macros.listeners.work")
tiers = LateModule("macros.retention")
schedules = LateModule("macros.schedules.due")

# Listeners that the clock notifies of at once.
_MAX_LISTENERS = 100
# How long a worker goes on with an import before it looks for other work.
IMPORT_SECONDS = 2.0
_losses_looked_at = float("-inf")


def _job(work: Callable[[int], None]) -> Callable[[int], None]:
    """Begins with a connection to the database that works, or with none.

    One that PostgreSQL has ended would fail for each job from then on.
    """

    @wraps(work)
    def job(pk: int) -> None:
        database.tend()
        work(pk)

    return job


@_job
def deliver(run_id: int) -> None:
    deliveries.deliver(run_id)


@_job
def hear(listener_id: int) -> None:
    queue.take_up_calls(listener_id)
    if mode.is_sending():
        work.hear(listener_id)


@_job
def go_on_importing(import_id: int) -> None:
    """For a moment, so that deliveries have their turn; then another job goes on."""
    if mode.is_sending() and imports.work(import_id, IMPORT_SECONDS):
        queue.notify_import(import_id)


@_job
def make_snapshot(snapshot_id: int) -> None:
    if mode.current() != Mode.READ_ONLY:
        snapshots.work(snapshot_id)


def wake() -> None:
    """What the clock does once a second, as far as the mode lets it.

    Jobs that were waiting when the installation was paused end at once; what they were
    for is still due, and is found when it sends again.
    """
    if mode.is_sending():
        _wake()
    elif mode.current() == Mode.PAUSED:
        _rest(timezone.now())


def _rest(now: datetime) -> None:
    """What people asked for, as far as it sends nothing.

    Nothing old goes: after a restore the files may be newer than the rows.
    """
    partitions.look_after_room(now)
    for run in Run.objects.filter(state=RunState.CANCELLING):
        recording.cancel_unheld(run, now)
    for run_id in _with_losses(now):
        queue.notify(run_id)
    for snapshot_id in snapshots.due():
        queue.notify_snapshot(snapshot_id)
    deletion.go_on()
    if right_time.is_known(now):
        keeping.keep(now)


def _with_losses(now: datetime) -> list[int]:
    """Looked for once in a lease, since that goes through all that is due."""
    global _losses_looked_at
    if time.monotonic() - _losses_looked_at < settings.LEASE_SECONDS:
        return []
    _losses_looked_at = time.monotonic()
    runs = Run.objects.with_lost_deliveries(now)
    return list(runs.order_by("pk").values_list("pk", flat=True))


def _wake() -> None:
    """Notify the workers of every run that has work due and no job waiting.

    This finds new runs whose wake-up was lost, retries that are due, and deliveries of
    workers that died. A run that only waits for destinations that take nothing for now
    is left alone. Schedules that are due start their runs, and calls to listeners whose
    wake-up was lost are worked on. Deletions of very much go on by a step, notices go
    out, and old decisions of triggers go. Data packages whose time has come are made
    anew. The log has room for the next months. What is old goes, unless this machine
    seems not to know the time.
    """
    # Without Redis, too.
    schedules.start_due()
    now = timezone.now()
    for run in Run.objects.filter(state=RunState.CANCELLING):
        recording.cancel_unheld(run, now)
    alerts.announce()
    triggers.ask()
    triggers.prune()
    due = Run.objects.with_due_deliveries(now).values_list("pk", "community", "origins")
    rows = {pk: (community, origins) for pk, community, origins in due}
    ready = rows.keys() - held_up(rows)
    for run_id in sorted(ready - queue.notified_runs()) if ready else ():
        queue.notify(run_id)
    for listener_id in _listeners_with_calls():
        queue.notify_calls(listener_id)
    for import_id in imports.due():
        queue.notify_import(import_id)
    for snapshot_id in snapshots.due():
        queue.notify_snapshot(snapshot_id)
    deletion.go_on()
    partitions.look_after_room(now)
    if right_time.is_known(now):
        _let_go(now)


def _let_go(now: datetime) -> None:
    """What is old by the clock goes, and old figures are kept as fewer rows."""
    imports.prune()
    StoredResponse.objects.prune(now)
    attachments.prune()
    keeping.keep(now)
    # The last one, so that what can't be deleted keeps nothing else from being done.
    retention.go_on(tiers.TIERS, now)


def _listeners_with_calls() -> list[int]:
    """Those whose calls wait, and are not at work; the longest-waiting first."""
    due = InboundCall.objects.due(timezone.now()).order_by()
    oldest = due.values("listener").annotate(oldest=Min("pk")).order_by("oldest")
    return list(oldest.values_list("listener", flat=True)[:_MAX_LISTENERS])
