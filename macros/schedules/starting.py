"""One moment of a schedule: its run, and the row that says what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from feedback.access.keys import Actor
from feedback.selection import saved
from logs.models import Cause, Delivery, DeliveryState, Run, Subjects

from ..models import Occurrence, OccurrenceOutcome, Schedule, fits, misfit
from ..runs import Because, NothingSelected, RunRefused, start_run, subjects_of

# Rows of a schedule's past that are kept.
KEPT = 100
# In these states a delivery did not succeed and will not.
_UNSUCCESSFUL = [
    DeliveryState.FAILED,
    DeliveryState.SKIPPED,
    DeliveryState.CANCELLED,
]


class FilterBroken(RunRefused):
    """The filter has lost a part, so nobody knows what it means."""


def last_run(schedule: Schedule) -> Run | None:
    """The newest that it started."""
    rows = schedule.occurrences.exclude(run=None).order_by("-pk")
    newest = rows.select_related("run").defer("run__snapshot").first()
    return newest.run if newest else None


def start(
    schedule: Schedule,
    moment: datetime,
    *,
    note: str = "",
    waiting: Occurrence | None = None,
    actor: Actor | None = None,
    key: str = "",
) -> Occurrence:
    """Start a moment's run, and write down what became of it.

    `waiting` is the row of a moment that had to wait. The schedule is locked.
    """
    occurrence = waiting or Occurrence(schedule=schedule, scheduled_for=moment)
    occurrence.started_at, occurrence.detail = timezone.now(), note.capitalize()
    try:
        with transaction.atomic():
            occurrence.run = _run(schedule, moment, note, actor, key)
    except NothingSelected as refusal:
        occurrence.outcome = OccurrenceOutcome.NOTHING
        occurrence.detail = _sentences(note, str(refusal))
    except RunRefused as refusal:
        occurrence.outcome = OccurrenceOutcome.HELD_UP
        occurrence.detail = _sentences(note, str(refusal))
    else:
        occurrence.outcome = OccurrenceOutcome.STARTED
    occurrence.save()
    prune(schedule)
    return occurrence


def note_down(
    schedule: Schedule, moment: datetime, outcome: OccurrenceOutcome, detail: str
) -> None:
    """Write down a moment at which nothing was started."""
    values = {"outcome": outcome, "detail": detail, "started_at": timezone.now()}
    schedule.occurrences.get_or_create(scheduled_for=moment, defaults=values)
    prune(schedule)


def run_now(schedule: Schedule, actor: Actor, key: str) -> Occurrence:
    """Start a run because a person asks, whatever else is unfinished.

    The next moment stays. Asked again with the same key it is the same run.
    """
    with transaction.atomic():
        locked = Schedule.objects.select_for_update(no_key=True).get(pk=schedule.pk)
        known = locked.occurrences.filter(run__key=key).first()
        if known is not None:
            return known
        note = "run now"
        return start(locked, timezone.now(), note=note, actor=actor, key=key)


def subjects_for(schedule: Schedule) -> tuple[Subjects, str]:
    """What it would run on now, and how that was selected. Raises FilterBroken."""
    subjects, words = _filtered(schedule)
    if schedule.only_undelivered:
        subjects = subjects.exclude(Exists(_deliveries_of(schedule)))
        words.append("not delivered by this schedule before")
    since = last_run(schedule) if schedule.only_changed else None
    if since is not None:
        subjects = subjects.filter(modified_at__gt=since.created_at)
        words.append(f"changed since run {since.pk}")
    return subjects, ", ".join(words)


def _filtered(schedule: Schedule) -> tuple[Subjects, list[str]]:
    macro, chosen = schedule.macro, schedule.filter
    subjects: Subjects = subjects_of(macro)
    if chosen is None:
        kind = macro.subject_kind.label.lower()
        return subjects, [f"All {kind}s of {macro.owner}"]
    if not fits(chosen, macro):
        raise FilterBroken(misfit(chosen, macro))
    compiled = saved.compiled(chosen)
    if compiled.problems:
        raise FilterBroken(f"The filter {chosen} is broken. {compiled.words}")
    own = saved.rows_of(chosen).order_by().values("pk")
    return subjects.filter(pk__in=own), [f"{chosen}: {compiled.words}"]


def _run(
    schedule: Schedule, moment: datetime, note: str, actor: Actor | None, key: str
) -> Run:
    subjects, words = subjects_for(schedule)
    because = Because(schedule=schedule, scheduled_for=moment, note=note)
    return start_run(
        schedule.macro,
        subjects,
        cause=Cause.SCHEDULE,
        actor=actor,
        key=key,
        selection=words,
        because=because,
    )


def _deliveries_of(schedule: Schedule) -> Any:
    """Those of a subject in runs of the schedule that succeeded, or still may."""
    subject = schedule.subject_kind.value
    own = {"run__schedule": schedule, subject: OuterRef("pk")}
    unsuccessful = Delivery.objects.filter(
        run=OuterRef("run"), state__in=_UNSUCCESSFUL, **{subject: OuterRef(subject)}
    )
    return Delivery.objects.filter(step=0, **own).exclude(Exists(unsuccessful))


def _sentences(note: str, refusal: str) -> str:
    return f"{note.capitalize()}. {refusal}" if note else refusal


def prune(schedule: Schedule) -> None:
    """Keep the newest rows, and that of the last run: the next may wait for it."""
    rows = schedule.occurrences.order_by("-pk")
    surplus = rows.values_list("pk", flat=True)[KEPT : KEPT + 1].first()
    if surplus is None:
        return
    newest = rows.exclude(run=None).values_list("pk", flat=True).first()
    older = rows.filter(pk__lte=surplus).exclude(outcome=OccurrenceOutcome.QUEUED)
    older.exclude(pk=newest or 0).delete()
