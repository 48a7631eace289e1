"""From what changed to runs: one for each trigger that matches, in one transaction.

Whatever keeps a trigger from starting is a decision of it, and never an error of who
saved: the change goes on.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from heapq import nsmallest

from django.conf import settings
from django.db import transaction
from django.db.models import Model

from feedback.changes import Changed, Origin
from feedback.changes.rehearsal import note_start
from feedback.models import Feedback, SubjectKind, Tester
from logs.models import Cause, Delivery, DeliveryState

from ..models import DecisionOutcome, Event, Trigger
from ..models.triggers import EVENTS
from ..runs import Because, RunRefused, not_run_on, start_run, subjects_of
from .decisions import KEPT, Decided, write
from .events import Details, Kind, concerns, kind_of
from .matching import FilterBroken, Matching
from .words import sentence

logger = logging.getLogger(__name__)

MODELS: Mapping[SubjectKind, type[Model]] = {
    SubjectKind.FEEDBACK: Feedback,
    SubjectKind.TESTER: Tester,
}
_FAULT = "An error inside CenterHook; its log says more."


def react(
    kind: SubjectKind,
    changes: Sequence[Changed],
    origin: Origin,
    before: Mapping[int, set[int]],
) -> None:
    """Start what waits for these changes, and keep why it did or did not.

    `before` has, by the keys of triggers, what matched before the changes.
    """
    batch = Batch(kind, changes, origin, before)
    where = {"follows_automation": True} if origin.is_automation else {}
    triggers = waiting(kind, batch.changes, batch.events, **where)
    if not triggers:
        return
    details = Details(triggers)
    write([_decided(Evaluation(trigger, batch, details)) for trigger in triggers])


def waiting(
    kind: SubjectKind, pks: Collection[int], events: Iterable[Event], **where: bool
) -> list[Trigger]:
    """All triggers that are on and wait for such an event of any of these subjects.

    In one order everywhere, since starting a run may lock its macro.
    """
    wanted = list(events)
    if not wanted or not pks:
        return []
    rows = Trigger.objects.filter(is_active=True, event__in=wanted, **where)
    subjects = MODELS[kind]._default_manager.filter(pk__any_of=set(pks)).order_by()
    if kind == SubjectKind.FEEDBACK:
        rows = rows.filter(macro__feedback_type__in=subjects.values("feedback_type"))
    else:
        owners = subjects.values("community")
        rows = rows.filter(macro__feedback_type=None, community__in=owners)
    # Nearly always there is none, which is known without all that they need.
    keys = list(rows.order_by().values_list("pk", flat=True))
    if not keys:
        return []
    related = (
        "macro__feedback_type__project__community",
        "macro__project__community",
        "filter__feedback_type__project__community",
        "filter__project__community",
    )
    rows = Trigger.objects.filter(pk__in=keys, is_active=True)
    return list(rows.select_related(*related).order_by("macro", "pk"))


class Batch:
    """What was written together, as the triggers look at it."""

    def __init__(
        self,
        kind: SubjectKind,
        changes: Sequence[Changed],
        origin: Origin,
        before: Mapping[int, set[int]],
    ) -> None:
        self.kind = kind
        self.changes = {change.pk: change for change in changes}
        self.origin = origin
        self.matching = Matching()
        self._before = before
        # Most have much in common, and are looked at together.
        self._alike: dict[Kind, list[Changed]] = defaultdict(list)
        for change in changes:
            self._alike[kind_of(change)].append(change)

    @property
    def events(self) -> list[Event]:
        return [
            each
            for each in EVENTS[self.kind]
            if any(concerns(each, kind) for kind in self._alike)
        ]

    def concerning(self, trigger: Trigger) -> list[Changed]:
        groups = (
            changes
            for kind, changes in self._alike.items()
            if concerns(trigger.event, kind)
        )
        return [change for group in groups for change in group]

    def matched_before(self, trigger: Trigger) -> set[int]:
        matched = self._before.get(trigger.pk, set()) & self.changes.keys()
        return {pk for pk in matched if not self.changes[pk].is_new}


class Evaluation:
    """What one trigger makes of a batch."""

    def __init__(self, trigger: Trigger, batch: Batch, details: Details) -> None:
        self.trigger = trigger
        self.decided = Decided(trigger, batch.kind)
        self._batch = batch
        self._details = details

    def look(self) -> None:
        """Decide on all to whom the event may have happened."""
        concerned = self._batch.concerning(self.trigger)
        if problem := self._details.problem(self.trigger):
            self.hold_up([change.pk for change in concerned], problem)
            return
        happened, missed = set(), defaultdict(list)
        miss = self._details.misses(self.trigger)
        for change in concerned:
            if why := miss(change):
                missed[why].append(change.pk)
            else:
                happened.add(change.pk)
        for why, pks in list(missed.items())[:KEPT]:
            self._note(DecisionOutcome.OTHER_EVENT, pks, why)
        self.decide(happened)

    def decide(self, pks: set[int]) -> None:
        """Start a run on those, to whom the event has happened, that are to have it."""
        if not pks:
            return
        try:
            matched = self._batch.matching.matches(self.trigger, pks)
        except FilterBroken as broken:
            self.hold_up(pks, str(broken))
            return
        self._note_no_match(pks - matched)
        if self.trigger.only_new_matches:
            before = matched & self._batch.matched_before(self.trigger)
            why = "It matched before the change too."
            self.decided.add(DecisionOutcome.NO_MATCH, before, why)
            matched -= before
        for taken, why in _ran_before(self.trigger, matched):
            self.decided.add(DecisionOutcome.ONCE, taken, why)
            matched -= taken
        if matched and (why := _loop(self.trigger, self._batch.origin)):
            self.decided.add(DecisionOutcome.LOOP, matched, why)
        elif matched:
            self._start(matched)

    def hold_up(self, pks: Collection[int], why: str) -> None:
        self._note(DecisionOutcome.HELD_UP, pks, why)

    def fail(self) -> None:
        """Nothing that it decided is so any more."""
        self.decided = Decided(self.trigger, self._batch.kind)
        concerned = self._batch.concerning(self.trigger)
        self.hold_up([change.pk for change in concerned], _FAULT)

    def _note(self, outcome: DecisionOutcome, pks: Collection[int], why: str) -> None:
        """On the macro's own subjects: others are none of the trigger's business."""
        own = self._batch.matching.own(self.trigger, nsmallest(KEPT, pks))
        self.decided.add(outcome, own, why)

    def _note_no_match(self, pks: set[int]) -> None:
        by_reason = defaultdict(list)
        first = nsmallest(KEPT, pks)
        reasons = self._batch.matching.reasons(self.trigger, first)
        for pk, why in reasons.items():
            by_reason[why].append(pk)
        for why, same in by_reason.items():
            self.decided.add(DecisionOutcome.NO_MATCH, same, why)

    def _start(self, pks: set[int]) -> None:
        trigger, origin = self.trigger, self._batch.origin
        is_too_many = len(pks) > trigger.limit
        because = Because(
            trigger=trigger,
            chain=(*origin.chain, trigger.pk),
            needs_confirmation=is_too_many,
            changes=self._batch.changes,
            changed_by=origin.actor or origin.macro or origin.listener,
        )
        try:
            run = start_run(
                trigger.macro,
                MODELS[self._batch.kind]._default_manager.filter(pk__any_of=pks),
                cause=Cause.TRIGGER,
                selection=sentence(trigger, self._details, self._batch.matching),
                because=because,
            )
        except RunRefused as refused:
            self.decided.add(DecisionOutcome.HELD_UP, pks, str(refused))
            return
        note_start(trigger.pk, len(pks))
        if is_too_many:
            why = f"{len(pks):,} match, and it asks above {trigger.limit:,}."
            self.decided.add(DecisionOutcome.UNCONFIRMED, pks, why, run)
        else:
            self.decided.add(DecisionOutcome.STARTED, pks, run=run)


def _decided(evaluation: Evaluation) -> Decided:
    """In a savepoint, so that an error leaves a transaction that can go on."""
    try:
        with transaction.atomic():
            evaluation.look()
    except Exception:
        pk = evaluation.trigger.pk
        logger.exception("Trigger %s: a fault while it was evaluated", pk)
        evaluation.fail()
    return evaluation.decided


def _ran_before(trigger: Trigger, pks: set[int]) -> Iterable[tuple[set[int], str]]:
    """What once is enough for, and why."""
    kind = trigger.subject_kind
    if trigger.once_per_subject and pks:
        rows = Delivery.objects.filter(run__trigger=trigger, step=0).order_by()
        rows = rows.filter(**{f"{kind}__pk__any_of": pks})
        rows = rows.exclude(state=DeliveryState.CANCELLED)
        taken = set(rows.values_list(f"{kind}_id", flat=True))
        yield taken & pks, "The trigger ran on it before."
        pks = pks - taken
    if trigger.macro.once_per_subject and pks:
        own = subjects_of(trigger.macro).filter(pk__any_of=pks).order_by()
        free = not_run_on(trigger.macro, own).values_list("pk", flat=True)
        yield pks - set(free), "The macro runs once on each, and ran on it before."


def _loop(trigger: Trigger, origin: Origin) -> str:
    """Why the chain of triggers ends here, as a sentence; or empty."""
    is_again = trigger.pk in origin.chain
    if not is_again and len(origin.chain) < settings.TRIGGER_MAX_DEPTH:
        return ""
    rows = Trigger.objects.filter(pk__in=origin.chain).values_list("pk", "name")
    names = dict(rows)
    chain = [names.get(pk, "a deleted trigger") for pk in origin.chain]
    in_words = ", then ".join([*chain, trigger.name])
    if is_again:
        return f"It ran in this chain already: {in_words}."
    return f"A chain has at most {settings.TRIGGER_MAX_DEPTH} triggers: {in_words}."
