"""Moments that were missed, or came while the last run was unfinished."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from feedback.models import FeedbackType
from logs.models import DeliveryState, Run, RunState
from macros.models import Macro, Missed, Overlap, Rate, Schedule
from macros.schedules import starting
from macros.schedules.due import start_due
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


@pytest.mark.parametrize(
    ("down", "note"),
    [
        (timedelta(minutes=4), ""),
        (2 * HOUR, "late"),
        (9 * DAY + 2 * HOUR, "late, 10 missed"),
        (10 * DAY, "10 missed before"),
        (365 * 4 * DAY + HOUR, "late, more than 1,000 missed"),
    ],
)
def test_what_was_missed_is_caught_up_by_one_run(
    clock: Any, macro: Macro, down: timedelta, note: str
) -> None:
    schedule = daily(macro)
    at(clock, NOON + down)
    start_due()
    run = Run.objects.get()
    last = NOON + down // DAY * DAY
    assert run.scheduled_for == last
    assert run.cause_name == f"Nightly ({note})" if note else "Nightly"
    assert rows(schedule) == [("started", last, note.capitalize())]
    schedule.refresh_from_db()
    assert schedule.next_run_at == last + DAY


@pytest.mark.parametrize(
    ("down", "expected"),
    [
        (timedelta(minutes=4), [("started", NOON, "")]),
        (
            2 * HOUR,
            [
                (
                    "missed",
                    NOON,
                    "It was missed by more than 5 minutes: no clock was running.",
                )
            ],
        ),
        (
            9 * DAY + 2 * HOUR,
            [
                (
                    "missed",
                    NOON,
                    "10 moments from 1 Jun 2026, 12:00 on were missed: no clock was"
                    " running.",
                )
            ],
        ),
        (
            10 * DAY,
            [
                (
                    "missed",
                    NOON,
                    "10 moments from 1 Jun 2026, 12:00 on were missed: no clock was"
                    " running.",
                ),
                ("started", NOON + 10 * DAY, ""),
            ],
        ),
    ],
)
def test_or_skipped(
    clock: Any, macro: Macro, down: timedelta, expected: list[Any]
) -> None:
    schedule = daily(macro, missed=Missed.SKIP)
    at(clock, NOON + down)
    start_due()
    assert rows(schedule) == expected
    schedule.refresh_from_db()
    assert schedule.next_run_at == NOON + down // DAY * DAY + DAY


def test_a_year_of_minutes_is_caught_up_with_little_work(
    clock: Any, macro: Macro
) -> None:
    schedule = daily(macro, rate=Rate.CRON, cron="* * * * *")
    clock.move_to(NOON + 365 * DAY, tick=False)
    with CaptureQueriesContext(connection) as queries:
        start_due()
    assert len(queries) < 60
    assert rows(schedule) == [
        ("started", NOON + 365 * DAY, "More than 1,000 missed before")
    ]


@pytest.mark.parametrize(
    ("length", "name"), [(93, "x" * 93), (94, "x" * 92 + "…"), (100, "x" * 92 + "…")]
)
def test_a_long_name_leaves_room_for_the_note(
    clock: Any, macro: Macro, length: int, name: str
) -> None:
    daily(macro, name="x" * length)
    at(clock, NOON + 2 * HOUR)
    assert Run.objects.get().cause_name == f"{name} (late)"


def test_while_the_last_run_is_unfinished_moments_are_skipped(
    clock: Any, macro: Macro
) -> None:
    schedule = hourly(macro)
    at(clock, NOON)
    run = Run.objects.get()

    at(clock, NOON + HOUR)

    detail = f"0 of 2 deliveries of run {run.pk} had ended."
    assert rows(schedule)[1:] == [("overlap", NOON + HOUR, detail)]
    finish(run)
    at(clock, NOON + 2 * HOUR)
    assert outcomes(schedule) == ["started", "overlap", "started"]


def test_or_one_of_them_waits(clock: Any, macro: Macro) -> None:
    schedule = hourly(macro, overlap=Overlap.QUEUE)
    at(clock, NOON)
    first = Run.objects.get()
    at(clock, NOON + HOUR)
    at(clock, NOON + 2 * HOUR)
    assert outcomes(schedule) == ["started", "queued", "overlap"]
    assert rows(schedule)[2][2].endswith("One moment waits for it already.")

    finish(first)
    at(clock, NOON + 2 * HOUR + MINUTE)

    assert outcomes(schedule) == ["started", "started", "overlap"]
    second = Run.objects.order_by("pk").last()
    assert second and second.scheduled_for == NOON + HOUR
    assert second.cause_name == "Nightly (waited for the run before)"
    assert schedule.occurrences.get(run=second).scheduled_for == NOON + HOUR


@pytest.mark.parametrize("change", [{"is_active": False}, {"every": 2}])
def test_what_waits_is_dropped_when_its_schedule_changes(
    clock: Any, macro: Macro, change: dict[str, Any]
) -> None:
    schedule = hourly(macro, overlap=Overlap.QUEUE)
    at(clock, NOON)
    at(clock, NOON + HOUR)
    schedule.refresh_from_db()
    for name, value in change.items():
        setattr(schedule, name, value)
    schedule.save()
    finish(Run.objects.get())
    at(clock, NOON + HOUR + MINUTE)
    assert outcomes(schedule) == ["started", "held_up"]
    assert "changed or switched off" in rows(schedule)[1][2]


def test_or_it_starts_anyway(clock: Any, macro: Macro) -> None:
    schedule = hourly(macro, overlap=Overlap.START)
    at(clock, NOON)
    at(clock, NOON + HOUR)
    assert outcomes(schedule) == ["started", "started"]


def test_the_last_run_is_known_after_all_of_its_moments_are_pruned(
    clock: Any, macro: Macro, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "KEPT", 3)
    schedule = hourly(macro)
    for hours in range(6):
        at(clock, NOON + hours * HOUR)
    assert outcomes(schedule) == ["started", "overlap", "overlap", "overlap"]
    assert rows(schedule)[-1][1] == NOON + 5 * HOUR
