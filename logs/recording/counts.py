"""The figures of deliveries, kept in the transaction that ends them.

What ends in one batch is one statement after all others of the log. Its rows are in
the order of their keys, and whoever locks them has locked deliveries, destination and
run before, so that two workers never wait for each other.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache

from django.db import connection

from ..models import (
    BOUNDS,
    BUCKETS,
    DeliveryCount,
    DeliveryState,
    ErrorClass,
    Run,
    Span,
)
from .outcomes import COUNTERS, PROBLEMS, Outcome

# Rows in one statement.
_CHUNK = 100
# What tells rows apart, and what is added up in them.
Key = tuple[str, datetime, int, int, int, int]
Tally = Counter[str]
ADDED = (*DeliveryCount.OUTCOMES, *BUCKETS)
LAST = "last_failed"


def count_batch(
    run: Run,
    outcomes: Iterable[Outcome],
    destinations: Mapping[str, int],
    followed: Counter[str],
    now: datetime,
) -> None:
    """Add what became of deliveries and of the later steps that ended with them."""
    tallies: dict[int, Tally] = defaultdict(Counter)
    for outcome in outcomes:
        _add(outcome, tallies[destinations.get(outcome.origin, 0)])
    if followed:
        tallies[0] += followed
    count(run, tallies, now)


def count(run: Run, tallies: Mapping[int, Tally], now: datetime) -> None:
    """Add to a run's figures by destination; tests are no work, and count for none."""
    if run.is_test:
        return
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    about = run.community_id, run.project_id or 0, run.macro_id or 0
    add({(Span.HOUR, hour, *about, to): tally for to, tally in tallies.items()})


def _add(outcome: Outcome, tally: Tally) -> None:
    attempt, state = outcome.attempt, outcome.state
    if state in COUNTERS:
        tally[COUNTERS[state]] += 1
    error = attempt.error_class if attempt else ""
    if state == DeliveryState.DELIVERED and error:
        tally[PROBLEMS] += 1
    if state == DeliveryState.FAILED:
        tally[LAST] = max(tally[LAST], outcome.delivery.pk)
    if attempt is None or attempt.total_ms is None or not outcome.origin:
        return
    if attempt.status is not None or error == ErrorClass.TIMEOUT:
        tally[BUCKETS[bisect_left(BOUNDS, attempt.total_ms)]] += 1


def add(tallies: Mapping[Key, Tally]) -> None:
    """Add to rows, which are made where they are not there yet."""
    keys = sorted(key for key, tally in tallies.items() if tally.total())
    adapt = connection.ops.adapt_datetimefield_value
    for start in range(0, len(keys), _CHUNK):
        chunk, values = keys[start : start + _CHUNK], []
        for key in chunk:
            span, moment, *about = key
            counts = [tallies[key][name] for name in (*ADDED, LAST)]
            values += [span, adapt(moment), *about, *counts]
        with connection.cursor() as cursor:
            cursor.execute(_upsert(len(chunk)), values)


@cache
def _upsert(rows: int) -> str:
    """Only the model's own names; values are parameters."""
    table, key = DeliveryCount._meta.db_table, DeliveryCount.KEY
    columns = (*key, *ADDED, LAST)
    marks = f"({', '.join(['%s'] * len(columns))})"
    changes = [f"{name} = {table}.{name} + excluded.{name}" for name in ADDED]
    changes.append(
        f"{LAST} = CASE WHEN excluded.{LAST} > 0 THEN excluded.{LAST}"
        f" ELSE {table}.{LAST} END"
    )
    return (
        f"INSERT INTO {table} ({', '.join(columns)})"  # noqa: S608
        f" VALUES {', '.join([marks] * rows)}"
        f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {', '.join(changes)}"
    )
