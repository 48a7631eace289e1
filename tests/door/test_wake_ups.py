"""Workers are notified of calls: once for all that wait, and beside the responses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import django_rq
import pytest
from redis.exceptions import RedisError

from feedback.models import FeedbackType
from macros import queue
from macros.listeners.wake_ups import WakeUps
from tests import factories
from tests.door import signing
from tests.door.calling import path_of, signed, stored
from tests.processes.conftest import wait_until

FIRST, SECOND = 9_000_001, 9_000_002


@pytest.fixture(autouse=True)
def empty_queue() -> Iterator[None]:
    django_rq.get_queue(queue.QUEUE).empty()
    for listener in (FIRST, SECOND):
        queue.take_up_calls(listener)
    yield


def jobs() -> Counter[int]:
    """How many wait for each listener."""
    waiting = django_rq.get_queue(queue.QUEUE).get_jobs()
    return Counter(
        job.args[0] for job in waiting if job.func_name == "macros.jobs.hear"
    )


def test_one_job_waits_for_all_calls_of_a_listener() -> None:
    for _ in range(3):
        queue.notify_calls(FIRST)
    queue.notify_calls(SECOND)
    assert jobs() == {FIRST: 1, SECOND: 1}


def test_what_comes_after_a_job_began_has_a_job_of_its_own() -> None:
    queue.notify_calls(FIRST)
    queue.take_up_calls(FIRST)
    queue.notify_calls(FIRST)
    assert jobs() == {FIRST: 2}


def test_a_job_that_was_lost_is_missed_for_seconds_only() -> None:
    queue.notify_calls(FIRST)
    left = queue.redis().ttl(queue._mark(FIRST))
    assert 0 < int(left) <= queue.MARKED_SECONDS  # type: ignore[arg-type]


def test_redis_that_is_away_is_left_alone_for_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries: list[int] = []

    def away() -> None:
        tries.append(1)
        raise RedisError("away")

    monkeypatch.setattr(queue, "_hasty", away)
    monkeypatch.setattr(queue, "_left_alone_until", 0.0)
    for _ in range(5):
        queue.notify_calls(FIRST)
    assert len(tries) == 1
    monkeypatch.setattr(queue, "_left_alone_until", 0.0)
    queue.notify_calls(FIRST)
    assert len(tries) == 2


def test_wake_ups_of_many_threads_are_passed_on_and_the_thread_ends() -> None:
    wake_ups = WakeUps()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(wake_ups.add, [FIRST, SECOND] * 50))
    wait_until(lambda: jobs() == {FIRST: 1, SECOND: 1})
    wait_until(lambda: not wake_ups._is_at_work)
    queue.take_up_calls(FIRST)
    wake_ups.add(FIRST)
    wait_until(lambda: jobs()[FIRST] == 2)


@pytest.mark.django_db
def test_a_call_that_was_stored_wakes_a_worker(bugs: FeedbackType) -> None:
    factories.secret(bugs, "signing", signing.SECRET)
    listener = factories.listener(bugs, secret="signing")
    queue.take_up_calls(listener.pk)
    assert signed(path_of(listener)).status_code == 200
    assert len(stored(listener)) == 1
    wait_until(lambda: jobs()[listener.pk] == 1)
