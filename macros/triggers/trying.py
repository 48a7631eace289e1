"""What a trigger decides on one subject, without starting anything."""

from __future__ import annotations

from django.db import transaction

from feedback.changes import Changed, Origin

from ..models import Trigger, TriggerDecision
from .evaluation import Batch, Evaluation
from .events import Details


def try_on(trigger: Trigger, pk: int) -> TriggerDecision | None:
    """The decision if its event happened to the subject now, unsaved.

    It is made the same way, and then all of it is undone. None where the macro does not
    run on the subject.
    """
    batch = Batch(trigger.subject_kind, [Changed(pk, False, {}, {})], Origin(), {})
    details = Details([trigger])
    evaluation = Evaluation(trigger, batch, details)
    if not trigger.is_active:
        evaluation.hold_up([pk], "The trigger is off.")
    elif problem := details.problem(trigger):
        evaluation.hold_up([pk], problem)
    else:
        with transaction.atomic():
            evaluation.decide({pk})
            transaction.set_rollback(True)
    return next(iter(evaluation.decided.kept), None)
