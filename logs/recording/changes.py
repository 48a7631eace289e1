"""Changes that macros make, in the transaction that ends their deliveries.

So each is made once: only the holder of the lease comes here, and when a worker dies
before the commit nothing was changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from feedback import changes
from feedback.changes import Origin, unit
from feedback.models import SubjectKind

from ..models import Attempt, DeliveryState, ErrorClass, Run
from . import captures
from .outcomes import Outcome


def origin_of(run: Run) -> Origin:
    """Whose work is what the run's deliveries change."""
    return Origin(run.macro_name, run.pk, chain=tuple(run.chain))


def lock_subjects(outcomes: Sequence[Outcome], run: Run) -> None:
    """Lock them all in order, where captures and changes are to be written.

    If each locked its own, two workers could wait for each other.
    """
    captured = any(each.captured for each in outcomes)
    if captured and any(each.change for each in outcomes):
        pks = {each.delivery.subject_id for each in outcomes}
        with unit() as opened:
            opened.lock(captures.MODELS[run.subject_kind], pks, captures.COLUMNS)


def make(outcomes: Sequence[Outcome], run: Run) -> None:
    """Make what the outcomes ask for; the attempt says what became of each."""
    changing = [
        (outcome, outcome.delivery.subject_id, outcome.change)
        for outcome in outcomes
        if outcome.change is not None
    ]
    if not changing:
        return
    results = changes.apply(
        [(pk, change) for _, pk, change in changing],
        origin_of(run),
        to_testers=run.subject_kind == SubjectKind.TESTER,
    )
    for (outcome, _, _), result in zip(changing, results, strict=True):
        # Set in either case, since the writing may be rolled back and repeated.
        done = result.is_possible
        outcome.state = DeliveryState.DELIVERED if done else DeliveryState.FAILED
        attempt = cast(Attempt, outcome.attempt)
        attempt.error_class = "" if done else ErrorClass.RENDER
        attempt.message = result.message
