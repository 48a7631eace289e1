"""The figures of deliveries are kept in the transaction that ends them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from logs import recording
from logs.models import (
    BUCKETS,
    Attempt,
    Cause,
    Delivery,
    DeliveryCount,
    DeliveryState,
    Destination,
    ErrorClass,
    Resend,
    Run,
)
from logs.recording import COUNTERS, Outcome, counts
from logs.recording.requeue import requeue
from tests import factories

pytestmark = pytest.mark.django_db

LEASE = "mine"
NOW = datetime(2026, 11, 23, 12, 59, tzinfo=UTC)
HOUR = NOW.replace(minute=0)
ONE, TWO = "https://one.example:443", "https://two.example:443"
DELIVERED, FAILED = DeliveryState.DELIVERED, DeliveryState.FAILED


def a_run(count: int, steps: int = 1) -> Run:
    bugs = factories.feedback_type()
    factories.tickets(bugs, count)
    urls = [f"{ONE}/{n}" for n in range(steps)]
    run = factories.run(factories.macro(bugs, *urls))
    Delivery.objects.filter(state=DeliveryState.PENDING).update(lease=LEASE)
    return run


def outcome(
    delivery: Delivery,
    state: DeliveryState,
    *,
    to: str = ONE,
    status: int | None = 200,
    error: str = "",
    took: int | None = 5,
) -> Outcome:
    attempt = Attempt(
        delivery=delivery,
        number=delivery.attempts + 1,
        started_at=NOW,
        status=status,
        error_class=error,
        total_ms=took,
    )
    retry_in = 5 if state == DeliveryState.PENDING else None
    return Outcome(delivery, state, attempt, retry_in, to)


def rows() -> list[tuple[str, dict[str, int]]]:
    """Where each row's deliveries went, and its counts that are not 0."""
    origins = {0: "", **dict(Destination.objects.values_list("pk", "origin"))}
    names = (*counts.ADDED, counts.LAST)
    return [
        (
            origins[row.destination],
            {name: getattr(row, name) for name in names if getattr(row, name)},
        )
        for row in DeliveryCount.objects.order_by("destination")
    ]


def test_what_ends_is_counted_for_its_macro_and_destination() -> None:
    run = a_run(7)
    given = list(run.deliveries.order_by("pk"))
    recording.record(
        run,
        LEASE,
        [
            outcome(given[0], DELIVERED, took=10),
            outcome(given[1], DELIVERED, took=11, error=ErrorClass.VALUE),
            outcome(given[2], FAILED, to=TWO, status=404, error=ErrorClass.HTTP),
            outcome(
                given[3],
                FAILED,
                to=TWO,
                status=None,
                error=ErrorClass.TIMEOUT,
                took=30_001,
            ),
            # Not on the wire, so it says nothing of how fast anybody is.
            outcome(
                given[4], FAILED, to=TWO, status=None, error=ErrorClass.DNS, took=1
            ),
            outcome(given[5], DeliveryState.PENDING, status=503, error="http"),
            Outcome(given[6], DeliveryState.CANCELLED),
        ],
        NOW,
    )

    last = given[4].pk
    assert rows() == [
        ("", {"cancelled": 1}),
        (ONE, {"delivered": 2, "problems": 1, "ms_10": 2, "ms_25": 1}),
        (TWO, {"failed": 3, "ms_10": 1, "ms_over": 1, "last_failed": last}),
    ]
    keys = DeliveryCount.objects.values_list("span", "moment", "project", "macro")
    assert set(keys) == {("hour", HOUR, run.project_id, run.macro_id)}


