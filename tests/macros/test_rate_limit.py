"""Permits to send: shared through Redis, and safe without it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from redis.exceptions import ConnectionError

from macros import queue
from macros.deliveries.rate_limit import (
    SLOT_LASTS,
    SLOT_WAIT,
    RateLimiter,
    amount_and_window,
)


@dataclass
class Limits:
    pk: int
    rate: float | None = None
    concurrency: int | None = None


@pytest.fixture(autouse=True)
def _empty_redis() -> None:
    queue.redis().flushdb()


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (None, (0, 1)),
        (1.0, (1, 1)),
        (2.5, (5, 2)),
        (0.5, (1, 2)),
        (0.01, (1, 100)),
        (1 / 101, (1, 100)),
    ],
)
def test_a_rate_is_so_many_in_so_many_seconds(
    rate: float | None, expected: tuple[int, int]
) -> None:
    assert amount_and_window(rate) == expected


def test_a_rate_is_kept_by_all_workers_together() -> None:
    limits = Limits(1, rate=5.0)
    workers = [RateLimiter(), RateLimiter()]
    waits = [workers[n % 2].take(limits, str(n)) for n in range(8)]
    assert waits[:5] == [0.0] * 5
    assert all(0 < wait <= 1.0 for wait in waits[5:])


def test_permits_come_back_as_time_passes() -> None:
    limits, limiter = Limits(2, rate=10.0), RateLimiter()
    begun, sent, n = time.monotonic(), 0, 0
    while sent < 15:
        n += 1
        wait = limiter.take(limits, str(n))
        sent += not wait
        time.sleep(wait)
    assert time.monotonic() - begun >= 0.9


def test_slots_are_shared_and_come_back_when_a_request_is_over() -> None:
    limits, one, two = Limits(3, concurrency=2), RateLimiter(), RateLimiter()
    assert one.take(limits, "a") == two.take(limits, "b") == 0.0
    assert one.take(limits, "c") == SLOT_WAIT
    two.give_back(limits, "b")
    assert one.take(limits, "c") == 0.0


def test_destinations_do_not_share_permits() -> None:
    limiter = RateLimiter()
    assert limiter.take(Limits(4, rate=1.0), "a") == 0.0
    assert limiter.take(Limits(5, rate=1.0), "b") == 0.0


def test_without_redis_a_worker_keeps_to_its_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    limits, limiter = Limits(6, rate=4.0, concurrency=4), RateLimiter()
    limiter._workers, limiter._counted_at = 2, time.monotonic()
    gone = Redis(unix_socket_path="/nonexistent.sock", retry=Retry(NoBackoff(), 0))
    monkeypatch.setattr(queue, "redis", lambda: gone)
    monkeypatch.setattr(queue, "script", gone.register_script)

    waits = [limiter.take(limits, str(n)) for n in range(5)]

    assert waits[:2] == [0.0, 0.0], "two of the four slots are this worker's share"
    assert all(wait > 0 for wait in waits[2:])


def test_many_threads_cannot_take_more_than_there_is() -> None:
    limits, granted = Limits(7, rate=50.0), []

    def grab(name: str) -> None:
        limiter = RateLimiter()
        granted.extend(n for n in range(30) if not limiter.take(limits, f"{name}{n}"))

    threads = [threading.Thread(target=grab, args=[str(n)]) for n in range(4)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    windows = int(time.monotonic() - begun) + 1
    assert len(granted) <= 50 * windows


def test_without_redis_a_rate_is_waited_for() -> None:
    """This worker counts for itself, and waits for as long as its share asks for."""
    limits, limiter = Limits(8, rate=2.0), RateLimiter(_workers=3)
    limiter._redis_again = float("inf")
    assert [limiter.take(limits, token) for token in "ab"] == [0.0, 0.0]
    assert 2.0 < limiter.take(limits, "c") <= 3.0
    assert len(limiter.sent) == 2, "who was not permitted has not sent"


class Away:
    """Redis, which is away; it notes when it was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.asked: list[float] = []
        clock = SimpleNamespace(monotonic=lambda: self.now)
        monkeypatch.setattr("macros.deliveries.rate_limit.time", clock)
        monkeypatch.setattr(queue, "redis", self._ask)
        monkeypatch.setattr(queue, "script", self._ask)
        monkeypatch.setattr(queue, "count_workers", lambda: 2)

    def _ask(self, *arguments: object) -> None:
        self.asked.append(self.now)
        raise ConnectionError


