"""Counts on pages: up to a limit, so that no page goes through a million rows."""

from __future__ import annotations

from typing import Any

from django.db.models import IntegerField, OuterRef, QuerySet, Subquery

from ..models import Feedback, FeedbackType, Status

# Open tickets of a type that the menu, which is on every page, counts.
MAX_IN_MENU = 1_000


class Count(int):
    """How many there are, or that there are more; says so as a text."""

    is_more = False

    @classmethod
    def up_to(cls, most: int, number: int) -> Count:
        """`number` was counted until it passed `most`."""
        return cls.at_least(min(number, most), number > most)

    @classmethod
    def at_least(cls, number: int, is_more: bool) -> Count:
        made = cls(number)
        made.is_more = is_more
        return made

    @classmethod
    def of(cls, rows: QuerySet[Any], most: int) -> Count:
        return cls.up_to(most, rows.order_by()[: most + 1].count())

    def __str__(self) -> str:
        return f"{int(self):,}+" if self.is_more else f"{int(self):,}"


class _HowMany(Subquery):
    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


def open_counts(types: QuerySet[FeedbackType]) -> dict[int, Count]:
    """The open tickets of each type, in one query that looks at few rows of each.

    Status by status, as the index has them: however many are closed, none is looked at.
    """
    tickets = Feedback.objects.filter(
        feedback_type=OuterRef("feedback_type"), status=OuterRef("pk")
    )
    counted = _HowMany(tickets.order_by().values("pk")[: MAX_IN_MENU + 1])
    open_ones = Status.objects.filter(is_open=True, feedback_type__in=types.order_by())
    rows = open_ones.order_by().annotate(count=counted)

    numbers: dict[int, int] = {}
    for pk, number in rows.values_list("feedback_type", "count"):
        numbers[pk] = numbers.get(pk, 0) + number
    return {pk: Count.up_to(MAX_IN_MENU, each) for pk, each in numbers.items()}
