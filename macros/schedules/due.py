"""What the clock does about schedules: it starts what is due, once.

A schedule is locked while it is dealt with, and read again under the lock: another
clock passes over it, and a person who saves it waits. All that is written is one
transaction, so a clock that dies leaves the moment due.
"""

from __future__ import annotations

import logging
from collections import Counter
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from feedback.database import is_away, is_gone
from logs.models import Run

from ..models import Missed, Occurrence, OccurrenceOutcome, Overlap, Schedule
from .calendar import Passed, next_moment, passed
from .starting import last_run, note_down, start
from .words import on_day

logger = logging.getLogger(__name__)

# A moment that is started later than this was missed.
TOLERANCE = timedelta(minutes=5)
# How often the database may refuse one schedule before its moment is given up.
MAX_TRIES = 10
_tries: Counter[int] = Counter()


def start_due() -> None:
    """Start what is due, and what has waited for a run that has finished.

    One schedule's trouble is no other's.
    """
    due = Schedule.objects.due(timezone.now()).order_by("next_run_at")
    waiting = Occurrence.objects.filter(outcome=OccurrenceOutcome.QUEUED)
    pks = [
        *waiting.order_by().values_list("schedule", flat=True),
        *due.values_list("pk", flat=True),
    ]
    for pk in dict.fromkeys(pks):
        _attempt(pk)


def _attempt(pk: int) -> None:
    """Raises what the database raises while it is away: the moment stays due."""
    try:
        _deal_with(pk)
    except Exception as error:
        if not is_away(error):
            logger.exception("Schedule %s could not be started", pk)
            _give_up(pk, error)
            return
        if is_gone(error):
            raise
        logger.warning("Schedule %s could not be started: %s", pk, error)
        _tries[pk] += 1
        if _tries[pk] >= MAX_TRIES:
            _give_up(pk, error)
    else:
        _tries.pop(pk, None)


@transaction.atomic
def _deal_with(pk: int) -> None:
    # Another clock that has it locked is dealing with it.
    rows = Schedule.objects.select_for_update(no_key=True, skip_locked=True)
    schedule = rows.filter(pk=pk).first()
    if schedule is None:
        return
    waiting = schedule.occurrences.filter(outcome=OccurrenceOutcome.QUEUED).first()
    if waiting is not None and unfinished(schedule) is None:
        note = "waited for the run before"
        start(schedule, waiting.scheduled_for, note=note, waiting=waiting)
    first, now = schedule.next_run_at, timezone.now()
    if not schedule.is_active or first is None or first > now:
        return
    moments = passed(schedule.timetable, first, now)
    following = next_moment(schedule.timetable, moments.last)
    Schedule.objects.filter(pk=pk).update(next_run_at=following)
    _deal_with_moments(schedule, first, moments, now)


def _deal_with_moments(
    schedule: Schedule, first: datetime, moments: Passed, now: datetime
) -> None:
    """At most one run, for the last of them."""
    is_late = now - moments.last > TOLERANCE
    if schedule.missed == Missed.SKIP and (is_late or moments.count > 1):
        _skip(schedule, first, moments, is_late)
        if is_late:
            return
        moments = Passed(moments.last, 1)
    if schedule.occurrences.filter(scheduled_for=moments.last).exists():
        # A clock that went wrong had started it, or a change has brought it back.
        return
    note = _note(moments, is_late)
    if schedule.overlap != Overlap.START and (run := unfinished(schedule)):
        _pass_over(schedule, moments.last, run)
    else:
        start(schedule, moments.last, note=note)


def unfinished(schedule: Schedule) -> Run | None:
    """Its last run, if that goes on."""
    run = last_run(schedule)
    return None if run is None or run.is_settled else run


def _note(moments: Passed, is_late: bool) -> str:
    """`late, 10 missed`: all that passed, or those before the one that is on time."""
    if is_late:
        return "late" if moments.count == 1 else f"late, {moments} missed"
    before = Passed(moments.last, moments.count - 1)
    return f"{before} missed before" if before.count else ""


def _skip(schedule: Schedule, first: datetime, moments: Passed, is_late: bool) -> None:
    missed = moments if is_late else Passed(moments.last, moments.count - 1)
    zone = schedule.time_zone
    many = f"{missed} moments from {on_day(first, zone)} on were missed"
    one = f"It was missed by more than {TOLERANCE.seconds // 60} minutes"
    why = f"{one if missed.count == 1 else many}: no clock was running."
    note_down(schedule, first, OccurrenceOutcome.MISSED, why)


def _pass_over(schedule: Schedule, moment: datetime, run: Run) -> None:
    """The last run is unfinished."""
    state = f"{run.ended:,} of {run.total:,} deliveries of run {run.pk} had ended."
    outcome, detail = OccurrenceOutcome.OVERLAP, state
    if schedule.overlap == Overlap.QUEUE:
        queued = OccurrenceOutcome.QUEUED
        if schedule.occurrences.filter(outcome=queued).exists():
            detail = f"{state} One moment waits for it already."
        else:
            outcome = queued
    note_down(schedule, moment, outcome, detail)


@transaction.atomic
def _give_up(pk: int, error: Exception) -> None:
    """Leave a row in place of the run, and go on with the next moment."""
    _tries.pop(pk, None)
    detail = f"Unexpected error: {type(error).__name__}. The clock's log says more."
    schedule = Schedule.objects.select_for_update(no_key=True).filter(pk=pk).first()
    if schedule is None:
        return
    held_up = OccurrenceOutcome.HELD_UP
    waiting = schedule.occurrences.filter(outcome=OccurrenceOutcome.QUEUED)
    waiting.update(outcome=held_up, detail=detail)
    moment, now = schedule.next_run_at, timezone.now()
    if not schedule.is_active or moment is None or moment > now:
        return
    try:
        following = next_moment(schedule.timetable, now)
    except Exception:
        following = None
        detail += " It has no next moment until it is saved again."
    Schedule.objects.filter(pk=pk).update(next_run_at=following)
    note_down(schedule, moment, held_up, detail)
