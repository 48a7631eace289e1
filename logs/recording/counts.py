"""The figures of deliveries, kept in the transaction that ends them.

What ends in one batch is one statement after all others of the log. Its rows are in
the order of their keys, and whoever locks them has locked deliveries, destination and
run before, so that two workers never wait for each other.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
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
    outcomes: Sequence[Outcome],
    destinations: Mapping[str, int],
    followed: Counter[str],
    now: datetime,
) -> None:
    """Add what became of deliveries and of the later steps that ended with them."""
    tallies: dict[int, Tally] = defaultdict(Counter)
    # Most of a batch ends alike: what is alike is counted first, and looked at once.
    for result, number in Counter(map(_result, outcomes)).items():
        origin, state, error, bucket = result
        tally = tallies[destinations.get(origin, 0)]
        _add(tally, state, error, bucket, number)
    for outcome in outcomes:
        if outcome.state == DeliveryState.FAILED:
            tally = tallies[destinations.get(outcome.origin, 0)]
            tally[LAST] = max(tally[LAST], outcome.delivery.pk)
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


def _result(outcome: Outcome) -> tuple[str, DeliveryState, str, str]:
    """Where it went, its state, its error and the bucket of its time."""
    attempt, origin = outcome.attempt, outcome.origin
    if attempt is None:
        return origin, outcome.state, "", ""
    error, took, bucket = attempt.error_class, attempt.total_ms, ""
    was_waited_for = attempt.status is not None or error == ErrorClass.TIMEOUT
    if was_waited_for and took is not None and origin:
        bucket = BUCKETS[bisect_left(BOUNDS, took)]
    return origin, outcome.state, error, bucket


def _add(
    tally: Tally, state: DeliveryState, error: str, bucket: str, number: int
) -> None:
    if state in COUNTERS:
        tally[COUNTERS[state]] += number
    if state == DeliveryState.DELIVERED and error:
        tally[PROBLEMS] += number
    if bucket:
        tally[bucket] += number


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
