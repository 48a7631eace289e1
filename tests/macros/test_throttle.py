"""How much goes out at one time, and to how many destinations."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from feedback.models import FeedbackType
from logs.models import Delivery, Destination
from macros.deliveries import outcomes
from macros.deliveries.sender import Exchange
from macros.deliveries.throttle import (
    ADAPT_EVERY,
    HOLD,
    MIN_WINDOW,
    Throttle,
    Throttles,
)
from macros.http import Request, TransportError
from macros.steps.rendering import Plan
from tests import factories


class FakeTime:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    time = FakeTime()
    monkeypatch.setattr("macros.deliveries.throttle.time", time)
    return time


@pytest.fixture
def wall() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


def exchanges(throttle: Throttle, count: int, seconds: float) -> None:
    """That many requests were responded to, the quickest in that many seconds."""
    for number in range(count):
        throttle.in_flight += 1
        throttle.end("token", seconds + number / 10, True)


def a_throttle(time: FakeTime, cap: int = 500) -> Throttle:
    return Throttle(cap, _since=time.now)


def test_a_window_begins_small_and_no_wider_than_allowed(time: FakeTime) -> None:
    assert a_throttle(time).window == MIN_WINDOW
    assert a_throttle(time, cap=3).window == 3


def test_a_window_holds_twice_what_the_destination_can_work_on(time: FakeTime) -> None:
    throttle = a_throttle(time)
    exchanges(throttle, 99, 0.1)
    assert throttle.window == MIN_WINDOW
    time.now += ADAPT_EVERY
    exchanges(throttle, 1, 0.2)
    # 400 a second, of 0.1 s each, are 40 at one time.
    assert throttle.window == 80


def test_a_window_forgets_what_was_before(time: FakeTime) -> None:
    throttle = a_throttle(time)
    exchanges(throttle, 99, 0.1)
    time.now += ADAPT_EVERY
    exchanges(throttle, 1, 0.1)
    time.now += ADAPT_EVERY
    exchanges(throttle, 1, 9.0)
    # 4 a second, of 9 s each.
    assert throttle.window == 72


def test_a_fast_destination_needs_a_small_window(time: FakeTime) -> None:
    throttle = a_throttle(time)
    throttle.window = 200
    time.now += ADAPT_EVERY
    exchanges(throttle, 1, 0.001)
    assert throttle.window == MIN_WINDOW


def test_a_window_never_passes_what_is_allowed(time: FakeTime) -> None:
    throttle = a_throttle(time, cap=50)
    time.now += ADAPT_EVERY
    exchanges(throttle, 1, 100.0)
    assert throttle.window == 50


def test_no_more_are_on_the_wire_than_the_window_holds(time: FakeTime) -> None:
    throttle = a_throttle(time, cap=2)
    assert [throttle.begin(token) for token in "abc"] == [True, True, False]
    throttle.end("a", 0.1, True)
    assert [throttle.begin(token) for token in "cd"] == [True, False]


def test_after_a_wait_a_window_opens_slowly(
    time: FakeTime, wall: time_machine.Traveller
) -> None:
    """A destination that said "too fast" is asked by one request whether it is over."""
    throttle = a_throttle(time)
    throttle.hold(timezone.now() + timedelta(seconds=30))
    windows = [throttle.window]
    assert not throttle.begin("early")
    exchanges(throttle, 20, 0.5)  # What was on the wire.
    for wait in (30.0, ADAPT_EVERY, ADAPT_EVERY, ADAPT_EVERY, ADAPT_EVERY):
        time.now += wait
        wall.shift(wait)
        exchanges(throttle, 1, 0.001)
        windows.append(throttle.window)
    assert windows == [1, 1, 2, 4, 8, 8]
    assert throttle.begin("late")


def test_a_short_wait_is_waited_out_and_a_long_one_given_back(
    time: FakeTime, wall: time_machine.Traveller
) -> None:
    throttle = a_throttle(time)
    throttle.hold(timezone.now() + timedelta(seconds=HOLD))
    assert (throttle.is_shut, throttle.capacity) == (False, MIN_WINDOW)
    throttle.held = MIN_WINDOW + 1
    assert (throttle.capacity, throttle.look_again_in) == (0, 5)
    throttle.hold(timezone.now() + timedelta(seconds=60.5))
    assert (throttle.is_shut, throttle.capacity) == (True, 0)
    assert throttle.look_again_in == 61
    throttle.hold(timezone.now() + timedelta(seconds=10))
    assert throttle.look_again_in == 61, "the longest counts"
    throttle.hold(timezone.now() + timedelta(days=1))
    assert throttle.look_again_in == 600


@pytest.mark.django_db
def test_what_a_person_ends_is_over_in_every_worker() -> None:
    community = factories.feedback_type().project.community
    until = timezone.now() + timedelta(seconds=60)
    row = Destination.objects.create(
        community=community, origin="https://a.example:443", held_until=until
    )
    throttles = Throttles(8)
    throttle = throttles.get(community.pk, row.origin)
    assert not throttle.begin("a")
    row.end_hold()
    row.save()
    throttle.look_at(row)
    assert throttle.begin("a")


def test_after_a_wait_that_a_person_has_ended_a_window_opens_as_well(
    time: FakeTime,
) -> None:
    throttle = a_throttle(time)
    until = timezone.now() + timedelta(hours=1)
    throttle.look_at(Destination(held_until=until))
    throttle.look_at(Destination())
    windows = []
    for _ in range(4):
        time.now += ADAPT_EVERY
        exchanges(throttle, 1, 0.001)
        windows.append(throttle.window)
    assert windows == [2, 4, 8, 8]


def test_a_window_stays_open_when_what_is_known_already_is_looked_up(
    time: FakeTime, wall: time_machine.Traveller
) -> None:
    throttle = a_throttle(time)
    row = Destination(held_until=timezone.now() + timedelta(seconds=30))
    throttle.look_at(row)
    exchanges(throttle, 20, 0.5)
    assert throttle.window == 1
    time.now += 30 + ADAPT_EVERY
    wall.shift(31)
    exchanges(throttle, 1, 0.001)
    for known in (row, Destination(), Destination()):
        throttle.look_at(known)
        assert throttle.window == 2


@pytest.mark.django_db
def test_of_very_many_destinations_only_the_busy_are_kept() -> None:
    throttles = Throttles(8)
    sending, holding, idle = (
        throttles.get(1, f"https://{name}.example:443") for name in ("a", "b", "c")
    )
    sending.in_flight = holding.held = 1
    for number in range(997):
        throttles.get(1, f"https://{number}.example:443")
    assert throttles.get(1, "https://c.example:443") is idle
    throttles.get(1, "https://one-more.example:443")
    assert throttles.get(1, "https://a.example:443") is sending
    assert throttles.get(1, "https://b.example:443") is holding
    assert throttles.get(1, "https://c.example:443") is not idle


@pytest.mark.django_db
def test_retries_of_one_moment_are_spread_over_a_few_waits() -> None:
    """Spread, so that they don't come at once; few, so that they share an UPDATE."""
    bugs: FeedbackType = factories.feedback_type()
    factories.ticket(bugs)
    run = factories.run(factories.macro(bugs, "https://a.example/", ladder="1000 s"))
    plan, delivery = Plan.from_snapshot(run.snapshot), Delivery.objects.get()
    exchange = Exchange(Request("POST", "https://a.example/"), Request("POST", ""))
    exchange.started_at = run.created_at
    exchange.result = TransportError("It failed.", "connect")
    waits = {
        outcomes.of_exchange(delivery, exchange, run, plan, "").retry_in or 0.0
        for _ in range(200)
    }
    assert 1 < len(waits) <= 8
    assert all(1000 <= wait <= 1100 for wait in waits)
