"""How many rows each value of each filter would leave, in one query for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from django.db import models
from django.db.models import Model, Q, QuerySet

from ..console.counting import Count
from ..console.limited import TookLonger, at_most

Key = TypeVar("Key")
# So many rows of a longer list are looked at, and each count says that there are more.
MAX_COUNTED = 20_000
# Seconds in which the database has to count them.
MAX_SECONDS = 2.0


def count(rows: QuerySet[Model], tests: Mapping[Key, Q]) -> dict[Key, Count] | None:
    """How many of the rows meet each test; None where it would take too long.

    Each test is looked at for each row, so the rows are few.
    """
    counts = {
        f"n{number}": models.Count("pk", filter=test)
        for number, test in enumerate(tests.values())
    }
    try:
        with at_most(MAX_SECONDS):
            # Given the query and not its keys, PostgreSQL would go through all rows.
            keys = rows.order_by().values_list("pk", flat=True)[: MAX_COUNTED + 1]
            looked_at = rows.model._base_manager.filter(pk__any_of=list(keys))
            figures = looked_at.aggregate(every=models.Count("pk"), **counts)
    except TookLonger:
        return None
    is_more = figures["every"] > MAX_COUNTED
    return {
        key: Count.at_least(figures[f"n{number}"], is_more)
        for number, key in enumerate(tests)
    }
