"""What comes behind a row, in any order of columns."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet

from feedback.models import Feedback, FeedbackType
from feedback.selection.keyset import behind
from tests import factories

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
ORDERS = [("pk",), ("-pk",)]
ORDERS += [
    tuple(map("".join, zip(signs, ("created_at", "pk"), strict=True)))
    for signs in product(("", "-"), repeat=2)
]
ORDERS += [("title", "created_at", "pk"), ("-title", "created_at", "-pk")]


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def tickets(bugs: FeedbackType) -> list[Feedback]:
    return [
        factories.ticket(bugs, title=title, created_at=BEGIN + timedelta(days=day))
        for title, day, _ in product("AB", range(2), range(2))
    ]


@pytest.mark.parametrize("order", ORDERS, ids=" ".join)
def test_each_row_is_followed_by_those_behind_it(
    tickets: list[Feedback], order: tuple[str, ...]
) -> None:
    rows = list(Feedback.objects.order_by(*order))
    assert len(rows) == 8
    for number, row in enumerate(rows):
        values = [getattr(row, name.lstrip("-")) for name in order]
        later = Feedback.objects.filter(behind(order, values)).order_by(*order)
        assert list(later) == rows[number + 1 :]


def passed_over(rows: QuerySet[Any]) -> int:
    """How many entries of an index PostgreSQL reads and does not give."""
    with connection.cursor() as cursor:
        for way in ("seqscan", "bitmapscan", "sort"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
    plan = rows.explain(analyze=True, format="text")
    return sum(map(int, re.findall(r"Rows Removed by Filter: (\d+)", plan)))


@pytest.mark.parametrize("order", [("created_at", "pk"), ("-created_at", "-pk")])
def test_a_page_amid_rows_of_one_moment_reads_no_row_before_it(
    bugs: FeedbackType, order: tuple[str, ...]
) -> None:
    factories.tickets(bugs, 400, created_at=BEGIN)
    ordered = Feedback.objects.order_by(*order)
    last = list(ordered)[380]
    page = ordered.filter(behind(order, [last.created_at, last.pk]))
    assert list(page.values_list("pk", flat=True)) == [
        each.pk for each in ordered[381:]
    ]
    assert " < (" in str(page.query) or " > (" in str(page.query)
    # SQLite takes no index for the number of a row behind another column.
    if connection.vendor == "postgresql":
        assert passed_over(page[:10]) == 0
