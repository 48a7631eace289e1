"""The write path of captured values: merged, ordered, bounded, with their origin."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from feedback.changes import Change, ChangeKind, Origin
from feedback.models import Feedback
from logs import recording
from logs.models import Attempt, Delivery, DeliveryState, Run
from logs.recording import Captured, Outcome, captures
from logs.recording.captures import MAX_DATA
from tests import factories
from tests.listeners import Heard, heard

__all__ = ["heard"]
pytestmark = pytest.mark.django_db

LEASE = "mine"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def a_run(count: int = 1, **values: Any) -> Run:
    bugs = factories.feedback_type()
    factories.tickets(bugs, count, **values)
    run = factories.run(factories.macro(bugs, "https://a.example/"))
    Delivery.objects.update(lease=LEASE)
    return run


def captured(delivery: Delivery, *values: Captured, **attempt: Any) -> Outcome:
    attempt.setdefault("number", 1)
    attempt.setdefault("started_at", NOW)
    made = Attempt(delivery=delivery, status=200, total_ms=0, **attempt)
    return Outcome(delivery, DeliveryState.DELIVERED, made, captured=values)


def a_value(value: Any, key: str = "key", **options: Any) -> Captured:
    return Captured(key, value, "body $.key", **options)


def record(run: Run, *outcomes: Outcome, lease: str = LEASE) -> dict[str, Any]:
    """What the first ticket's external data is afterwards."""
    recording.record(run, lease, outcomes, NOW)
    return Feedback.objects.order_by("pk").first().external_data  # type: ignore[union-attr]


def test_the_same_try_written_twice_leaves_the_same() -> None:
    run = a_run()
    delivery = run.deliveries.get()
    once = record(run, captured(delivery, a_value("A-1")))
    first = Feedback.objects.get()
    assert record(run, captured(delivery, a_value("A-1"))) == once == {"key": "A-1"}
    again = Feedback.objects.get()
    assert again.external_provenance == first.external_provenance


def test_an_older_try_that_comes_late_overwrites_nothing() -> None:
    run = a_run()
    delivery = run.deliveries.get()
    record(run, captured(delivery, a_value("new"), number=2))
    late = captured(delivery, a_value("old"), a_value("first", "other"), number=1)
    late.attempt.started_at = NOW + timedelta(seconds=5)  # type: ignore[union-attr]

    assert record(run, late, lease="lost") == {"key": "new", "other": "first"}

    message = Attempt.objects.get(number=1).message
    assert message.splitlines() == [
        "Not stored: key, since a newer response has set it.",
        "Stored: other = first (body $.key)",
    ]


def test_of_two_deliveries_the_later_response_counts() -> None:
    run = a_run()
    assert run.macro is not None
    other = factories.run(run.macro)
    Delivery.objects.update(lease=LEASE)
    later = NOW + timedelta(seconds=1)
    newer = captured(other.deliveries.get(), a_value("newer"), started_at=later)
    older = captured(run.deliveries.get(), a_value("older"))

    assert record(other, newer) == {"key": "newer"}
    assert record(run, older) == {"key": "newer"}

    newest = captured(
        run.deliveries.get(),
        a_value("newest"),
        number=2,
        started_at=later + timedelta(seconds=1),
    )
    assert record(run, newest) == {"key": "newest"}


def test_a_response_is_as_new_as_its_end_and_not_as_its_start() -> None:
    run = a_run()
    assert run.macro is not None
    other = factories.run(run.macro)
    Delivery.objects.update(lease=LEASE)
    slow = captured(run.deliveries.get(), a_value("slow"))
    quick = captured(
        other.deliveries.get(),
        a_value("quick"),
        started_at=NOW + timedelta(seconds=1),
    )
    assert slow.attempt is not None
    slow.attempt.total_ms = 5_000
    assert record(run, slow) == {"key": "slow"}
    assert record(other, quick) == {"key": "slow"}


def test_of_two_tries_with_one_number_the_last_recorded_counts() -> None:
    """Those of two workers, one of which had lost the lease."""
    run = a_run()
    delivery = run.deliveries.get()
    record(run, captured(delivery, a_value("first")), lease="lost")
    assert record(run, captured(delivery, a_value("last"))) == {"key": "last"}


def test_of_two_responses_at_one_moment_the_last_recorded_counts() -> None:
    run = a_run()
    assert run.macro is not None
    other = factories.run(run.macro)
    Delivery.objects.update(lease=LEASE)
    record(run, captured(run.deliveries.get(), a_value("first")))
    after = record(other, captured(other.deliveries.get(), a_value("last")))
    assert after == {"key": "last"}


