"""What a trigger decides on one subject, without starting anything."""

from __future__ import annotations

from django.db import transaction

from feedback.changes import Changed, Origin

from ..models import DecisionOutcome, Trigger, TriggerDecision
from .decisions import Decided
from .evaluation import Batch, decide
from .events import Details


def try_on(trigger: Trigger, pk: int) -> TriggerDecision | None:
    """The decision if its event happened to the subject now, unsaved.

    It is made the same way, and then all of it is undone. None where the macro does not
    run on the subject.
    """
    kind = trigger.subject_kind
    batch = Batch(kind, [Changed(pk, False, {}, {})], Origin(), {})
    decided, details = Decided(trigger, kind), Details([trigger])
    if not trigger.is_active:
        decided.add(DecisionOutcome.HELD_UP, [pk], "The trigger is off.")
    elif problem := details.problem(trigger):
        decided.add(DecisionOutcome.HELD_UP, [pk], problem)
    else:
        with transaction.atomic():
            decide(trigger, {pk}, batch, decided, details)
            transaction.set_rollback(True)
    return decided.kept[0] if decided.kept else None
