"""What the clock starts, and what it leaves a row about."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from feedback.models import FeedbackType
from logs.models import Cause, DeliveryState, Run, RunState
from macros import jobs
from macros.models import Macro, Occurrence, Overlap, Rate, Schedule
from macros.runs.control import cancel_run
from macros.schedules import due, starting
from macros.schedules.due import start_due
from macros.schedules.starting import run_now
from tests import factories

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON - HOUR, tick=False) as traveller:
        yield traveller


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def macro(bugs: FeedbackType) -> Macro:
    factories.tickets(bugs, 2)
    return factories.macro(bugs, "https://a.example/", name="Post")


def daily(macro: Macro, **values: Any) -> Schedule:
    return factories.schedule(macro, **{"name": "Nightly", "at": time(12), **values})


def hourly(macro: Macro, **values: Any) -> Schedule:
    return daily(macro, rate=Rate.HOURS, every=1, start_at=NOON, **values)


def rows(schedule: Schedule) -> list[tuple[str, datetime, str]]:
    past = schedule.occurrences.order_by("pk")
    return [(row.outcome, row.scheduled_for, row.detail) for row in past]


def outcomes(schedule: Schedule) -> list[str]:
    return [outcome for outcome, _, _ in rows(schedule)]


def finish(run: Run) -> None:
    """All of it delivered."""
    run.deliveries.update(state=DeliveryState.DELIVERED)
    Run.objects.filter(pk=run.pk).update(delivered=run.total, state=RunState.FINISHED)


def at(traveller: time_machine.Traveller, moment: datetime) -> None:
    traveller.move_to(moment, tick=False)
    start_due()


def test_nothing_starts_before_its_moment_and_all_of_it_at_that_moment(
    clock: Any, macro: Macro
) -> None:
    schedule = daily(macro)
    at(clock, NOON - MINUTE)
    assert not Run.objects.exists()

    clock.move_to(NOON, tick=False)
    jobs.wake()

    run = Run.objects.get()
    assert (run.cause, run.schedule, run.cause_name) == (
        Cause.SCHEDULE,
        schedule,
        "Nightly",
    )
    assert (run.total, run.scheduled_for, run.state) == (2, NOON, "active")
    assert run.selection == "All tickets of Phone Beta: Bug Report"
    assert rows(schedule) == [("started", NOON, "")]
    assert schedule.occurrences.get().run == run
    schedule.refresh_from_db()
    assert schedule.next_run_at == NOON + DAY


def test_looking_for_what_is_due_takes_two_queries_while_nothing_is(
    macro: Macro,
) -> None:
    for name in "abc":
        daily(macro, name=name)
    with CaptureQueriesContext(connection) as queries:
        start_due()
    assert len(queries) == 2


def test_one_moment_is_started_once_however_often_a_clock_looks(
    clock: Any, macro: Macro
) -> None:
    schedule = daily(macro)
    for second in range(3):
        at(clock, NOON + timedelta(seconds=second))
    assert outcomes(schedule) == ["started"]


def test_a_clock_set_back_an_hour_starts_nothing_again(
    clock: Any, macro: Macro
) -> None:
    schedule = hourly(macro)
    at(clock, NOON)
    at(clock, NOON - HOUR)
    at(clock, NOON)
    assert outcomes(schedule) == ["started"]


def test_a_moment_that_a_change_brings_back_is_not_started_again(
    clock: Any, macro: Macro
) -> None:
    schedule = daily(macro)
    at(clock, NOON)
    clock.move_to(NOON - MINUTE, tick=False)
    schedule.rate, schedule.cron = Rate.CRON, "0 12 * * *"
    schedule.save()
    assert schedule.next_run_at == NOON

    at(clock, NOON)

    assert outcomes(schedule) == ["started"]
    schedule.refresh_from_db()
    assert schedule.next_run_at == NOON + DAY


def test_only_what_was_not_delivered_before(clock: Any, macro: Macro) -> None:
    schedule = hourly(macro, only_undelivered=True)
    at(clock, NOON)
    first = Run.objects.get()
    finish(first)
    failed = first.deliveries.order_by("pk")[0]
    failed.state = DeliveryState.FAILED
    failed.save()
    assert macro.feedback_type
    [new] = factories.tickets(macro.feedback_type)
    at(clock, NOON + HOUR)

    second = Run.objects.order_by("pk").last()
    assert second
    subjects = {row.feedback_id for row in second.deliveries.all()}
    assert subjects == {failed.feedback_id, new.pk}
    assert second.selection == (
        "All tickets of Phone Beta: Bug Report, not delivered by this schedule before"
    )
    finish(second)
    at(clock, NOON + 2 * HOUR)
    assert outcomes(schedule) == ["started", "started", "nothing"]


def test_what_another_schedule_delivered_was_not_delivered_by_this_one(
    clock: Any, macro: Macro
) -> None:
    other = hourly(macro, name="Other")
    schedule = hourly(macro, only_undelivered=True)
    at(clock, NOON)
    assert outcomes(other) == outcomes(schedule) == ["started"]


def test_only_what_changed_since_the_last_run(clock: Any, macro: Macro) -> None:
    schedule = hourly(macro, only_changed=True, overlap=Overlap.START)
    at(clock, NOON)
    at(clock, NOON + HOUR)
    assert outcomes(schedule) == ["started", "nothing"]
    assert macro.feedback_type
    ticket = macro.feedback_type.tickets.first()
    assert ticket
    ticket.title = "It still breaks"
    ticket.save()

    at(clock, NOON + 2 * HOUR)

    run = Run.objects.order_by("pk").last()
    assert run and [row.feedback_id for row in run.deliveries.all()] == [ticket.pk]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"is_active": False}, "The macro Post is off. Switch it on to run it."),
        ({"paused_reason": "Olga paused it."}, "The macro Post is paused: Olga"),
    ],
)
def test_a_macro_that_can_not_run_leaves_a_row_that_says_why(
    clock: Any, macro: Macro, change: dict[str, Any], sentence: str
) -> None:
    schedule = hourly(macro)
    Macro.objects.filter(pk=macro.pk).update(**change)
    at(clock, NOON)
    [(outcome, _, detail)] = rows(schedule)
    assert outcome == "held_up" and detail.startswith(sentence)
    schedule.refresh_from_db()
    assert schedule.next_run_at == NOON + HOUR


def test_without_an_api_key_or_a_step_or_a_ticket_as_well(
    clock: Any, bugs: FeedbackType
) -> None:
    empty = hourly(factories.macro(bugs))
    idle = hourly(factories.macro(bugs, "https://a.example/"))
    at(clock, NOON)
    bugs.project.community.api_keys.all().delete()
    factories.ticket(bugs)
    at(clock, NOON + HOUR)
    assert "has no step" in rows(empty)[0][2]
    assert rows(idle)[0][0] == "nothing"
    assert "No ticket of Phone Beta: Bug Report is selected" in rows(idle)[0][2]
    assert rows(idle)[1][0] == "held_up"
    assert "has no valid API key" in rows(idle)[1][2]


def test_an_error_at_one_stops_no_other_and_is_not_repeated(
    clock: Any, macro: Macro, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = hourly(macro, name="Bad"), hourly(macro, name="Good")
    real = starting.start_run
    tries = []

    def fail(*args: Any, because: Any, **options: Any) -> Run:
        tries.append(because.schedule.name)
        if because.schedule == bad:
            raise KeyError("what")
        return real(*args, because=because, **options)

    monkeypatch.setattr(starting, "start_run", fail)
    at(clock, NOON)
    start_due()
    assert tries == ["Bad", "Good"]
    detail = "Unexpected error: KeyError. The clock's log says more."
    assert rows(bad) == [("held_up", NOON, detail)]
    assert outcomes(good) == ["started"]
    bad.refresh_from_db()
    assert bad.next_run_at == NOON + HOUR


def test_what_the_database_refuses_is_tried_again_and_given_up_at_last(
    clock: Any, macro: Macro, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = hourly(macro)
    refusals = iter([True] * 3 + [False] + [True] * due.MAX_TRIES)
    real = starting.start_run

    def refuse(*args: Any, **options: Any) -> Run:
        if next(refusals):
            raise OperationalError("deadlock detected")
        return real(*args, **options)

    monkeypatch.setattr(starting, "start_run", refuse)
    for _ in range(4):
        at(clock, NOON)
    assert outcomes(schedule) == ["started"], "nothing was lost"
    finish(Run.objects.get())
    for _ in range(due.MAX_TRIES + 3):
        at(clock, NOON + HOUR)
    assert outcomes(schedule) == ["started", "held_up"]
    assert "OperationalError" in rows(schedule)[1][2]


def test_a_database_that_is_away_leaves_the_moment_due(
    clock: Any, macro: Macro, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = hourly(macro)
    with monkeypatch.context() as patch:
        patch.setattr(connection, "is_usable", lambda: False)

        def away(*args: Any, **options: Any) -> Run:
            raise OperationalError("terminating connection")

        patch.setattr(starting, "start_run", away)
        clock.move_to(NOON, tick=False)
        for _ in range(due.MAX_TRIES + 1):
            with pytest.raises(OperationalError):
                start_due()
    at(clock, NOON + 10 * MINUTE)
    assert rows(schedule) == [("started", NOON, "Late")]


def test_a_zone_that_is_gone_leaves_a_row_and_no_next_moment(
    clock: Any, macro: Macro
) -> None:
    schedule = daily(macro)
    Schedule.objects.update(time_zone="Europe/Atlantis")
    at(clock, NOON)
    start_due()
    [(outcome, _, detail)] = rows(schedule)
    assert outcome == "held_up" and "no next moment" in detail
    schedule.refresh_from_db()
    assert schedule.next_run_at is None


def test_what_is_switched_off_starts_nothing_and_misses_nothing(
    clock: Any, macro: Macro
) -> None:
    schedule = hourly(macro, is_active=False)
    assert schedule.next_run_at is None
    at(clock, NOON + HOUR)
    clock.move_to(NOON + HOUR + MINUTE, tick=False)
    schedule.is_active = True
    schedule.save(update_fields=["is_active"])
    schedule.refresh_from_db()
    assert schedule.next_run_at == NOON + 2 * HOUR
    start_due()
    assert rows(schedule) == []


def test_saving_without_another_rate_keeps_what_is_due(
    clock: Any, macro: Macro
) -> None:
    schedule = hourly(macro)
    clock.move_to(NOON + 2 * HOUR, tick=False)
    schedule.description = "New words"
    schedule.save()
    assert schedule.next_run_at == NOON
    schedule.every = 3
    schedule.save()
    assert schedule.next_run_at == NOON + 3 * HOUR


def test_run_now_starts_a_run_and_leaves_the_next_moment(
    clock: Any, macro: Macro
) -> None:
    schedule = hourly(macro)
    olivia = factories.superuser()
    key = "a" * 32
    made = run_now(schedule, olivia, key)
    assert run_now(schedule, olivia, key) == made
    run = Run.objects.get()
    assert (run.actor, run.cause_name) == (olivia, "Nightly (run now)")
    assert made.run == run and Occurrence.objects.count() == 1
    schedule.refresh_from_db()
    assert schedule.next_run_at == NOON
    cancel_run(run)
    at(clock, NOON)
    assert outcomes(schedule) == ["started", "started"]


def severity(bugs: FeedbackType, *severities: str) -> list[int]:
    made = [factories.ticket(bugs, form_values={"severity": s}) for s in severities]
    return [each.pk for each in made]


def test_only_what_the_filter_selects(clock: Any, bugs: FeedbackType) -> None:
    macro = factories.macro(bugs, "https://a.example/")
    condition = {"field": "field_severity", "qualifier": "is", "value": "Critical"}
    critical = factories.saved_filter(bugs, condition, name="Critical bugs")
    schedule = hourly(macro, filter=critical)
    _, wanted, _ = severity(bugs, "Minor", "Critical", "Major")
    at(clock, NOON)
    run = Run.objects.get()
    assert [row.feedback_id for row in run.deliveries.all()] == [wanted]
    assert run.selection == "Critical bugs: Severity is Critical"
    assert outcomes(schedule) == ["started"]


def test_a_filter_that_lost_a_part_holds_it_up_and_says_so(
    clock: Any, bugs: FeedbackType, macro: Macro
) -> None:
    condition = {"field": "field_severity", "qualifier": "is", "value": "Critical"}
    schedule = hourly(macro, filter=factories.saved_filter(bugs, condition, name="C"))
    bugs.form_fields.filter(key="severity").delete()
    at(clock, NOON)
    [(outcome, _, detail)] = rows(schedule)
    assert outcome == "held_up"
    assert detail.startswith("The filter C is broken. Matches nothing:")
    assert not Run.objects.exists()


def test_a_macro_that_moved_away_from_its_filter_is_held_up(
    clock: Any, bugs: FeedbackType, macro: Macro
) -> None:
    schedule = hourly(macro, filter=factories.saved_filter(bugs, name="All bugs"))
    ideas = FeedbackType.objects.create(project=bugs.project, name="Idea", prefix="I")
    factories.ticket(ideas)
    macro.feedback_type = ideas
    macro.save()
    at(clock, NOON)
    [(outcome, _, detail)] = rows(schedule)
    assert outcome == "held_up"
    assert "selects tickets of" in detail and "runs on" in detail


def test_a_schedule_of_testers_runs_on_testers(clock: Any, bugs: FeedbackType) -> None:
    factories.ticket(bugs, submitter=factories.tester(bugs))
    macro = factories.macro(bugs.project, "https://a.example/")
    schedule = hourly(macro)
    at(clock, NOON)
    run = Run.objects.get()
    assert run.selection == "All testers of Phone Beta"
    assert outcomes(schedule) == ["started"]
