"""One write path: attempts, states, counters and destinations in one transaction."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from feedback.changes import Change, ChangeKind
from logs import recording
from logs.models import Attempt, Delivery, DeliveryState, Destination, ErrorClass, Run
from logs.recording import Captured, Outcome
from tests import factories

pytestmark = pytest.mark.django_db

LEASE = "mine"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ORIGIN = "https://a.example:443"
COUNTERS = ("delivered", "failed", "skipped", "cancelled", "pending", "state")


def a_run(count: int, steps: int = 1) -> Run:
    bugs = factories.feedback_type()
    factories.tickets(bugs, count)
    urls = [f"https://a.example/{n}" for n in range(steps)]
    return factories.run(factories.macro(bugs, *urls, ladder="1 h"))


def held(run: Run, count: int) -> list[Delivery]:
    """The first pending deliveries, in the hands of one worker."""
    pending = run.deliveries.filter(state=DeliveryState.PENDING).order_by("pk")
    deliveries = list(pending[:count])
    Delivery.objects.filter(pk__in=[each.pk for each in deliveries]).update(lease=LEASE)
    return deliveries


def outcome(
    delivery: Delivery,
    state: DeliveryState,
    status: int | None = 200,
    error: str = "",
    retry_in: float | None = None,
    origin: str = ORIGIN,
) -> Outcome:
    attempt = Attempt(
        delivery=delivery,
        number=delivery.attempts + 1,
        started_at=NOW,
        status=status,
        error_class=error,
    )
    return Outcome(delivery, state, attempt, retry_in, origin)


def record(run: Run, outcomes: Sequence[Outcome]) -> tuple[object, ...]:
    recording.record(run, LEASE, outcomes, NOW)
    run.refresh_from_db()
    return tuple(getattr(run, name) for name in COUNTERS)


def rows(run: Run, *names: str) -> list[tuple[object, ...]]:
    return list(run.deliveries.order_by("pk").values_list(*names))


def after_responses(run: Run, statuses: Iterable[int]) -> Destination:
    """The destination after a delivery for each of these statuses."""
    for status in statuses:
        [delivery] = held(run, 1)
        error = "" if status < 300 else ErrorClass.HTTP
        done = DeliveryState.FAILED if error else DeliveryState.DELIVERED
        record(run, [outcome(delivery, done, status, error)])
    return Destination.objects.get()


def test_outcomes_that_differ_are_each_written_and_counted() -> None:
    run = a_run(5)
    good, bad, later, back, cancelled = held(run, 5)

    counters = record(
        run,
        [
            outcome(good, DeliveryState.DELIVERED, 201),
            outcome(bad, DeliveryState.FAILED, 404, ErrorClass.HTTP),
            outcome(later, DeliveryState.PENDING, None, ErrorClass.DNS, 30),
            Outcome(back, DeliveryState.PENDING, retry_in=0),
            Outcome(cancelled, DeliveryState.CANCELLED),
        ],
    )

    assert counters == (1, 1, 0, 1, 2, "active")
    columns = ("state", "attempts", "next_attempt_at", "last_status", "last_error")
    assert rows(run, *columns, "finished_at", "lease") == [
        ("delivered", 1, None, 201, "", NOW, ""),
        ("failed", 1, None, 404, "http", NOW, ""),
        ("pending", 1, NOW + timedelta(seconds=30), None, "dns", None, ""),
        ("pending", 0, NOW, None, "", None, ""),
        ("cancelled", 0, None, None, "", NOW, ""),
    ]
    logged = Attempt.objects.order_by("delivery").values_list("delivery", "status")
    assert list(logged) == [(good.pk, 201), (bad.pk, 404), (later.pk, None)]


def test_a_run_settles_with_its_last_delivery_and_not_before() -> None:
    run = a_run(2)
    for n, state in enumerate(["active", "finished"], start=1):
        claimed = held(run, 1)
        done = outcome(claimed[0], DeliveryState.DELIVERED)
        assert record(run, [done]) == (n, 0, 0, 0, 2 - n, state)
        assert run.finished_at == (NOW if state == "finished" else None)


def test_a_delivery_given_back_unsent_has_used_no_try() -> None:
    run = a_run(1)
    for _ in range(30):
        claimed = held(run, 1)
        back = Outcome(claimed[0], DeliveryState.PENDING, retry_in=0)
        recording.record(run, LEASE, [back], NOW)
    columns = ("state", "attempts", "lease", "last_error", "next_attempt_at")
    assert rows(run, *columns) == [("pending", 0, "", "", NOW)]
    assert not Attempt.objects.exists() and not Destination.objects.exists()


def test_losses_are_counted_in_a_row() -> None:
    run = a_run(1)
    errors = [ErrorClass.LOST, ErrorClass.LOST, ErrorClass.DNS, ErrorClass.LOST]
    losses = []
    for error in errors:
        [delivery] = held(run, 1)
        record(run, [outcome(delivery, DeliveryState.PENDING, None, error, 0)])
        losses += rows(run, "losses")
    assert losses == [(1,), (2,), (0,), (1,)]


def test_what_went_to_no_destination_makes_none() -> None:
    run = a_run(2)
    token, request = held(run, 2)
    outcomes = [
        outcome(token, DeliveryState.FAILED, None, ErrorClass.CONNECT, origin=""),
        Outcome(request, DeliveryState.PENDING, retry_in=60, origin=ORIGIN),
    ]
    record(run, outcomes)
    assert not Destination.objects.exists()


@pytest.mark.parametrize("count", [2, 50])
def test_many_outcomes_cost_as_many_queries_as_few(
    django_assert_max_num_queries: object, count: int
) -> None:
    run = a_run(count)
    claimed = held(run, count)
    done = [outcome(each, DeliveryState.DELIVERED) for each in claimed]
    with django_assert_max_num_queries(14):  # type: ignore[operator]
        recording.record(run, LEASE, done, NOW)
    run.refresh_from_db()
    assert (run.delivered, run.state) == (count, "finished")


def test_the_next_step_wakes_for_the_subjects_whose_step_was_delivered() -> None:
    run = a_run(3, steps=3)
    good, bad, cancelled = held(run, 10)

    counters = record(
        run,
        [
            outcome(good, DeliveryState.DELIVERED),
            outcome(bad, DeliveryState.FAILED, 404, ErrorClass.HTTP),
            Outcome(cancelled, DeliveryState.CANCELLED),
        ],
    )

    assert counters == (1, 1, 2, 3, 2, "active")
    columns = ("subject_label", "step", "state", "next_attempt_at")
    assert sorted(rows(run, *columns), key=lambda row: row[:2]) == [
        ("BUG-1", 0, "delivered", None),
        ("BUG-1", 1, "pending", NOW),
        ("BUG-1", 2, "waiting", None),
        ("BUG-2", 0, "failed", None),
        ("BUG-2", 1, "skipped", None),
        ("BUG-2", 2, "skipped", None),
        ("BUG-3", 0, "cancelled", None),
        ("BUG-3", 1, "cancelled", None),
        ("BUG-3", 2, "cancelled", None),
    ]


def test_a_failure_of_one_runs_step_leaves_other_runs_alone() -> None:
    run = a_run(1, steps=2)
    assert run.macro is not None
    other = factories.run(run.macro)
    claimed = held(run, 1)
    failed = outcome(claimed[0], DeliveryState.FAILED, 404, ErrorClass.HTTP)
    assert record(run, [failed]) == (0, 1, 1, 0, 0, "finished")
    assert rows(other, "state") == [("pending",), ("waiting",)]


def test_a_destination_that_responds_is_up_whatever_it_responds() -> None:
    destination = after_responses(a_run(3), [404, 401, 429])
    assert (destination.origin, destination.consecutive_failures) == (ORIGIN, 0)
    assert (destination.last_success_at, destination.last_failure_at) == (NOW, None)


def test_server_errors_count_in_a_row_until_another_response_ends_them() -> None:
    run = a_run(4)
    down = after_responses(run, [500, 503, 500])
    assert (down.consecutive_failures, down.last_failure_at) == (3, NOW)
    assert down.last_success_at is None
    up = after_responses(run, [200])
    assert (up.consecutive_failures, up.last_success_at) == (0, NOW)
    assert up.last_failure_at == NOW


def test_no_response_is_a_failure_of_the_destination() -> None:
    run = a_run(1)
    [delivery] = held(run, 1)
    silent = outcome(delivery, DeliveryState.FAILED, None, ErrorClass.TIMEOUT)
    record(run, [silent])
    destination = Destination.objects.get()
    assert (destination.consecutive_failures, destination.last_success_at) == (1, None)
    assert rows(run, "destination") == [(destination.pk,)]


def test_each_origin_is_a_destination_of_its_community() -> None:
    first, second = a_run(2), a_run(1)
    for run in (first, second):
        claimed = held(run, 5)
        done = [
            outcome(each, DeliveryState.DELIVERED, origin=f"https://{n}.example:443")
            for n, each in enumerate(claimed)
        ]
        record(run, done)
    assert sorted(Destination.objects.values_list("community", "origin")) == [
        (first.community_id, "https://0.example:443"),
        (first.community_id, "https://1.example:443"),
        (second.community_id, "https://0.example:443"),
    ]


def test_nothing_to_record_asks_the_database_nothing(
    django_assert_num_queries: object,
) -> None:
    run = a_run(1)
    with django_assert_num_queries(0):  # type: ignore[operator]
        recording.record(run, "", [], NOW)


def test_cancelling_a_settled_run_changes_nothing() -> None:
    run = a_run(1)
    claimed = held(run, 1)
    record(run, [outcome(claimed[0], DeliveryState.DELIVERED)])
    recording.cancel(run, NOW + timedelta(hours=1))
    run.refresh_from_db()
    assert (run.state, run.delivered, run.finished_at) == ("finished", 1, NOW)


def test_cancelling_ends_later_steps_too() -> None:
    run = a_run(2, steps=2)
    recording.cancel(run, NOW)
    run.refresh_from_db()
    assert (run.state, run.cancelled, run.pending) == ("cancelled", 4, 0)
    assert rows(run, "state", "next_attempt_at") == [("cancelled", None)] * 4


def test_rows_are_locked_in_the_order_of_their_keys() -> None:
    """Two workers that lock the same rows in another order wait for each other."""
    bugs = factories.feedback_type()
    for _ in range(3):
        factories.ticket(bugs, submitter=factories.tester(bugs))
    run = factories.run(factories.macro(bugs, "https://a.example/"))
    outcomes = [outcome(each, DeliveryState.DELIVERED) for each in held(run, 3)]
    for n, each in enumerate(outcomes):
        each.captured = [Captured("key", n, "body $.key")]
        each.change = Change(ChangeKind.SCORE, 1)
        each.origin = f"https://{n}.example:443"

    with CaptureQueriesContext(connection) as seen:
        record(run, outcomes[::-1])

    origins = Destination.objects.order_by("pk").values_list("origin", flat=True)
    assert list(origins) == sorted(origins)
    # As `in` writes it, or as `any_of` does on SQLite and on PostgreSQL.
    ids = r"(IN \(\d+, \d+, \d+\)|IN \(SELECT value FROM json_each|= ANY\()"
    locks = re.compile(rf'SELECT .* FROM "(\w+)" WHERE "\w+"."id" {ids}')
    ordered = re.compile(r' ORDER BY (1|"\w+"\."id") ASC( FOR .*)?$')
    locked = []
    for query in seen:
        if lock := locks.match(query["sql"]):
            locked.append(lock[1])
            assert ordered.search(query["sql"]), query["sql"]
    assert locked == [
        "logs_delivery",
        "feedback_feedback",
        "feedback_feedback",
        "feedback_tester",
    ]


def test_later_steps_are_locked_with_the_one_that_they_follow() -> None:
    run = a_run(1, steps=2)
    [first] = held(run, 1)
    last = run.deliveries.get(step=1)

    with CaptureQueriesContext(connection) as seen:
        record(run, [outcome(first, DeliveryState.DELIVERED)])

    read = [sql for each in seen if '"lease" AS' in (sql := each["sql"])]
    assert re.search(rf"{first.pk}, ?{last.pk}", read[0]), read[0]


def test_testers_are_locked_before_one_of_them_is_written() -> None:
    """Whether they get a value or a change: a worker with the others waits for none."""
    bugs = factories.feedback_type()
    for _ in range(2):
        factories.ticket(bugs, submitter=factories.tester(bugs))
    run = factories.run(factories.macro(bugs.project, "https://a.example/"))
    first, last = (outcome(each, DeliveryState.DELIVERED) for each in held(run, 2))
    first.change = Change(ChangeKind.SCORE, 1)
    last.captured = [Captured("key", 1, "body $.key")]

    with CaptureQueriesContext(connection) as seen:
        record(run, [first, last])

    read = [each["sql"] for each in seen if 'FROM "feedback_tester"' in each["sql"]]
    pks = sorted({first.delivery.tester_id, last.delivery.tester_id})
    assert re.search(rf"{pks[0]}, ?{pks[1]}", read[0]), read[0]
