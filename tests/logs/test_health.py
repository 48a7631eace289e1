"""When a destination's breaker opens and its holds end, to the failure and second."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from feedback.models import FeedbackType
from logs.models import (
    Attempt,
    BreakerState,
    Delivery,
    DeliveryState,
    Destination,
    ErrorClass,
    Run,
)
from logs.recording import Outcome, health
from logs.recording.waiting import MARGIN, count_waiting, resume, troubles_of
from tests import factories

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ORIGIN = "https://a.example:443"
FAILED = {"status": 500, "error_class": ErrorClass.HTTP}
BUSY = {"status": 429, "error_class": ErrorClass.BUSY}


@pytest.fixture
def run() -> Run:
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    return factories.run(factories.macro(bugs, "https://a.example/"))


def after(
    run: Run, attempts: Iterable[dict[str, Any]], held_until: datetime | None = None
) -> Destination:
    delivery = run.deliveries.first()
    assert delivery is not None
    outcomes = [
        Outcome(
            delivery,
            DeliveryState.PENDING,
            Attempt(delivery=delivery, number=1, started_at=NOW, **values),
            origin=ORIGIN,
            held_until=held_until,
        )
        for values in attempts
    ]
    health.update_destinations(run, outcomes, NOW)
    return Destination.objects.get()


def given(run: Run, **values: Any) -> Destination:
    return Destination.objects.create(community=run.community, origin=ORIGIN, **values)


def test_it_opens_at_the_threshold_and_not_before(run: Run) -> None:
    row = after(run, [FAILED] * (health.THRESHOLD - 1))
    assert (row.breaker, row.probe_at) == (BreakerState.CLOSED, None)
    row = after(run, [FAILED])
    assert row.breaker == BreakerState.OPEN
    assert row.probe_at == NOW + timedelta(seconds=health.FIRST_PAUSE)
    assert (row.trips, row.consecutive_failures) == (1, health.THRESHOLD)


@pytest.mark.parametrize("status", [200, 301, 404, 499])
def test_whoever_refuses_a_request_is_up(run: Run, status: int) -> None:
    row = after(run, [*[FAILED] * 9, {"status": status}, *[FAILED] * 9])
    assert (row.breaker, row.consecutive_failures) == (BreakerState.CLOSED, 9)
    assert (row.last_success_at, row.last_failure_at) == (NOW, NOW)


def test_whoever_asks_to_wait_is_up_whatever_the_status(run: Run) -> None:
    row = after(run, [{**BUSY, "status": 503}] * health.THRESHOLD)
    assert (row.breaker, row.consecutive_failures) == (BreakerState.CLOSED, 0)


@pytest.mark.parametrize(
    ("trips", "seconds"),
    [(0, 30), (1, 60), (2, 120), (3, 240), (4, 480), (5, 900), (10, 900)],
)
def test_it_stays_open_twice_as_long_each_time(
    run: Run, trips: int, seconds: int
) -> None:
    given(run, breaker=BreakerState.HALF_OPEN, trips=trips)
    row = after(run, [FAILED])
    assert row.probe_at == NOW + timedelta(seconds=seconds)
    assert row.trips == min(trips + 1, 10)


@pytest.mark.parametrize(
    ("holds", "seconds"), [(0, 5), (1, 10), (2, 20), (7, 640), (8, 900), (10, 900)]
)
def test_who_is_busy_without_a_time_is_left_alone_twice_as_long_each_time(
    run: Run, holds: int, seconds: int
) -> None:
    given(run, holds=holds)
    row = after(run, [BUSY])
    assert row.held_until == NOW + timedelta(seconds=seconds)
    assert row.holds == min(holds + 1, 10)


def test_the_longest_of_several_waits_counts(run: Run) -> None:
    hour, minute = NOW + timedelta(hours=1), NOW + timedelta(minutes=1)
    assert after(run, [BUSY], held_until=hour).held_until == hour
    assert after(run, [BUSY], held_until=minute).held_until == hour
    # What asks without a time was on the wire when the wait began.
    row = after(run, [BUSY])
    assert (row.held_until, row.holds) == (hour, 0)


def test_a_success_ends_a_wait_that_is_over_and_no_other(run: Run) -> None:
    given(run, held_until=NOW + timedelta(seconds=1), holds=3)
    row = after(run, [{"status": 200}])
    assert (row.held_until, row.holds) == (NOW + timedelta(seconds=1), 3)
    Destination.objects.update(held_until=NOW)
    row = after(run, [{"status": 200}])
    assert (row.held_until, row.holds) == (None, 0)


def runs_at_work(bugs: FeedbackType) -> tuple[Run, Run]:
    """One that sends to this destination alone, and one that sends elsewhere too."""
    alone = factories.run(factories.macro(bugs, "https://a.example/"))
    both = factories.macro(bugs, "https://a.example/", name="Both")
    factories.steps(both, {**both.concrete_steps()[0].snapshot()})
    step = both.concrete_steps()[1]
    step.url = "https://b.example/"  # type: ignore[attr-defined]
    step.save()
    return alone, factories.run(both)


def test_what_waits_is_what_has_not_ended_and_what_has_been_there() -> None:
    bugs = factories.feedback_type()
    factories.tickets(bugs, 5)
    alone, elsewhere = runs_at_work(bugs)
    row = Destination.objects.create(community=alone.community, origin=ORIGIN)
    assert count_waiting(row) == 5
    ended = {"delivered": 1, "failed": 1, "skipped": 1, "cancelled": 1}
    Run.objects.filter(pk=alone.pk).update(**ended)
    assert count_waiting(row) == 1
    been_there = elsewhere.deliveries.order_by("pk")[:3]
    Delivery.objects.filter(pk__in=[each.pk for each in been_there]).update(
        destination=row
    )
    assert count_waiting(row) == 4
    alone.delete()
    assert count_waiting(row) == 3


def test_a_run_says_how_many_of_its_own_deliveries_wait() -> None:
    bugs = factories.feedback_type()
    factories.tickets(bugs, 5)
    alone, elsewhere = runs_at_work(bugs)
    row, other = (
        Destination.objects.create(
            community=alone.community, origin=origin, is_paused=True
        )
        for origin in (ORIGIN, "https://b.example:443")
    )
    been_there = elsewhere.deliveries.filter(step=0).order_by("pk")[:3]
    Delivery.objects.filter(pk__in=[each.pk for each in been_there]).update(
        destination=row
    )
    sentences = {
        run: {each.destination: each.sentence for each in troubles_of(run, NOW)}
        for run in (alone, elsewhere)
    }
    until = "until somebody switches that off."
    assert sentences == {
        alone: {row: f"is paused; 5 deliveries wait {until}"},
        elsewhere: {
            row: f"is paused; 3 deliveries wait {until}",
            other: f"is paused; 0 deliveries wait {until}",
        },
    }


def test_only_what_was_put_off_for_the_wait_is_due_when_it_is_ended(run: Run) -> None:
    until = NOW + timedelta(hours=1)
    row = given(run, held_until=until)
    assert run.macro is not None and run.macro.feedback_type is not None
    factories.tickets(run.macro.feedback_type, 2)
    again = factories.run(run.macro)
    for at, delivery in enumerate(again.deliveries.order_by("pk")):
        delivery.next_attempt_at = until + MARGIN + timedelta(seconds=at)
        delivery.destination = row
        delivery.save()
    resume(row, NOW)
    due = [each.next_attempt_at == NOW for each in again.deliveries.order_by("pk")]
    assert due == [True, False, False]
