"""Why deliveries of a run failed: one group for each reason, with an example."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Min
from django.template.defaultfilters import pluralize

from ..models import Attempt, Delivery, DeliveryState, Run
from ..models.deliveries import DeliveryQuerySet
from ..recording.explanations import error_label
from .timeline import lines_of, without_code

# Failures of a run that are looked at to find the reasons.
MAX_GROUPED = 10_000
# Reasons that a page names.
MAX_REASONS = 8


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Deliveries that failed in the same way.

    `explanation` is what the last try of the first of them says: the sentences are the
    same for a status code, while a request that could not be built has its own.
    """

    count: int
    title: str
    explanation: str
    example: Delivery
    destinations: int

    @property
    def heading(self) -> str:
        """`403 from example.com, 7 times`."""
        times = _times(self.count)
        if (origin := self.example.destination) is None:
            return f"{self.title}, {times}"
        others = self.destinations - 1
        more = f" and {others} other{pluralize(others)}" if others else ""
        joint = " from" if self.example.last_status else ":"
        return f"{self.title}{joint} {origin.host}{more}, {times}"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def failures_of(run: Run) -> list[FailureGroup]:
    """The most frequent reasons first."""
    if not run.failed:
        return []
    failed = Delivery.objects.filter(run=run, state=DeliveryState.FAILED).order_by()
    groups = list(_grouped(failed))
    if not groups:
        return []
    pks = [each["first"] for each in groups]
    examples = Delivery.objects.select_related("destination").in_bulk(pks)
    attempts = _last_attempts(pks)
    return [
        FailureGroup(
            count=each["count"],
            title=_title(each["last_status"], each["last_error"]),
            explanation=_explanation(attempts.get(each["first"])),
            example=examples[each["first"]],
            destinations=each["destinations"],
        )
        for each in groups
        if each["first"] in examples
    ]


def _grouped(failed: DeliveryQuerySet) -> Any:
    """A look at the first of many, so that the page of a run of a million opens."""
    looked_at = failed.values("pk")[:MAX_GROUPED]
    rows = Delivery.objects.filter(pk__in=looked_at).order_by()
    groups = rows.values("last_status", "last_error").annotate(
        count=Count("pk"),
        first=Min("pk"),
        destinations=Count("destination", distinct=True),
    )
    return groups.order_by("-count", "first")[:MAX_REASONS]


def _last_attempts(pks: list[int]) -> dict[int, Attempt]:
    newest = Attempt.objects.filter(delivery__in=pks).order_by()
    last = newest.values("delivery").annotate(last=Max("pk")).values("last")
    rows = Attempt.objects.filter(pk__in=last)
    return {each.delivery_id: each for each in rows}


def _title(status: int | None, error: str) -> str:
    return str(status) if status else error_label(error) or "No attempt"


def _explanation(attempt: Attempt | None) -> str:
    """Its first line without the code, which the heading has."""
    return without_code(attempt, lines_of(attempt)[0]) if attempt else ""
