"""Values from responses, kept as external data with where they come from.

A capture is no edit of the subject, so `modified_at` stays; it is announced, with the
run as its origin. Where a value comes from is kept beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from feedback.changes import unit, write
from feedback.models import Feedback, SubjectKind, Tester
from feedback.sources.external import MAX_DATA, size_of

from ..models import Attempt, ErrorClass, Run
from .outcomes import Captured, Outcome

MODELS: dict[SubjectKind, type[Feedback] | type[Tester]] = {
    SubjectKind.FEEDBACK: Feedback,
    SubjectKind.TESTER: Tester,
}
_FULL = f"the external data would be longer than {MAX_DATA:,} bytes"

COLUMNS = ("external_data", "external_provenance")
_Data = dict[str, object]


def store(outcomes: Sequence[Outcome], run: Run) -> None:
    """Write what the outcomes have captured, inside the transaction that records them.

    Safe to repeat: the same try writes the same again, and an older one, which comes
    late, leaves what a newer one has written. Other keys stay as they are.
    """
    capturing = [each for each in outcomes if each.captured and each.attempt]
    if not capturing:
        return
    model = MODELS[run.subject_kind]
    pks = {each.delivery.subject_id for each in capturing}
    with unit() as opened:
        subjects = opened.lock(model, pks, COLUMNS)
        changed: dict[int, dict[str, _Data]] = {}
        for outcome in capturing:
            pk = outcome.delivery.subject_id
            if pk not in subjects:
                kind = run.subject_kind.label.lower()
                _note(outcome, [f"Nothing is stored: the {kind} was deleted."])
                continue
            present = changed.get(pk, subjects[pk])
            changed[pk] = _with_captured(present, outcome, run.pk)
        write(model, changed)


def _with_captured(
    subject: Mapping[str, _Data], outcome: Outcome, run_id: int
) -> dict[str, _Data]:
    """The subject's data after the outcome."""
    data, provenance = (dict(subject[name]) for name in COLUMNS)
    attempt = cast(Attempt, outcome.attempt)
    at = _response_at(attempt)
    origin = {"run": run_id, "delivery": outcome.delivery.pk, "attempt": attempt.number}
    notes = []
    for each in outcome.captured:
        if _is_newer(provenance.get(each.key), origin, at):
            notes.append(f"Not stored: {each.key}, since a newer response has set it.")
            continue
        grown = data | {each.key: each.value}
        if size_of(grown) > MAX_DATA and size_of(grown) > size_of(data):
            if each.required:
                _lack(outcome, each)
                notes.append(f"The required {each.key} is missing: {_FULL}.")
            else:
                notes.append(f"Not stored: {each.key}, since {_FULL}.")
            continue
        data = grown
        provenance[each.key] = {**origin, "at": at.isoformat(), "source": each.source}
        notes.append(f"Stored: {each}")
    _note(outcome, notes)
    return dict(zip(COLUMNS, (data, provenance), strict=True))


def _response_at(attempt: Attempt) -> datetime:
    return attempt.started_at + timedelta(milliseconds=attempt.total_ms or 0)


def _is_newer(before: Any, origin: dict[str, int], at: datetime) -> bool:
    """What can't be read is older."""
    try:
        if before["delivery"] == origin["delivery"]:
            return bool(before["attempt"] > origin["attempt"])
        return datetime.fromisoformat(before["at"]) > at
    except (KeyError, TypeError, ValueError):
        return False


def _lack(outcome: Outcome, missing: Captured) -> None:
    """It is delivered, with a problem, and is so before its state is written."""
    cast(Attempt, outcome.attempt).error_class = ErrorClass.VALUE
    stops = [at for at in (outcome.stops_at, missing.stops_at) if at is not None]
    outcome.stops_at = min(stops, default=None)


def _note(outcome: Outcome, lines: list[str]) -> None:
    """Add lines to the attempt's message; the same again if this is repeated."""
    message = "\n".join(filter(None, [outcome.message, *lines]))
    cast(Attempt, outcome.attempt).message = message
