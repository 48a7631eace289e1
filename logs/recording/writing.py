"""The one write path of the log: attempts, and the states they lead to."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import cast

from django.db import DataError, IntegrityError, transaction
from django.db.models import F, Q

from feedback.changes import unit
from feedback.texts import storable

from ..models import Attempt, Delivery, DeliveryState, ErrorClass, Run, Transcript
from ..models.attempts import AttemptQuerySet
from ..models.transcripts import KEY
from . import captures, changes, counts, health
from .outcomes import COUNTERS, PROBLEMS, Outcome
from .progress import following, move_on
from .states import add_to_counters

logger = logging.getLogger(__name__)

# The database is there, but will never take these rows. Drivers raise the last two for
# what they can't hand over.
REFUSED = (DataError, IntegrityError, ValueError, OverflowError)
# Rows in one statement.
_CHUNK = 500


def record(run: Run, lease: str, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Write attempts and new states, all in one transaction if they can be.

    If the database refuses a row, each outcome gets a transaction of its own, so that
    it costs none of the others.
    """
    if not outcomes:
        return
    for outcome in outcomes:
        if outcome.attempt is not None:
            outcome.attempt.change_texts(storable)
    try:
        _record(run, lease, outcomes, now)
    except REFUSED:
        logger.warning(
            "Run %s: results are written one by one",
            run.pk,
            exc_info=True,
            extra={"run": run.pk},
        )
        for outcome in outcomes:
            _record_alone(run, lease, outcome, now)


def _record_alone(run: Run, lease: str, outcome: Outcome, now: datetime) -> None:
    """Without what is refused, if need be; what is refused even so counts as lost."""
    try:
        _record(run, lease, [outcome], now)
        return
    except REFUSED as error:
        _leave_out(outcome, type(error).__name__)
    try:
        _record(run, lease, [outcome], now)
    except REFUSED:
        pk = outcome.delivery.pk
        logger.exception(
            "The result of delivery %s can't be written", pk, extra={"delivery": pk}
        )


def _leave_out(outcome: Outcome, why: str) -> None:
    outcome.captured = ()
    attempt = outcome.attempt
    if attempt is None:
        return
    message = (
        f"The database refused to keep this try as it was ({why}), so its texts are"
        " left out, and nothing of the response is stored."
    )
    if outcome.change is not None:
        outcome.change, outcome.state = None, DeliveryState.FAILED
        attempt.error_class = ErrorClass.RENDER
        message = f"The database refused the change ({why}). Nothing was changed."
    attempt.change_texts(_emptied)
    attempt.message = outcome.message = message


def _emptied(text: str) -> str:
    return ""


def _record(run: Run, lease: str, outcomes: Sequence[Outcome], now: datetime) -> None:
    """One transaction, and one unit of work.

    An attempt was made, so it is written with what it captured even if the lease has
    passed to another worker meanwhile. The state is changed for the holder of the lease
    only, and so are tickets and testers. Deliveries whose run was deleted meanwhile are
    dropped.
    """
    with unit(changes.origin_of(run)):
        leases = _lock(run, outcomes)
        known = [each for each in outcomes if each.delivery.pk in leases]
        known = [
            each
            for each in known
            if each.change is None or leases[each.delivery.pk] == lease
        ]
        _forget_erased(each for each in known if leases[each.delivery.pk] != lease)
        changes.lock_subjects(known, run)
        captures.store(known, run)
        changes.make(known, run)
        Attempt.objects.write([each.attempt for each in known if each.attempt])
        held = [each for each in known if leases[each.delivery.pk] == lease]
        destinations = health.update_destinations(run, held, now)
        ended = _change_states(held, destinations, now)
        followed = move_on(run, held, now)
        add_to_counters(run, ended + followed, now)
        counts.count_batch(run, held, destinations, followed, now)


def _forget_erased(late: Iterable[Outcome]) -> None:
    """Empty attempts that come so late that their person has been erased since.

    An erasure waits for the leases that are held.
    """
    outcomes = {each.delivery.pk: each for each in late if each.attempt}
    if not outcomes:
        return
    erased = Q(feedback__submitter__erased_at__isnull=False)
    erased |= Q(tester__erased_at__isnull=False)
    rows = Delivery.objects.filter(erased, pk__in=outcomes)
    for pk in rows.values_list("pk", flat=True):
        outcomes[pk].captured = ()
        cast(Attempt, outcomes[pk].attempt).change_texts(_emptied)


def _lock(run: Run, outcomes: Sequence[Outcome]) -> dict[int, str]:
    """Lock the deliveries, and the later steps that may follow, in order; leases."""
    pks = [outcome.delivery.pk for outcome in outcomes]
    pks += following(run, outcomes)
    rows = Delivery.objects.select_for_update().filter(pk__any_of=pks).order_by("pk")
    return dict(rows.values_list("pk", "lease"))


def _change_states(
    outcomes: Iterable[Outcome], destinations: dict[str, int], now: datetime
) -> Counter[str]:
    """One UPDATE for all that change in the same way; returns what adds to counters."""
    groups = defaultdict(list)
    for outcome in outcomes:
        attempt = outcome.attempt
        result = (attempt.status, attempt.error_class) if attempt else None
        origin = destinations.get(outcome.origin)
        key = (outcome.state, result, outcome.retry_in, origin)
        groups[key].append(outcome.delivery.pk)
    ended: Counter[str] = Counter()
    for (state, result, retry_in, destination), pks in groups.items():
        due = None if retry_in is None else now + timedelta(seconds=retry_in)
        changes: dict[str, object] = {
            "state": state,
            "lease": "",
            "next_attempt_at": due,
        }
        if result is not None:
            changes |= _after_a_try(*result)
        if destination is not None:
            changes["destination"] = destination
        if state in COUNTERS:
            changes["finished_at"] = now
            ended[COUNTERS[state]] += len(pks)
            if state == DeliveryState.DELIVERED and result and result[1]:
                ended[PROBLEMS] += len(pks)
        Delivery.objects.filter(pk__any_of=pks).update(**changes)
    return ended


def _after_a_try(status: int | None, error: str) -> dict[str, object]:
    return {
        "last_status": status,
        "last_error": error,
        "attempts": F("attempts") + 1,
        "losses": F("losses") + 1 if error == ErrorClass.LOST else 0,
    }


def scrub(attempts: AttemptQuerySet) -> int:
    """Take the texts of attempts away: bodies, headers, URLs and messages.

    Moment, duration, method and status stay. No attempt is ever changed in any other
    way. Each chunk is a transaction of its own, so that a crash loses little. Returns
    how many had texts.
    """
    scrubbed = last = 0
    says_something = ~Q(message="") | Q(transcript__url__isnull=False)
    rows = attempts.filter(says_something).order_by("pk").values_list("pk", *KEY)
    while chunk := list(rows.filter(pk__gt=last)[:_CHUNK]):
        pks, keys = [row[0] for row in chunk], [row[1:] for row in chunk]
        with transaction.atomic():
            Transcript.objects.filter(pk__in=keys).delete()
            Attempt.objects.filter(pk__in=pks).update(message="")
        scrubbed, last = scrubbed + len(chunk), pks[-1]
    return scrubbed
