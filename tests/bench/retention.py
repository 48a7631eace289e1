"""Deliveries beside a clock that deletes old rows, and without one."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING

from . import engine, rows
from .ground import Ground, say
from .processes import running
from .report import Figure, Row

if TYPE_CHECKING:
    from macros.models import Macro

# Rows that are older than they are kept, for each ticket that deliveries are about.
ROWS_PER_TICKET = 10
_PAIRS, _WARM_UP, _AGE_DAYS = 10, 500, 3_000
# Deliveries of one measurement, unless there are fewer tickets.
_MEASURED = 10_000
_AT_ONCE_SECONDS = 60
ROWS: tuple[Row, ...] = (
    ("Deliveries, no clock", "retention_without_per_second", "/s"),
    ("Deliveries beside deleting", "retention_with_per_second", "/s"),
    ("Ratio", "retention_slowdown_ratio", "x"),
    ("Rows that went a second, beside them", "retention_rows_per_second", "/s"),
    ("Rows that went a second, all at once", "retention_at_once_per_second", "/s"),
    ("Rows that were old", "retention_rows", ""),
)
_DELIVERIES = """
INSERT INTO logs_delivery (run_id, feedback_id, subject_label, step, state, attempts,
    attempts_before, losses, lease, last_status, last_error, finished_at, resend,
    resent_by)
SELECT %(run)s, id, reference, 0, 'delivered', 1, 0, 0, '', 200, '', %(at)s, '', ''
FROM feedback_feedback WHERE feedback_type_id = %(type)s ORDER BY id LIMIT %(count)s
"""
_ATTEMPTS = """
INSERT INTO logs_attempt (delivery_id, number, started_at, total_ms, method, status,
    response_cut, error_class, message, outcome_unknown)
SELECT id, 1, finished_at, 12, 'POST', 200, '', '', '', false FROM logs_delivery
WHERE finished_at = %(at)s
"""
# Older than any partition, so that they go row by row.
_TRANSCRIPTS = """
INSERT INTO logs_transcript (delivery_id, number, started_at, url, request_headers,
    request_body, response_headers, response_body)
SELECT id, 1, finished_at, 'https://example.com/hooks/1',
    'Content-Type: application/json', repeat('{"text": "It breaks"}', 20),
    'Content-Type: text/plain', 'ok'
FROM logs_delivery WHERE finished_at = %(at)s
"""
_TABLES = ("logs_delivery", "logs_attempt", "logs_transcript")


def run(ground: Ground, size: int) -> dict[str, Figure]:
    """Ten old rows for each of `--million-size`; deliveries about as many tickets.

    The clock is stopped by a signal for one half of each pair, so that the other half
    pays for all that it does.
    """
    of = rows.seed(size)
    macro = engine.macro(of, ground.receiver.url + "/ok")
    old = fill(macro, size * ROWS_PER_TICKET)
    measured = min(_MEASURED, size)
    rates: dict[bool, list[float]] = {False: [], True: []}
    gone: list[float] = []
    with engine.working(ground.env) as worker, _clock(ground) as clock:
        worker.measure(macro, min(_WARM_UP, size), ground.receiver)
        for number in range(_PAIRS):
            # In turns, each first as often as the other.
            for deletes in (False, True) if number % 2 else (True, False):
                clock.send_signal(signal.SIGCONT if deletes else signal.SIGSTOP)
                before, begun = count(), time.monotonic()
                rate = worker.measure(macro, measured, ground.receiver).per_second
                seconds = time.monotonic() - begun
                went = before + measured * len(_TABLES) - count()
                rates[deletes].append(rate)
                gone += [went / seconds] if deletes else []
                say(f"{'deletes' if deletes else 'stopped'}: {rate:,.0f}/s; {went:,}")
    return {
        "retention_without_per_second": median(rates[False]),
        "retention_with_per_second": median(rates[True]),
        "retention_slowdown_ratio": median(
            a / b for a, b in zip(rates[True], rates[False], strict=True)
        ),
        "retention_rows_per_second": median(gone),
        "retention_at_once_per_second": at_once(),
        "retention_rows": old,
    }


@contextmanager
def _clock(ground: Ground) -> Iterator[subprocess.Popen[str]]:
    """One that has begun to delete."""
    from logs.models import RetentionCursor

    with running("manage.py", "clock", env=ground.env) as process:
        while not RetentionCursor.objects.exclude(worked_at=None).exists():
            if process.poll() is not None:
                raise RuntimeError("The clock ended.")
            time.sleep(0.05)
        try:
            yield process
        finally:
            # What is stopped does not end when it is asked to.
            process.send_signal(signal.SIGCONT)


def fill(macro: Macro, wanted: int) -> int:
    """So many rows of runs that ended long ago; returns how many there are."""
    from django.db import connection
    from django.utils import timezone

    begun = time.monotonic()
    of = macro.feedback_type
    assert of is not None
    deliveries = wanted // len(_TABLES)
    at = timezone.now() - timedelta(days=_AGE_DAYS)
    with connection.cursor() as cursor:
        with rows.without_indexes(cursor, "logs_delivery"):
            for start in range(0, deliveries, of.last_number):
                total = min(of.last_number, deliveries - start)
                values = {"run": _run(macro, total, at), "at": at, "type": of.pk}
                cursor.execute(_DELIVERIES, {**values, "count": total})
        with rows.without_indexes(cursor, "logs_attempt"):
            cursor.execute(_ATTEMPTS, {"at": at})
        cursor.execute(_TRANSCRIPTS, {"at": at})
        for table in _TABLES:
            cursor.execute(f"VACUUM ANALYZE {table}")
    there = count()
    say(f"{there:,} old rows seeded in {time.monotonic() - begun:.0f} s")
    return there


def _run(macro: Macro, total: int, at: object) -> int:
    from logs.models import Cause, Run, RunState

    made = Run.objects.create(
        key=f"{macro.pk:08x}{Run.objects.count():024x}",
        community_id=macro.community_id,
        project_id=macro.project_id,
        macro=macro,
        macro_name=macro.name,
        snapshot=macro.snapshot(),
        cause=Cause.ACTION,
        state=RunState.FINISHED,
        total=total,
        delivered=total,
        created_at=at,
        finished_at=at,
    )
    return made.pk


def count() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        total = 0
        for table in _TABLES:
            cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608
            total += int(cursor.fetchone()[0])
    return total


def at_once() -> float:
    """What is left, or a minute of it, without rests."""
    from django.utils import timezone

    from logs.retention import whole_pass
    from macros.retention import TIERS

    begun, removed = time.monotonic(), 0
    for _, step in whole_pass(TIERS, timezone.now()):
        removed += step.removed
        if time.monotonic() - begun > _AT_ONCE_SECONDS:
            break
    return removed / (time.monotonic() - begun)
