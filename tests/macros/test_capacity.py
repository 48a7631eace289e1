"""What a worker takes up for a destination, and when it looks at its settings again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from feedback.models import Community
from logs.models import BreakerState, Destination
from logs.recording.health import THRESHOLD
from macros.deliveries.rate_limit import Limits, RateLimiter
from macros.deliveries.throttle import HOLD, PARK, REFRESH_EVERY, Throttle, Throttles
from macros.steps.mail import AT_ONCE
from tests import factories

ORIGIN = "https://a.example:443"
HOUR = timedelta(hours=1)


def to(**values: Any) -> Throttle:
    """A throttle to a destination with these values."""
    return Throttle(100, ORIGIN, Destination(pk=1, origin=ORIGIN, **values))


@pytest.mark.parametrize(
    ("values", "is_shut"),
    [
        ({}, False),
        ({"is_paused": True}, True),
        ({"breaker": BreakerState.OPEN}, True),
        ({"breaker": BreakerState.OPEN, "probe_at": HOUR}, True),
        ({"breaker": BreakerState.OPEN, "probe_at": -HOUR}, False),
        ({"breaker": BreakerState.HALF_OPEN, "probe_at": HOUR}, True),
        ({"breaker": BreakerState.CLOSED, "probe_at": HOUR}, False),
        ({"is_paused": True, "probe_at": -HOUR}, True),
    ],
)
def test_it_is_shut_while_paused_and_until_a_probe_is_due(
    values: dict[str, Any], is_shut: bool
) -> None:
    if "probe_at" in values:
        values = values | {"probe_at": timezone.now() + values["probe_at"]}
    throttle = to(**values)
    assert throttle.is_shut is is_shut
    assert (throttle.capacity == 0) is is_shut


def test_what_nobody_has_set_up_is_never_shut() -> None:
    throttle = Throttle(100, ORIGIN)
    assert not throttle.is_shut
    assert throttle.capacity == settings.BATCH_SIZE


def test_a_batch_is_taken_up_where_nothing_limits_it() -> None:
    assert to(concurrency=1).capacity == settings.BATCH_SIZE


def test_one_is_taken_up_as_a_probe() -> None:
    throttle = to(breaker=BreakerState.OPEN, probe_at=timezone.now() - HOUR)
    assert throttle.capacity == 1
    throttle.held = 1
    assert throttle.capacity == 0
    throttle.held = 3
    assert throttle.capacity == 0


def test_a_rate_limits_what_is_taken_up() -> None:
    """As much as goes out in the next seconds; more would only be held."""
    throttle = to(rate=3.5)
    assert throttle.capacity == 18 == round(HOLD * 3.5 + 0.5)
    throttle.held = 17
    assert throttle.capacity == 1
    throttle.held = 30
    assert throttle.capacity == 0


def test_after_failures_in_a_row_the_breaker_is_asked_first() -> None:
    throttle = Throttle(100, ORIGIN)

    def responses(*works: bool) -> None:
        for each in works:
            throttle.in_flight += 1
            throttle.end("token", 0.1, each)

    responses(*[False] * (THRESHOLD - 1))
    assert not throttle.is_suspect
    responses(True, *[False] * (THRESHOLD - 1))
    assert throttle.begin("a"), "a success between them starts the count anew"
    throttle.end("a", 0.1, False)
    assert throttle.is_suspect
    assert not throttle.begin("b")


def test_mail_has_a_limit_of_its_own() -> None:
    assert Throttles(AT_ONCE + 5).mail.cap == AT_ONCE
    assert Throttles(AT_ONCE - 1).mail.cap == AT_ONCE - 1


@pytest.fixture
def community(db: None) -> Community:
    return factories.feedback_type().project.community


class FakeTime:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


def test_settings_are_looked_up_now_and_then(
    community: Community,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    time = FakeTime()
    monkeypatch.setattr("macros.deliveries.throttle.time", time)
    other = factories.feedback_type().project.community
    throttles = Throttles(8)
    throttle, others = (throttles.get(each.pk, ORIGIN) for each in (community, other))
    assert throttle.destination is others.destination is None
    throttles.refresh()
    Destination.objects.create(community=community, origin=ORIGIN, is_paused=True)
    time.now += REFRESH_EVERY * 0.9
    with django_assert_num_queries(0):
        throttles.refresh()
    time.now += REFRESH_EVERY * 0.1
    with django_assert_num_queries(1):
        throttles.refresh()
    assert throttle.is_shut and not others.is_shut
    assert others.destination is None


def test_a_suspect_is_looked_up_at_once(
    community: Community, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    throttles = Throttles(8)
    throttle = throttles.get(community.pk, ORIGIN)
    throttles.refresh()
    throttle.failures = THRESHOLD
    Destination.objects.create(
        community=community, origin=ORIGIN, breaker=BreakerState.OPEN
    )
    with django_assert_num_queries(1):
        throttles.refresh()
    assert throttle.is_shut and not throttle.is_suspect
    with django_assert_num_queries(0):
        throttles.refresh()


def test_after_a_look_at_the_breaker_failures_are_counted_anew(
    community: Community,
) -> None:
    throttles = Throttles(8)
    throttle = throttles.get(community.pk, ORIGIN)
    throttle.failures = THRESHOLD
    throttles.refresh()
    is_suspect = []
    for _ in range(THRESHOLD):
        throttle.in_flight += 1
        throttle.end("token", 0.1, False)
        is_suspect.append(throttle.is_suspect)
    assert is_suspect == [False] * (THRESHOLD - 1) + [True]


def test_a_probe_is_one_workers_for_as_long_as_it_may_take(
    community: Community,
) -> None:
    """One whose worker ended meanwhile is made up for a little later."""
    now = timezone.now()
    Destination.objects.create(
        community=community, origin=ORIGIN, breaker=BreakerState.OPEN, probe_at=now
    )

    def takes_it(after: float) -> bool:
        """Another worker, which has not met the destination yet."""
        with time_machine.travel(now + timedelta(seconds=after), tick=False):
            return Throttles(8).get(community.pk, ORIGIN).begin("token")

    deadline = settings.REQUEST_DEADLINE
    moments = (0, 1, deadline + 1, deadline + PARK)
    assert [takes_it(moment) for moment in moments] == [True, False, False, True]


class CountingLimiter(RateLimiter):
    """Counts how often permits are asked for, each of which is a call to Redis."""

    asked = 0

    def take(self, limits: Limits, token: str) -> float:
        type(self).asked += 1
        return super().take(limits, token)


def test_a_permit_is_not_asked_for_before_there_can_be_one() -> None:
    throttle = to(rate=1.0)
    throttle._limiter = CountingLimiter()
    assert [throttle.begin(token) for token in "abc"] == [True, False, False]
    assert CountingLimiter.asked == 2
