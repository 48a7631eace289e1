"""The way back: deliveries that have ended, or wait for a retry, are due again.

Set-based and in one transaction. The UPDATE itself decides what may be requeued, so
that of two resends at once only one has anything to do.
"""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import models, transaction
from django.db.models import Case, Count, Exists, F, OuterRef, Q, Value, When

from feedback.models import Feedback, SubjectKind, Tester
from feedback.selection.confirmed import SelectionChanged, digest_of

from ..models import Attempt, Delivery, DeliveryState, Resend, Run, RunState
from ..models.deliveries import DeliveryQuerySet
from ..models.runs import SETTLED
from ..redaction import MASK
from .outcomes import COUNTERS, PROBLEMS

# Ids in one statement.
_CHUNK = 500


class Blocker(models.TextChoices):
    """Why a delivery can't be resent."""

    SENDING = "sending", "being sent now"
    DUE = "due", "still in line, so it is sent anyway"
    FOLLOWS = (
        "follows",
        "a later step: it follows by itself when the step before it is delivered",
    )
    CANCELLING = "cancelling", "the run is being cancelled; try again in a moment"
    DELETED = "deleted", "the ticket was deleted"
    GONE = "gone", "the tester was deleted or erased"
    NEVER_SENT = "never", "no request was ever sent: build it anew"
    EMPTIED = "emptied", "the request is no longer kept: build it anew"
    MASKED = (
        "masked",
        "the request held a secret, and logs keep no secrets: build it anew",
    )


@dataclass(slots=True)
class Requeued:
    """How many deliveries were requeued, and how many are to be done in each run.

    The second number includes the later steps that follow them.
    """

    count: int = 0
    runs: dict[int, int] = field(default_factory=dict)


def plain(selection: DeliveryQuerySet) -> DeliveryQuerySet:
    """The same rows, without the joins and the order of whoever selected them."""
    return Delivery.objects.filter(pk__in=selection.order_by().values("pk")).order_by()


def blocker(kind: Resend) -> Case:
    """A delivery's Blocker, empty if it can be resent in this way.

    It makes no join, so that an UPDATE that had to wait for a worker checks the row
    again.
    """
    cases = [*_state_blockers(), *_subject_blockers()]
    if kind == Resend.SAME:
        cases += _log_blockers()
    return Case(*cases, default=Value(""), output_field=models.CharField())


def _subject_blockers() -> list[When]:
    """The same request needs its subject too: its headers are built anew."""
    ticket = Feedback.objects.filter(pk=OuterRef("feedback"))
    tester = Tester.objects.filter(pk=OuterRef("tester"), erased_at=None)
    for_tester = Q(tester__isnull=False)
    return [
        When(for_tester & ~Q(Exists(tester)), then=Value(Blocker.GONE)),
        When(~for_tester & ~Q(Exists(ticket)), then=Value(Blocker.DELETED)),
    ]


def _state_blockers() -> list[When]:
    pending = Q(state=DeliveryState.PENDING)
    cancelling = Run.objects.filter(pk=OuterRef("run"), state=RunState.CANCELLING)
    delivered = Q(state=DeliveryState.DELIVERED)
    # In a cancelled run, the first step for a subject can be resent; the rest follows.
    not_first = Q(state=DeliveryState.CANCELLED, attempts=0, step__gt=0)
    # One that was skipped for want of a value can be resent, once somebody gave that.
    ended = Q(state=DeliveryState.SKIPPED) | not_first
    follows = Q(state=DeliveryState.WAITING) | (ended & ~_previous(delivered))
    return [
        When(pending & ~Q(lease=""), then=Value(Blocker.SENDING)),
        When(pending & Q(attempts=F("attempts_before")), then=Value(Blocker.DUE)),
        When(follows, then=Value(Blocker.FOLLOWS)),
        When(Exists(cancelling), then=Value(Blocker.CANCELLING)),
    ]


def _log_blockers() -> list[When]:
    sent = Attempt.objects.last_sent().filter(delivery=OuterRef("pk"))
    has = {f"transcript__{name}__contains": MASK for name in ("url", "request_body")}
    masked = Q(**has, _connector=Q.OR)
    gone = Q(transcript__url="") | Q(transcript__url__isnull=True)
    # The first ones go first.
    first = Attempt.objects.filter(delivery=OuterRef("pk"), number=1)
    is_cut = ~Exists(sent) & ~Exists(first) & Q(attempts__gt=0)
    return [
        When(is_cut, then=Value(Blocker.EMPTIED)),
        When(~Exists(sent), then=Value(Blocker.NEVER_SENT)),
        When(Exists(sent.filter(gone)), then=Value(Blocker.EMPTIED)),
        When(Exists(sent.filter(masked)), then=Value(Blocker.MASKED)),
    ]


