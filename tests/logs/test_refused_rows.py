"""A row that the database refuses costs that row, and none of its neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from feedback.changes import Change, ChangeKind
from feedback.models import Comment
from logs import recording
from logs.models import Attempt, DeliveryState, Run
from logs.recording import Captured, Outcome
from tests.logs.test_recording import LEASE, NOW, a_run, held, outcome

pytestmark = pytest.mark.django_db

UNKEEPABLE = ["half \ud83d", "nul \0", "\ude00\0\ud83d"]


def the_middle_one_of_three() -> tuple[Run, list[Outcome]]:
    run = a_run(3)
    deliveries = held(run, 3)
    return run, [outcome(each, DeliveryState.DELIVERED) for each in deliveries]


def write(run: Run, outcomes: list[Outcome]) -> list[tuple[object, ...]]:
    recording.record(run, LEASE, outcomes, NOW)
    run.refresh_from_db()
    rows = run.deliveries.order_by("pk")
    return list(rows.values_list("state", "attempts", "lease"))


@pytest.mark.parametrize("text", UNKEEPABLE)
@pytest.mark.parametrize(
    "column", ["message", "response_body", "response_headers", "request_body", "url"]
)
def test_any_text_of_an_attempt_is_made_storable(column: str, text: str) -> None:
    run, outcomes = the_middle_one_of_three()
    setattr(outcomes[1].attempt, column, text)
    assert write(run, outcomes) == [("delivered", 1, "")] * 3
    kept = Attempt.objects.get(delivery=outcomes[1].delivery)
    assert "\N{REPLACEMENT CHARACTER}" in getattr(kept, column)


@contextmanager
def refused(condition: str, table: str = "logs_attempt") -> Iterator[None]:
    """No row can be written for which this holds."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                f"CREATE TRIGGER refused BEFORE INSERT ON {table} WHEN"
                f" NEW.{condition} BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
        else:
            cursor.execute(
                f"ALTER TABLE {table} ADD CONSTRAINT refused CHECK (NOT ({condition}))"
            )
    yield


def test_a_refused_attempt_is_written_without_its_texts_and_says_so() -> None:
    run, outcomes = the_middle_one_of_three()
    for each in outcomes:
        assert each.attempt is not None
        each.attempt.response_body = "fine"
        each.captured = [Captured("key", "A-1", "body $.key")]
    assert outcomes[1].attempt is not None
    outcomes[1].attempt.response_body = "odd"

    with refused("response_body = 'odd'", "logs_transcript"):
        states = write(run, outcomes)

    assert states == [("delivered", 1, "")] * 3
    assert (run.delivered, run.pending) == (3, 0)
    first, second, third = Attempt.objects.order_by("delivery")
    assert first.response_body == third.response_body == "fine"
    assert (second.status, second.response_body) == (200, "")
    assert "refused to keep this try as it was (IntegrityError)" in second.message
    stored = [each.delivery.feedback for each in outcomes]
    for ticket in stored:
        ticket.refresh_from_db()
    kept = [ticket.external_data.get("key") for ticket in stored]
    assert kept == ["A-1", None, "A-1"]


def test_operators_read_in_the_log_what_the_database_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    run, outcomes = the_middle_one_of_three()
    with refused("response_body = 'odd'", "logs_transcript"):
        outcomes[1].attempt.response_body = "odd"  # type: ignore[union-attr]
        write(run, outcomes)
    [entry] = [each for each in caplog.records if "one by one" in each.message]
    assert entry.exc_info is not None and "refused" in str(entry.exc_info[1])


def test_a_result_that_is_refused_even_so_leaves_its_neighbours_alone() -> None:
    run, outcomes = the_middle_one_of_three()
    with refused(f"delivery_id = {outcomes[1].delivery.pk}"):
        states = write(run, outcomes)
    done = ("delivered", 1, "")
    assert states == [done, ("pending", 0, LEASE), done]
    assert (run.delivered, run.pending) == (2, 1)


def test_a_captured_value_that_is_refused_costs_its_own_delivery_only() -> None:
    run, outcomes = the_middle_one_of_three()
    outcomes[1].captured = [Captured("key", "\ud83d\0", "body $.key")]
    assert write(run, outcomes) == [("delivered", 1, "")] * 3


def test_a_change_that_is_refused_fails_its_delivery_and_changes_nothing() -> None:
    run = a_run(2)
    good, bad = held(run, 2)
    outcomes = [outcome(each, DeliveryState.DELIVERED, None) for each in (good, bad)]
    outcomes[0].change = Change(ChangeKind.COMMENT, "fine")
    outcomes[1].change = Change(ChangeKind.COMMENT, "odd \ud83d")
    states = write(run, outcomes)
    assert [state for state, *_ in states] == ["delivered", "failed"]
    assert [each.text for each in Comment.objects.all()] == ["fine"]
    attempt = Attempt.objects.get(delivery=bad)
    assert attempt.message.startswith("The database refused the change")
