"""What the clock asks of runs is looked up, however many there are."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from logs.models import Run, RunState
from logs.retention import of_runs
from tests import factories
from tests.logs import aged

pytestmark = pytest.mark.django_db


def plan_of(sql: str) -> str:
    """How the database does it where a table is too large to go through."""
    explain = "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            explain = "EXPLAIN"
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"{explain} {sql}")
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def test_what_is_not_over_is_in_small_indexes() -> None:
    bugs = factories.feedback_type()
    for state in RunState:
        run = aged.run(bugs, 1)
        Run.objects.filter(pk=run.pk).update(state=state)
    unsettled = set(Run.objects.unsettled().values_list("state", flat=True))
    settled = set(Run.objects.settled().values_list("state", flat=True))
    assert settled == {"finished", "cancelled"}
    assert unsettled == {*RunState} - settled
    if connection.vendor == "sqlite":
        return  # It takes no partial index for values that it is handed.
    with CaptureQueriesContext(connection) as queries:
        list(Run.objects.unsettled().order_by().values_list("created_at"))
    plan = plan_of(queries[0]["sql"])
    for name in ("run_unsettled", "run_paused", "run_unconfirmed"):
        assert name in plan


def test_the_last_run_of_each_schedule_is_looked_up() -> None:
    macro = factories.macro(factories.feedback_type(), "https://example.com/")
    schedules = [factories.schedule(macro, name=name) for name in "ab"]
    runs = [aged.run(macro, 900 - n, schedule=schedules[n % 2]) for n in range(6)]
    runs.append(aged.run(macro, 1))
    with CaptureQueriesContext(connection) as queries:
        newest = of_runs._newest_of_schedules([run.pk for run in runs])
    assert newest == {runs[4].pk, runs[5].pk}
    assert of_runs._newest_of_schedules([run.pk for run in runs[:4]]) == set()
    plan = plan_of(queries[0]["sql"])
    assert "run_of_schedule" in plan and "HashAggregate" not in plan
    assert "Limit" in plan or "SCALAR SUBQUERY" in plan