def test_redis_that_is_away_is_asked_again_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each time may take long, and the engine has one thread."""
    away, limits, limiter = Away(monkeypatch), Limits(16, rate=2.0), RateLimiter()
    for _ in range(12):
        limiter.take(limits, "a")
        away.now += 1
    assert away.asked == [1000.0, 1005.0, 1010.0]


def test_a_slot_is_given_back_where_there_are_slots_and_redis_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    away, limiter = Away(monkeypatch), RateLimiter()
    limiter.give_back(Limits(17, rate=2.0), "a")
    assert away.asked == []
    for _ in range(12):
        limiter.give_back(Limits(17, concurrency=2), "a")
        away.now += 1
    assert away.asked == [1000.0, 1005.0, 1010.0]


def test_workers_are_counted_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now, counted = 1000.0, []

    def count() -> int:
        counted.append(now)
        return 0 if len(counted) == 2 else 3

    clock = SimpleNamespace(monotonic=lambda: now)
    monkeypatch.setattr("macros.deliveries.rate_limit.time", clock)
    monkeypatch.setattr(queue, "count_workers", count)
    limits, limiter = Limits(18, rate=100.0), RateLimiter()
    shares = []
    for _ in range(9):
        limiter.take(limits, "a")
        shares.append(limiter._workers)
        now += 3
    assert counted == [1000.0, 1012.0, 1024.0]
    assert shares == [3] * 4 + [1] * 4 + [3], "none is known: this one is there"


def test_where_no_worker_is_known_one_has_the_limits_for_itself() -> None:
    """As when a run is worked on in a shell, and Redis goes away meanwhile."""
    limits, limiter = Limits(9, concurrency=2), RateLimiter()
    assert limiter.take(limits, "a") == 0.0
    limiter._redis_again = float("inf")
    assert limiter.take(limits, "b") == 0.0
    assert limiter.take(limits, "c") > 0


def test_a_share_of_one_slot_is_one() -> None:
    limits, limiter = Limits(10, concurrency=1), RateLimiter(_workers=3)
    limiter._redis_again = float("inf")
    assert limiter.take(limits, "a") == 0.0
    assert limiter.take(limits, "b") > 0
    limiter.give_back(limits, "a")
    assert limiter.take(limits, "b") == 0.0


def test_a_worker_that_never_saw_redis_takes_itself_for_the_only_one() -> None:
    limits, limiter = Limits(11, concurrency=3), RateLimiter()
    limiter._redis_again = float("inf")
    assert [limiter.take(limits, token) for token in "abc"] == [0.0] * 3
    assert limiter.take(limits, "d") > 0


def test_the_slot_of_a_worker_that_died_is_free_in_the_end() -> None:
    limits = Limits(12, concurrency=1)
    RateLimiter().take(limits, "a")
    lasts = queue.redis().pttl("centerhook:limit:12:slots")
    assert SLOT_LASTS - 0.1 < lasts / 1000 <= SLOT_LASTS


def test_a_send_counts_for_its_whole_window_and_no_longer() -> None:
    RateLimiter().take(Limits(15, rate=0.01), "a")
    lasts = queue.redis().pttl("centerhook:limit:15:sent")
    assert 99.95 < lasts / 1000 <= 100


def test_what_was_never_taken_makes_no_room() -> None:
    """A limit may be set while requests are on the wire that needed no permit."""
    limits, limiter = Limits(13, concurrency=1), RateLimiter()
    limiter._redis_again = float("inf")
    limiter.give_back(limits, "a")
    assert limiter.take(limits, "b") == 0.0
    assert limiter.take(limits, "c") > 0


def test_without_redis_a_share_of_the_rate_comes_back_as_slowly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three workers together must not send faster than one would."""
    now = 1000.0
    clock = SimpleNamespace(monotonic=lambda: now)
    monkeypatch.setattr("macros.deliveries.rate_limit.time", clock)
    limits, limiter = Limits(14, rate=2.0), RateLimiter(_workers=3)
    limiter._redis_again = float("inf")
    assert [limiter.take(limits, token) for token in "abc"] == [0.0, 0.0, 3.0]
    now = 1002.0
    assert limiter.take(limits, "c") == 1.0
    now = 1003.0
    assert [limiter.take(limits, token) for token in "cde"] == [0.0, 0.0, 3.0]


def test_without_redis_each_send_makes_room_when_its_own_window_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    clock = SimpleNamespace(monotonic=lambda: now)
    monkeypatch.setattr("macros.deliveries.rate_limit.time", clock)
    limits, limiter = Limits(19, rate=2.0), RateLimiter(_workers=3)
    limiter._redis_again = float("inf")
    assert limiter.take(limits, "a") == 0.0
    now = 1001.0
    assert [limiter.take(limits, token) for token in "bc"] == [0.0, 2.0]
    now = 1003.0
    assert [limiter.take(limits, token) for token in "cd"] == [0.0, 1.0]


def test_without_redis_each_request_that_is_over_makes_room_for_one() -> None:
    limits, limiter = Limits(20, concurrency=3), RateLimiter()
    limiter._redis_again = float("inf")
    assert [limiter.take(limits, token) for token in "abc"] == [0.0] * 3
    limiter.give_back(limits, "a")
    assert [limiter.take(limits, token) for token in "de"] == [0.0, SLOT_WAIT]
