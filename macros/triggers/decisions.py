"""Why triggers started runs, or did not: the last decisions of each are kept."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from heapq import nsmallest

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from feedback.models import SubjectKind
from feedback.texts import storable
from logs.models import Run

from ..models import DecisionOutcome, Trigger, TriggerDecision

logger = logging.getLogger(__name__)

# How many decisions of a trigger are kept, and are written at once.
KEPT = 100
_START = (DecisionOutcome.STARTED, DecisionOutcome.UNCONFIRMED)
# The newest that a process has looked at.
_seen = 0


class Decided:
    """What one trigger decided on the subjects of one batch."""

    def __init__(self, trigger: Trigger, kind: SubjectKind) -> None:
        self.rows: list[TriggerDecision] = []
        self._trigger = trigger
        self._kind = kind
        self._now = timezone.now()

    def add(
        self,
        outcome: DecisionOutcome,
        pks: Collection[int],
        detail: str = "",
        run: Run | None = None,
    ) -> None:
        """The same for all; no more than are kept."""
        detail = storable(detail)
        for pk in nsmallest(KEPT, pks):
            self.rows.append(
                TriggerDecision(
                    trigger_id=self._trigger.pk,
                    outcome=outcome,
                    detail=detail,
                    run_id=run.pk if run else None,
                    created_at=self._now,
                    **{f"{self._kind}_id": pk},
                )
            )

    @property
    def kept(self) -> list[TriggerDecision]:
        """What started a run before all others, and the newest in the list."""
        starts = [row for row in self.rows if row.outcome in _START]
        others = [row for row in self.rows if row.outcome not in _START]
        return [*others[: KEPT - len(starts)], *starts]


def write(decisions: Iterable[Decided]) -> None:
    """What can't be written down has happened all the same."""
    rows = [row for decided in decisions for row in decided.kept]
    if not rows:
        return
    try:
        with transaction.atomic():
            TriggerDecision.objects.bulk_create(rows)
    except Exception:
        logger.exception("Decisions of triggers could not be written down")


def prune() -> None:
    """Delete what is older than the last hundred of each trigger.

    It looks at the triggers that decided anything since it looked last.
    """
    global _seen
    fresh = TriggerDecision.objects.filter(pk__gt=_seen).order_by()
    newest = dict(fresh.values_list("trigger").annotate(newest=Max("pk")))
    for trigger in newest:
        rows = TriggerDecision.objects.filter(trigger=trigger).order_by("-pk")
        last = rows.values_list("pk", flat=True)[KEPT : KEPT + 1].first()
        if last is not None:
            rows.filter(pk__lte=last).delete()
    _seen = max([_seen, *newest.values()])
