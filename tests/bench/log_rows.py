"""A log of millions of deliveries, of runs on all tickets, within a year."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from . import rows
from .ground import say

if TYPE_CHECKING:
    from macros.models import Macro

# One in a hundred failed, one in a thousand waits for its next try.
_DELIVERIES = """
INSERT INTO logs_delivery (run_id, feedback_id, subject_label, step, state, attempts,
    attempts_before, losses, next_attempt_at, lease, last_status, last_error,
    destination_id, finished_at, resend, resent_by)
SELECT %(run)s, t.id, t.reference, 0,
    CASE WHEN n %% 100 = 1 THEN 'failed' WHEN n %% 1000 = 2 THEN 'pending'
        ELSE 'delivered' END,
    1, 0, 0, CASE WHEN n %% 1000 = 2 THEN now() + interval '1 hour' END, '',
    CASE WHEN n %% 100 = 1 THEN 500 WHEN n %% 1000 = 2 THEN 503 ELSE 200 END,
    CASE WHEN n %% 100 = 1 OR n %% 1000 = 2 THEN 'http' ELSE '' END,
    %(destination)s,
    CASE WHEN n %% 1000 <> 2 THEN %(at)s + n * interval '1 ms' END, '', ''
FROM (SELECT id, reference, row_number() OVER (ORDER BY id) n FROM feedback_feedback
    WHERE feedback_type_id = %(type)s ORDER BY id LIMIT %(count)s) t
"""


# Figures as workers and the clock keep them: by the hour for a week, by the day before.
_FIGURES = """
INSERT INTO logs_deliverycount (span, moment, community_id, project, macro, destination,
    delivered, problems, failed, skipped, cancelled, last_failed, {buckets})
SELECT span, moment, %(community)s, %(project)s, macro, destination, 900, 3, 9, 2, 1, 0,
    {counts}
FROM unnest(%(macros)s) macro, unnest(%(destinations)s) destination, (
    SELECT 'hour' span, date_trunc('hour', now()) - n * interval '1 hour' moment
        FROM generate_series(0, 191) n
    UNION ALL SELECT 'day', date_trunc('day', now()) - n * interval '1 day'
        FROM generate_series(8, 399) n) moments
"""
_TICKETS = """
INSERT INTO logs_ticketcount
    (day, feedback_type_id, status, status_name, count, taken_at)
SELECT current_date - n, s.feedback_type_id, s.id, s.name, 500000 - n, now()
FROM feedback_status s, generate_series(0, 399) n
"""


def fill(macros: list[Macro], deliveries: int, runs: int) -> list[int]:
    """So many deliveries in so many runs, of the macros in turn; returns the runs."""
    from datetime import timedelta

    from django.db import connection
    from django.utils import timezone

    from logs.models import Destination

    begun = time.monotonic()
    of = macros[0].feedback_type
    destinations = [
        Destination.objects.create(
            community_id=macros[0].community_id, origin=f"https://{n}.example.com"
        ).pk
        for n in range(len(macros))
    ]
    made: list[int] = []
    with connection.cursor() as cursor, rows.without_indexes(cursor, "logs_delivery"):
        for number in range(runs):
            at = timezone.now() - timedelta(days=365 * (runs - number) / runs)
            macro = macros[number % len(macros)]
            made.append(_run(macro, deliveries // runs, at))
            values = {
                "run": made[-1],
                "destination": destinations[number % len(macros)],
                "type": of.pk if of else None,
                "count": deliveries // runs,
                "at": at,
            }
            cursor.execute(_DELIVERIES, values)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE logs_delivery")
        cursor.execute("VACUUM ANALYZE logs_run")
    say(f"{deliveries:,} deliveries seeded in {time.monotonic() - begun:.0f} s")
    return made


def fill_figures(macros: list[Macro]) -> None:
    """What the overview is drawn from, of a year."""
    from django.db import connection

    from logs.models import BUCKETS, Destination, Run

    values = {
        "community": macros[0].community_id,
        "project": Run.objects.latest("pk").project_id,
        "macros": [macro.pk for macro in macros],
        "destinations": list(Destination.objects.values_list("pk", flat=True)),
    }
    counts = ", ".join(str(900 // len(BUCKETS)) for _ in BUCKETS)
    with connection.cursor() as cursor:
        sql = _FIGURES.format(buckets=", ".join(BUCKETS), counts=counts)
        cursor.execute(sql, values)
        cursor.execute(_TICKETS)
        cursor.execute("VACUUM ANALYZE logs_deliverycount")
        cursor.execute("VACUUM ANALYZE logs_ticketcount")


def _run(macro: Macro, total: int, at: object) -> int:
    from logs.models import Cause, Run, RunState

    failed = total // 100
    pending = total // 1000
    run = Run.objects.create(
        key=f"{macro.pk:08x}{Run.objects.count():024x}",
        community_id=macro.community_id,
        project_id=macro.project_id,
        macro=macro,
        macro_name=macro.name,
        snapshot=macro.snapshot(),
        cause=Cause.ACTION,
        state=RunState.ACTIVE if pending else RunState.FINISHED,
        total=total,
        failed=failed,
        delivered=total - failed - pending,
        created_at=at,
    )
    return run.pk
