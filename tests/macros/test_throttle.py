"""How much goes out at one time, and to how many destinations."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from feedback.models import FeedbackType
from logs.models import Delivery
from macros.deliveries import outcomes
from macros.deliveries.sender import Exchange
from macros.deliveries.throttle import ADAPT_EVERY, MIN_WINDOW, Throttle, Throttles
from macros.http import Request, TransportError
from macros.steps.rendering import Plan
from tests import factories


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    fake = SimpleNamespace(monotonic=clock.monotonic)
    monkeypatch.setattr("macros.deliveries.throttle.time", fake)
    return clock


def exchanges(throttle: Throttle, count: int, seconds: float) -> None:
    """So many requests that were answered, the quickest in so many seconds."""
    for number in range(count):
        throttle.in_flight += 1
        throttle.end("token", seconds + number / 10, True)


def a_throttle(clock: Clock, cap: int = 500) -> Throttle:
    return Throttle(cap, _since=clock.now)


def test_a_window_begins_small_and_no_wider_than_allowed(clock: Clock) -> None:
    assert a_throttle(clock).window == MIN_WINDOW
    assert a_throttle(clock, cap=3).window == 3


def test_a_window_holds_twice_what_the_destination_can_work_on(clock: Clock) -> None:
    throttle = a_throttle(clock)
    exchanges(throttle, 99, 0.1)
    assert throttle.window == MIN_WINDOW
    clock.now += ADAPT_EVERY
    exchanges(throttle, 1, 0.2)
    # 400 a second, of 0.1 s each, are 40 at one time.
    assert throttle.window == 80


def test_a_window_forgets_what_was_before(clock: Clock) -> None:
    throttle = a_throttle(clock)
    exchanges(throttle, 99, 0.1)
    clock.now += ADAPT_EVERY
    exchanges(throttle, 1, 0.1)
    clock.now += ADAPT_EVERY
    exchanges(throttle, 1, 9.0)
    # 4 a second, of 9 s each.
    assert throttle.window == 72


def test_a_fast_destination_needs_a_small_window(clock: Clock) -> None:
    throttle = a_throttle(clock)
    throttle.window = 200
    clock.now += ADAPT_EVERY
    exchanges(throttle, 1, 0.001)
    assert throttle.window == MIN_WINDOW


def test_a_window_never_passes_what_is_allowed(clock: Clock) -> None:
    throttle = a_throttle(clock, cap=50)
    clock.now += ADAPT_EVERY
    exchanges(throttle, 1, 100.0)
    assert throttle.window == 50


def test_no_more_are_on_the_wire_than_the_window_holds(clock: Clock) -> None:
    throttle = a_throttle(clock, cap=2)
    assert [throttle.begin(token) for token in "abc"] == [True, True, False]
    throttle.end("a", 0.1, True)
    assert throttle.begin("c")


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