def requeue(
    selection: DeliveryQuerySet,
    kind: Resend,
    by: str,
    now: datetime,
    *,
    confirmed: str | None = None,
) -> Requeued:
    """Make all of a selection that can be resent due now, and its runs active.

    New attempts are logged beside the old, under the same delivery id; the retry ladder
    starts over. Later steps that were skipped after a failure wait for their turn
    again, and are built anew. `by` is the name of who resends. Raises SelectionChanged
    where the deliveries have another digest than `confirmed`.
    """
    # A lease of its own keeps what is picked apart until all of it is written.
    token = uuid.uuid4().hex
    changes = {"lease": token, "resent_at": now, "resent_by": by}
    with transaction.atomic():
        free = plain(selection).alias(blocker=blocker(kind)).filter(blocker="")
        count = free.in_order().update(
            **changes, resend=kind, attempts_before=F("attempts")
        )
        if not count:
            return Requeued()
        picked = Delivery.objects.filter(resent_at=now, lease=token).order_by()
        if confirmed is not None and digest_of(picked) != confirmed:
            raise SelectionChanged
        for subject in SubjectKind:
            _later_steps(picked, token, subject).in_order().update(
                **changes, resend=Resend.ANEW, attempts_before=F("attempts")
            )
        runs = _take_from_counters(picked)
        _make_due(picked, token, now)
    return Requeued(count, runs)


def _later_steps(
    picked: DeliveryQuerySet, token: str, subject: SubjectKind
) -> DeliveryQuerySet:
    """The steps that a picked one before them had ended, unless another one did too."""
    earlier = _siblings(subject).filter(step__lt=OuterRef("step"))
    tried = Q(attempts__gt=0, state__in=[DeliveryState.FAILED, DeliveryState.CANCELLED])
    never_tried = Q(state=DeliveryState.CANCELLED, attempts=0)
    mine = picked.exclude(**{subject: None})
    return Delivery.objects.filter(
        Q(state=DeliveryState.SKIPPED) | never_tried,
        Exists(earlier.filter(lease=token)),
        ~Exists(earlier.filter(tried).exclude(lease=token)),
        **{f"{subject}__in": mine.values(subject)},
        run__in=mine.values("run"),
        step__gt=0,
        lease="",
    )


def _siblings(subject: SubjectKind) -> DeliveryQuerySet:
    """All steps for the same subject in the same run."""
    return Delivery.objects.filter(run=OuterRef("run"), **{subject: OuterRef(subject)})


def _previous(where: Q) -> Q:
    """Whether this holds of the step before. Two look-ups, each using its index."""
    condition = Q()
    for subject in SubjectKind:
        before = _siblings(subject).filter(step=OuterRef("step") - 1)
        condition |= Q(Exists(before.filter(where)))
    return condition


def _earlier(where: Q) -> Q:
    """Whether this holds of any step before."""
    condition = Q()
    for subject in SubjectKind:
        before = _siblings(subject).filter(step__lt=OuterRef("step"))
        condition |= Q(Exists(before.filter(where)))
    return condition


def _take_from_counters(picked: DeliveryQuerySet) -> dict[int, int]:
    """Bring counters and states of the runs up to date, with as few UPDATEs as can be.

    Returns how many deliveries are picked in each run.
    """
    ended: dict[int, Counter[str]] = defaultdict(Counter)
    totals: Counter[int] = Counter()
    rows = picked.values("run", "state", "last_error").annotate(count=Count("pk"))
    columns = rows.values_list("run", "state", "last_error", "count")
    for run_id, state, error, count in columns:
        totals[run_id] += count
        if state == DeliveryState.DELIVERED and error:
            ended[run_id][PROBLEMS] += count
        if state in COUNTERS:
            ended[run_id][COUNTERS[DeliveryState(state)]] += count
    _lock_runs(totals)
    groups: dict[tuple[tuple[str, int], ...], list[int]] = defaultdict(list)
    for run_id in sorted(totals):
        groups[tuple(sorted(ended[run_id].items()))].append(run_id)
    for counts, pks in groups.items():
        for start in range(0, len(pks), _CHUNK):
            _reactivate(pks[start : start + _CHUNK], dict(counts))
    return dict(totals)


def _lock_runs(pks: Iterable[int]) -> None:
    """All in order, since they are then changed in groups."""
    rows = Run.objects.select_for_update(no_key=True).filter(pk__any_of=list(pks))
    list(rows.order_by("pk").values_list("pk"))


def _reactivate(pks: list[int], counts: Mapping[str, int]) -> None:
    """A paused run stays paused, and one that is being cancelled still ends."""
    changes = {name: F(name) - n for name, n in counts.items()}
    settled = When(state__in=SETTLED, then=Value(RunState.ACTIVE))
    Run.objects.filter(pk__in=pks).update(
        state=Case(settled, default=F("state")), finished_at=None, **changes
    )


def _make_due(picked: DeliveryQuerySet, token: str, now: datetime) -> None:
    """Due now, or waiting where a step before it is to be delivered first."""
    to_do = Q(state__in=[DeliveryState.PENDING, DeliveryState.WAITING])
    waits = Q(step__gt=0) & _earlier(to_do | Q(lease=token))
    picked.update(
        state=Case(
            When(waits, then=Value(DeliveryState.WAITING)),
            default=Value(DeliveryState.PENDING),
        ),
        next_attempt_at=Case(
            When(waits, then=None),
            default=Value(now),
            output_field=models.DateTimeField(),
        ),
        finished_at=None,
        lease="",
    )