def test_a_late_response_of_a_worker_that_lost_its_lease_is_stored() -> None:
    run = a_run()
    outcome = captured(run.deliveries.get(), a_value("A-1"))
    assert record(run, outcome, lease="another") == {"key": "A-1"}
    assert Delivery.objects.get().state == DeliveryState.PENDING


def test_values_that_other_systems_have_set_stay() -> None:
    run = a_run(external_data={"score": 5, "key": "old"})
    after = record(run, captured(run.deliveries.get(), a_value("A-1")))
    assert after == {"score": 5, "key": "A-1"}


def test_what_is_beyond_the_limit_is_refused_and_noted() -> None:
    full = {f"n{n}": "x" * 4000 for n in range(16)}
    run = a_run(external_data=full)
    outcome = captured(run.deliveries.get(), a_value("y" * 4000), a_value("s", "small"))
    assert record(run, outcome) == {**full, "small": "s"}
    assert Attempt.objects.get().message.splitlines() == [
        f"Not stored: key, since the external data would be longer than"
        f" {MAX_DATA:,} bytes.",
        "Stored: small = s (body $.key)",
    ]
    assert Delivery.objects.get().state == DeliveryState.DELIVERED


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 200 + "…"),
        ({"name": "Grün"}, '{"name": "Grün"}'),
    ],
)
def test_the_message_shows_the_value_as_people_read_it(
    value: object, shown: str
) -> None:
    run = a_run()
    record(run, captured(run.deliveries.get(), a_value(value)))
    assert Attempt.objects.get().message == f"Stored: key = {shown} (body $.key)"


def test_a_required_value_beyond_the_limit_is_a_problem_of_what_was_delivered() -> None:
    full = {f"n{n}": "x" * 4000 for n in range(16)}
    run = a_run(external_data=full)
    needed = a_value("y" * 4000, required=True)
    outcome = captured(run.deliveries.get(), a_value("s", "small"), needed)
    assert record(run, outcome) == {**full, "small": "s"}
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.last_error) == ("delivered", "value")
    assert "The required key is missing: the external data would be longer" in (
        Attempt.objects.get().message
    )
    run.refresh_from_db()
    assert (run.failed, run.delivered, run.problems) == (0, 1, 1)


def test_the_limit_counts_bytes_of_utf_8() -> None:
    """A letter of Greek or Cyrillic is two, not the six of its escape in JSON."""
    text = "\N{GREEK SMALL LETTER OMEGA}" * (MAX_DATA // 4)
    run = a_run()
    assert record(run, captured(run.deliveries.get(), a_value(text))) == {"key": text}


def test_what_is_beyond_the_limit_already_may_still_change_within_its_size() -> None:
    run = a_run(external_data={"key": "x" * MAX_DATA})
    outcome = captured(run.deliveries.get(), a_value("y" * MAX_DATA))
    assert record(run, outcome) == {"key": "y" * MAX_DATA}


def test_a_ticket_that_was_deleted_meanwhile_is_noted() -> None:
    run = a_run(2)
    gone, stays = run.deliveries.order_by("pk")
    Feedback.objects.filter(pk=gone.feedback_id).delete()
    outcomes = [captured(gone, a_value("A-1")), captured(stays, a_value("A-2"))]
    assert record(run, *outcomes) == {"key": "A-2"}
    message = Attempt.objects.get(delivery=gone).message
    assert message == "Nothing is stored: the ticket was deleted."


def test_writing_again_after_an_error_says_nothing_twice() -> None:
    run = a_run()
    outcome = captured(run.deliveries.get(), a_value("A-1"))
    outcome.message = "Noted before."
    with transaction.atomic():
        captures.store([outcome], run)
        transaction.set_rollback(True)

    assert record(run, outcome) == {"key": "A-1"}
    assert Attempt.objects.get().message == (
        "Noted before.\nStored: key = A-1 (body $.key)"
    )


@pytest.mark.parametrize("count", [2, 50])
def test_many_tickets_cost_two_queries_more(
    django_assert_max_num_queries: Any, count: int
) -> None:
    run = a_run(count)
    outcomes = [captured(each, a_value("A")) for each in run.deliveries.all()]
    with django_assert_max_num_queries(16):
        recording.record(run, LEASE, outcomes, NOW)
    assert Feedback.objects.filter(external_data={"key": "A"}).count() == count


def test_without_captures_no_ticket_is_touched(
    django_assert_num_queries: Any,
) -> None:
    run = a_run()
    outcomes = [captured(run.deliveries.get())]
    with django_assert_num_queries(0):
        captures.store(outcomes, run)


def test_a_change_alone_reads_its_tickets_once() -> None:
    run = a_run(2, submitter=None)
    outcomes = [captured(each) for each in run.deliveries.all()]
    for each in outcomes:
        each.change = Change(ChangeKind.COMMENT, "Sent")
    with CaptureQueriesContext(connection) as seen:
        recording.record(run, LEASE, outcomes, NOW)
    read = [sql for each in seen if "external_provenance" in (sql := each["sql"])]
    assert read == []


@pytest.mark.django_db(transaction=True)
def test_two_writers_of_one_ticket_keep_each_others_keys() -> None:
    run = a_run()
    assert run.macro is not None
    # Two runs, so that they have nothing but the ticket in common.
    runs = {"a": run, "b": factories.run(run.macro)}
    failures: list[BaseException] = []
    both = threading.Barrier(2, timeout=10)

    def write(key: str) -> None:
        try:
            delivery = runs[key].deliveries.get()
            both.wait()
            for number in range(1, 16):
                value = a_value(number, f"{key}{number}")
                outcome = captured(delivery, value, number=number)
                recording.record(runs[key], "", [outcome], NOW)
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(key,)) for key in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    expected = {f"{key}{n}": n for key in "ab" for n in range(1, 16)}
    assert Feedback.objects.get().external_data == expected


