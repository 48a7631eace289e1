"""Rows by the million, each kind in one statement of PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db.models import Model

from . import plain
from .ground import say

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

    from feedback.models import FeedbackType

_TESTERS = 1_000
# As engine.seed makes them, only quicker, and of a year: what filters tell apart.
_TICKETS = """
INSERT INTO feedback_feedback (feedback_type_id, number, reference, title, description,
    status_id, visibility, submitter_id, form_values, external_data,
    external_provenance, created_at, modified_at)
SELECT %(type)s, n, 'BUG-' || n,
    CASE n %% 10 WHEN 0 THEN 'The site is down' ELSE 'The screen stays black' END
    || ', report ' || n, %(text)s,
    (%(statuses)s)[1 + n %% 2], (ARRAY['public', 'public', 'private'])[1 + n %% 3],
    %(tester)s + n %% %(testers)s,
    jsonb_build_object('severity', (ARRAY['Minor', 'Major', 'Critical'])[1 + n %% 3],
        'impact', n %% 100),
    CASE n %% 4 WHEN 0 THEN jsonb_build_object('jira_key', 'NW-' || n) ELSE '{}' END,
    '{}', now() - n %% 365 * interval '1 day', now()
FROM generate_series(1, %(tickets)s) n
"""


def seed(tickets: int) -> FeedbackType:
    """A type with so many tickets, by 1,000 testers."""
    from django.db import connection

    from feedback.models import Tester
    from tests import factories

    begun = time.monotonic()
    made = factories.feedback_type()
    testers = [
        Tester(community=made.project.community, email=f"tester{n}@example.com")
        for n in range(_TESTERS)
    ]
    values = {
        "type": made.pk,
        "text": plain.DESCRIPTION,
        "statuses": list(made.statuses.values_list("pk", flat=True)),
        "tester": Tester.objects.bulk_create(testers)[0].pk,
        "testers": _TESTERS,
        "tickets": tickets,
    }
    with connection.cursor() as cursor:
        with without_indexes(cursor, "feedback_feedback"):
            cursor.execute(_TICKETS, values)
        cursor.execute("VACUUM ANALYZE feedback_feedback")
    made.last_number = tickets
    made.save(update_fields=["last_number"])
    say(f"{tickets:,} tickets seeded in {time.monotonic() - begun:.0f} s")
    return made


def fill_log(attempts: int) -> int:
    """Repeat what stands in the log until it has so many; returns how many it has.

    Real attempts are copied, so headers and bodies are as long as real ones.
    """
    from logs.models import Attempt, Transcript

    begun = time.monotonic()
    there = Attempt.objects.count()
    for model in (Attempt, Transcript):
        _repeat(model, -(-attempts // there), max(0, attempts - there))
    total = Attempt.objects.count()
    size = _size_gb(Attempt) + _size_gb(Transcript)
    say(f"log: {total:,}, {size:.1f} GB, in {time.monotonic() - begun:.0f} s")
    return total


def _repeat(model: type[Model], rounds: int, limit: int) -> None:
    from django.db import connection

    table = model._meta.db_table
    fields = [f.column for f in model._meta.local_concrete_fields if f.name != "id"]
    copied = ", ".join("a.number + n" if f == "number" else f"a.{f}" for f in fields)
    with connection.cursor() as cursor:
        # Its rows refer to deliveries that are there; checking takes as long again.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(  # The model's own names.
            f"INSERT INTO {table} ({', '.join(fields)}) SELECT {copied}"  # noqa: S608
            f" FROM {table} a, generate_series(1, %s) n LIMIT %s",
            [rounds, limit],
        )
        cursor.execute("RESET session_replication_role")
        # As autovacuum has long done where a log grew slowly.
        cursor.execute(f"VACUUM ANALYZE {table}")


def _size_gb(model: type[Model]) -> float:
    """With indexes, and with its partitions where it has some."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_total_relation_size(%s) + COALESCE("
            "(SELECT SUM(pg_total_relation_size(relid)) FROM pg_partition_tree(%s)"
            " WHERE level > 0), 0)",
            [model._meta.db_table] * 2,
        )
        return float(cursor.fetchone()[0]) / 1e9


def server_pid() -> int:
    """The process that all of the database's others are children of."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_read_file('postmaster.pid')")
        return int(cursor.fetchone()[0].split()[0])


@contextmanager
def without_indexes(cursor: CursorWrapper, table: str) -> Iterator[None]:
    """They are made again at once, in a quarter of the time that rows would take."""
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes"
        " JOIN pg_class c ON relname = indexname JOIN pg_index ON indexrelid = c.oid"
        " WHERE tablename = %s AND NOT indisunique",
        [table],
    )
    indexes = cursor.fetchall()
    # What the rows refer to is there; checking it takes longer than all else.
    cursor.execute("SET session_replication_role = replica")
    for name, _ in indexes:
        cursor.execute(f'DROP INDEX "{name}"')
    yield
    for _, definition in indexes:
        cursor.execute(definition)
    cursor.execute("RESET session_replication_role")