def test_later_batches_add_to_the_hours_row_and_the_next_hour_has_its_own() -> None:
    run = a_run(4)
    for number, each in enumerate(run.deliveries.order_by("pk")):
        state = FAILED if number == 1 else DELIVERED
        at = NOW + timedelta(minutes=number // 3)
        recording.record(run, LEASE, [outcome(each, state, error="")], at)
    hours = DeliveryCount.objects.order_by("moment")
    assert [(row.moment.hour, row.delivered, row.failed) for row in hours] == [
        (12, 2, 1),
        (13, 1, 0),
    ]
    assert hours[0].last_failed == run.deliveries.get(state=FAILED).pk


def test_steps_that_follow_and_what_is_cancelled_are_counted_too() -> None:
    run = a_run(3, steps=3)
    first = run.deliveries.filter(step=0).order_by("pk")[0]
    recording.record(run, LEASE, [outcome(first, FAILED, status=400)], NOW)
    assert rows()[0] == ("", {"skipped": 2})
    Delivery.objects.update(lease="")
    recording.cancel(run, NOW)
    assert rows()[0] == ("", {"skipped": 2, "cancelled": 6})


def test_what_fails_and_goes_nowhere_is_counted_for_no_destination() -> None:
    run = a_run(1)
    delivery = run.deliveries.get()
    recording.record(run, LEASE, [outcome(delivery, FAILED, to="")], NOW)
    assert rows() == [("", {"failed": 1, "last_failed": delivery.pk})]


def test_what_has_no_project_or_lost_its_macro_is_counted_for_none() -> None:
    run = a_run(1)
    Run.objects.update(project=None, macro=None)
    run.refresh_from_db()
    recording.record(run, LEASE, [outcome(run.deliveries.get(), DELIVERED)], NOW)
    assert DeliveryCount.objects.values_list("project", "macro").get() == (0, 0)


def test_what_is_withdrawn_is_counted_for_its_own_run() -> None:
    run = a_run(3)
    Delivery.objects.update(lease="")
    assert recording.withdraw(Delivery.objects.all(), NOW) == 0
    [row] = DeliveryCount.objects.all()
    assert (row.macro, row.community_id, row.cancelled) == (
        run.macro_id,
        run.community_id,
        3,
    )


def test_a_test_is_not_counted() -> None:
    run = a_run(2)
    Run.objects.update(cause=Cause.TEST)
    run.refresh_from_db()
    first = run.deliveries.order_by("pk")[0]
    recording.record(run, LEASE, [outcome(first, DELIVERED)], NOW)
    Delivery.objects.update(lease="")
    recording.cancel(run, NOW)
    assert not DeliveryCount.objects.exists()


def test_who_has_lost_the_lease_counts_nothing() -> None:
    run = a_run(1)
    recording.record(run, "stale", [outcome(run.deliveries.get(), DELIVERED)], NOW)
    assert not DeliveryCount.objects.exists()


def test_what_is_sent_again_counts_again() -> None:
    run = a_run(1)
    recording.record(run, LEASE, [outcome(run.deliveries.get(), FAILED)], NOW)
    requeue(Delivery.objects.all(), Resend.ANEW, "olivia", NOW)
    Delivery.objects.update(lease=LEASE)
    recording.record(run, LEASE, [outcome(run.deliveries.get(), DELIVERED)], NOW)
    [row] = DeliveryCount.objects.all()
    assert (row.delivered, row.failed, row.ms_10) == (1, 1, 2)


def test_figures_and_the_runs_counters_agree() -> None:
    run = a_run(12, steps=2)
    states = [DELIVERED, FAILED, DeliveryState.CANCELLED, DeliveryState.PENDING]
    for number, each in enumerate(run.deliveries.filter(step=0)):
        to = (ONE, TWO)[number % 2]
        recording.record(run, LEASE, [outcome(each, states[number % 4], to=to)], NOW)
    run.refresh_from_db()
    sums = DeliveryCount.objects.aggregate(
        **{name: Sum(name) for name in COUNTERS.values()}
    )
    assert sums == {name: getattr(run, name) for name in COUNTERS.values()}
    assert run.ended > 9


def test_a_batch_is_one_statement_which_comes_last() -> None:
    run = a_run(20)
    outcomes = [
        outcome(each, DELIVERED, to=(ONE, TWO)[number % 2])
        for number, each in enumerate(run.deliveries.all())
    ]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        recording.record(run, LEASE, outcomes, NOW)
    made = [each["sql"] for each in queries if "SAVEPOINT" not in each["sql"]]
    at = [n for n, sql in enumerate(made) if "logs_deliverycount" in sql]
    assert len(at) == 1
    assert [sql for sql in made[at[0] + 1 :] if sql != "COMMIT"] == []


def test_rows_are_locked_in_the_order_of_their_keys_whoever_comes() -> None:
    run = a_run(1)
    about = run.community_id, 0, 0
    keys = [("hour", HOUR, *about, destination) for destination in (7, 3, 11, 5)]
    with CaptureQueriesContext(connection) as queries:
        counts.add({key: Counter(delivered=1) for key in keys})
    assert len(queries) == 1
    order = DeliveryCount.objects.order_by("pk").values_list("destination", flat=True)
    assert list(order) == [3, 5, 7, 11]


def test_many_rows_go_in_chunks_and_empty_ones_not_at_all() -> None:
    run = a_run(1)
    about = run.community_id, 0, 0
    many = {("hour", HOUR, *about, n): Counter(failed=1) for n in range(250)}
    counts.add({**many, ("hour", HOUR, *about, 999): Counter()})
    assert DeliveryCount.objects.count() == 250


def test_there_is_a_column_for_each_bucket() -> None:
    names = {field.name for field in DeliveryCount._meta.get_fields()}
    assert names >= {*BUCKETS}
