"""How many tickets stand in which status: now, and at the end of each day."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Max
from django.utils.timezone import localtime

from feedback.models import Feedback, Status, StatusColour

from ..models import TicketCount

DAYS = 30
# Up to so many tickets are counted for a page. Of more, it shows what the clock has
# counted last.
MAX_COUNTED = 5_000

# Statuses by number, 0 for none.
Counts = Counter[int]


@dataclass(slots=True)
class Standing:
    """How the tickets of one type stand, and how they stood on each of its days."""

    now: Counts = field(default_factory=Counter)
    days: dict[date, Counts] = field(default_factory=dict)
    # Every status in which a ticket stands or stood, in the type's order.
    statuses: list[Status] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Standings:
    by_type: dict[int, Standing]
    # When the clock counted; None where the figures are those of this moment.
    as_of: datetime | None


def standings(types: Collection[int], now: datetime) -> Standings:
    """How the tickets of some types stand. Four queries, however many there are."""
    by_type = {pk: Standing() for pk in types}
    today = localtime(now).date()
    rows = TicketCount.objects.filter(feedback_type__in=types)
    rows = rows.filter(day__gt=today - timedelta(days=DAYS)).order_by()
    gone: dict[int, dict[int, str]] = defaultdict(dict)
    columns = rows.values_list("feedback_type", "day", "status", "status_name", "count")
    for pk, day, status, name, count in columns:
        by_type[pk].days.setdefault(day, Counter())[status] = count
        gone[pk][status] = name
    as_of = None
    counted = _counted(types)
    if counted is None:
        as_of = rows.aggregate(newest=Max("taken_at"))["newest"]
    for pk, standing in by_type.items():
        if counted is None:
            standing.now = standing.days.get(today, Counter())
        else:
            standing.now = standing.days[today] = counted[pk]
    _name(by_type, gone)
    return Standings(by_type, as_of)


def _counted(types: Collection[int]) -> dict[int, Counts] | None:
    """Counted now; None where there are too many to count for a page."""
    rows = Feedback.objects.filter(feedback_type__in=types).order_by()
    some = rows.values_list("feedback_type", "status")[: MAX_COUNTED + 1]
    counted: dict[int, Counts] = defaultdict(Counter)
    for number, (pk, status) in enumerate(some):
        if number == MAX_COUNTED:
            return None
        counted[pk][status or 0] += 1
    return counted


def _name(by_type: dict[int, Standing], gone: dict[int, dict[int, str]]) -> None:
    """Statuses as they are; those that are gone have their last name, and grey."""
    for status in Status.objects.filter(feedback_type__in=by_type):
        standing = by_type[status.feedback_type_id]
        standing.statuses.append(status)
        gone[status.feedback_type_id].pop(status.pk, None)
    for pk, standing in by_type.items():
        rest = gone[pk]
        if standing.now[0]:
            rest[0] = ""
        standing.statuses += [
            Status(pk=each, name=name or "No status", colour=StatusColour.GREY)
            for each, name in sorted(rest.items())
        ]