def test_a_value_is_announced_with_the_run_that_brought_it(heard: Heard) -> None:
    run = a_run(external_data={"key": "old", "other": 1})
    run.chain = [3, 4]
    heard.clear()
    record(run, captured(run.deliveries.get(), a_value("new"), a_value(1, "other")))
    [(model, change)] = heard.changes
    assert model == "Feedback"
    assert change.before == {"external_key": "old"}
    assert change.after == {"external_key": "new"}
    assert heard.origins == [Origin(run.macro_name, run.pk, chain=(3, 4))]
    assert heard.origins[0].is_automation


def test_an_equal_value_is_no_change_and_its_origin_is_the_newer_one(
    heard: Heard,
) -> None:
    run = a_run()
    delivery = run.deliveries.get()
    record(run, captured(delivery, a_value("A-1")))
    heard.clear()
    record(run, captured(delivery, a_value("A-1"), number=2))
    assert heard.changes == heard.changing == []
    assert Feedback.objects.get().external_provenance["key"]["attempt"] == 2


def test_a_change_and_a_value_of_one_batch_are_announced_together(
    heard: Heard,
) -> None:
    run = a_run(submitter=None)
    heard.clear()
    outcome = captured(run.deliveries.get(), a_value("A-1"))
    outcome.change = Change(ChangeKind.COMMENT, "Sent")
    record(run, outcome)
    [(_, change)] = heard.changes
    assert (change.fields, change.comments) == (["external_key"], ("Sent",))


def test_all_values_of_a_batch_are_written_in_one_statement() -> None:
    run = a_run(3)
    outcomes = [captured(each, a_value(1)) for each in run.deliveries.all()]
    with CaptureQueriesContext(connection) as seen:
        recording.record(run, LEASE, outcomes, NOW)
    updates = [each["sql"] for each in seen if "UPDATE feedback_" in each["sql"]]
    assert [sql.partition(" SET")[0] for sql in updates] == [
        "3 times: UPDATE feedback_feedback"
    ]


@pytest.mark.parametrize(
    "origin",
    [
        *({"delivery": 0, "attempt": 9, "at": at} for at in ("soon", 5, None, [])),
        {"delivery": 0, "attempt": 9},
        {"at": "2026-11-24T00:00:00+00:00"},
        *("2026-11-24", ["2026-11-24"], 5, None),
    ],
)
def test_an_origin_that_can_not_be_read_is_older(origin: object) -> None:
    """Whatever was there before: a row of an older version, or somebody's hand."""
    before = {"key": origin}
    run = a_run(external_data={"key": "old"}, external_provenance=before)
    assert record(run, captured(run.deliveries.get(), a_value("new"))) == {"key": "new"}


def test_an_attempt_without_a_duration_responded_when_it_began() -> None:
    run = a_run()
    outcome = captured(run.deliveries.get(), a_value("A-1"))
    assert outcome.attempt is not None
    outcome.attempt.total_ms = None
    record(run, outcome)
    ticket = Feedback.objects.get()
    assert ticket.external_provenance["key"]["at"] == NOW.isoformat()


@pytest.mark.parametrize("over", [0, 1])
def test_it_may_be_full_to_the_last_byte(over: int) -> None:
    room = MAX_DATA - captures.size_of({"key": ""})
    run = a_run()
    value = a_value("x" * (room + over))
    stored = record(run, captured(run.deliveries.get(), value))
    assert stored == ({} if over else {"key": value.value})
