"""The queue only wakes the workers: the database knows what is due."""

from __future__ import annotations

import contextlib
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import django_rq
import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from redis.exceptions import RedisError
from rq import SimpleWorker, Worker
from rq.exceptions import StopRequested

from centerhook.receiver import Receiver
from logs import recording
from logs.models import Delivery, DeliveryState, Resend, Run
from macros import jobs, queue, redis_server
from macros.models import Macro
from macros.runs.control import (
    cancel_run,
    pause_macro,
    pause_run,
    resume_macro,
    resume_run,
)
from macros.runs.resend import resend
from macros.worker import DeliveryWorker
from tests import factories

STOPPING = (signal.SIGINT, signal.SIGTERM)

pytestmark = pytest.mark.django_db(transaction=True)


def clear_queue() -> None:
    django_rq.get_queue(queue.QUEUE).empty()


@pytest.fixture(autouse=True)
def empty_queue() -> Iterator[None]:
    clear_queue()
    yield
    clear_queue()


def a_macro(url: str = "https://a.example/", count: int = 1) -> Macro:
    bugs = factories.feedback_type()
    factories.tickets(bugs, count)
    return factories.macro(bugs, url)


def wake_ups() -> Counter[int]:
    """How many jobs wait for each run."""
    waiting = django_rq.get_queue(queue.QUEUE).get_jobs()
    assert {job.func_name for job in waiting} <= {"macros.jobs.deliver"}
    return Counter(job.args[0] for job in waiting)


class DeafWorker(SimpleWorker):
    """Takes no commands: the thread that waits for them takes a second to end."""

    def subscribe(self) -> None:
        pass

    def unsubscribe(self) -> None:
        pass


def work_off_the_queue() -> None:
    django_rq.get_worker(queue.QUEUE, worker_class=DeafWorker).work(
        burst=True, logging_level="ERROR"
    )


def test_starting_a_run_wakes_a_worker_once_after_the_commit() -> None:
    run = factories.run(a_macro(count=3))
    assert wake_ups() == {run.pk: 1}
    assert queue.notified_runs() == {run.pk}


@pytest.fixture
def three_workers() -> Iterator[None]:
    """They are known to Redis, and do nothing."""
    line = django_rq.get_queue(queue.QUEUE)
    # A worker that another test has killed is known for some minutes.
    for killed in Worker.all(queue=line):
        killed.register_death()
    workers = [DeafWorker([line], connection=line.connection) for _ in range(3)]
    for worker in workers:
        worker.register_birth()
    yield
    for worker in workers:
        worker.register_death()


@pytest.mark.usefixtures("three_workers")
@pytest.mark.parametrize(("count", "jobs_made"), [(1, 1), (4, 1), (5, 2), (30, 3)])
def test_as_many_workers_are_asked_as_there_are_batches(
    settings: Any, count: int, jobs_made: int
) -> None:
    settings.BATCH_SIZE = 4
    run = factories.run(a_macro(count=count))
    assert wake_ups() == {run.pk: jobs_made}


@pytest.mark.usefixtures("three_workers")
def test_what_is_resumed_or_resent_asks_several_workers_too(
    settings: Any,
) -> None:
    settings.BATCH_SIZE = 4
    run = factories.run(a_macro(count=8))
    olivia = factories.superuser()

    pause_run(run)
    clear_queue()
    resume_run(run)
    assert wake_ups() == {run.pk: 2}

    cancel_run(run)
    clear_queue()
    resend(run.deliveries.all(), Resend.ANEW, olivia)
    assert wake_ups() == {run.pk: 2}


def test_a_resumed_macro_goes_on_with_what_is_due_at_once() -> None:
    """Nobody has to wait for the clock."""
    macro, other = a_macro(), a_macro()
    due, later, finished = (factories.run(macro) for _ in range(3))
    in_an_hour = timezone.now() + timedelta(hours=1)
    later.deliveries.update(next_attempt_at=in_an_hour)
    finished.deliveries.update(state=DeliveryState.DELIVERED, next_attempt_at=None)
    factories.run(other)
    pause_macro(macro, "It is Sunday.")
    clear_queue()
    resume_macro(macro)
    assert wake_ups() == {due.pk: 1}


def test_a_job_carries_the_runs_id_and_nothing_else() -> None:
    run = factories.run(a_macro())
    [job] = django_rq.get_queue(queue.QUEUE).get_jobs()
    assert (job.func_name, job.args, job.kwargs) == (
        "macros.jobs.deliver",
        (run.pk,),
        {},
    )


def test_without_redis_a_run_starts_and_the_clock_wakes_a_worker_later(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    macro = a_macro(f"{receiver.url}/ok", count=2)
    with monkeypatch.context() as away:
        nowhere = redis_server.connect("unix:///nowhere/redis.sock")
        away.setattr(queue, "redis", lambda: nowhere)

        run = factories.run(macro)

        assert (run.total, run.state, run.deliveries.count()) == (2, "active", 2)
        assert not queue.has_worker()
        with pytest.raises(RedisError):
            jobs.wake()
    assert wake_ups() == {}
    jobs.wake()
    work_off_the_queue()
    run.refresh_from_db()
    assert (run.delivered, run.state) == (2, "finished")


def test_the_clock_notifies_of_the_due_runs_that_nobody_is_asked_to_work_on() -> None:
    macro = a_macro()
    notified, lost, later, settled, silent, emptied = (
        factories.run(macro) for _ in range(6)
    )
    clear_queue()
    queue.notify(notified.pk)
    in_an_hour = timezone.now() + timedelta(hours=1)
    later.deliveries.update(next_attempt_at=in_an_hour)
    settled.deliveries.update(state=DeliveryState.DELIVERED, next_attempt_at=None)
    Run.objects.filter(pk=settled.pk).update(state="finished")
    # As a worker leaves it that was killed: held until the lease ends.
    silent.deliveries.update(lease="silent", next_attempt_at=in_an_hour)
    emptied.deliveries.all().delete()

    jobs.wake()
    assert wake_ups() == {notified.pk: 1, lost.pk: 1}

    jobs.wake()
    assert wake_ups() == {notified.pk: 1, lost.pk: 1}

    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        jobs.wake()
    assert wake_ups() == {run.pk: 1 for run in (notified, lost, later, silent)}


def test_the_clock_ends_what_is_left_of_a_cancelled_run() -> None:
    run = factories.run(a_macro(count=2))
    held, _ = run.deliveries.all()
    run.deliveries.filter(pk=held.pk).update(lease="mine")
    recording.cancel(run, timezone.now())
    back = recording.Outcome(held, DeliveryState.PENDING, retry_in=0)
    recording.record(run, "mine", [back], timezone.now())
    run.refresh_from_db()
    assert (run.state, run.cancelled) == ("cancelling", 1)

    jobs.wake()

    run.refresh_from_db()
    assert (run.state, run.cancelled) == ("cancelled", 2)


def test_two_clocks_at_once_send_nothing_twice(receiver: Receiver) -> None:
    macro = a_macro(f"{receiver.url}/ok", count=5)
    runs = [factories.run(macro) for _ in range(3)]
    clear_queue()

    def tick(_: int) -> None:
        try:
            jobs.wake()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(tick, range(8)))

    assert set(wake_ups()) == {run.pk for run in runs}
    work_off_the_queue()
    assert len(receiver.ids) == 15 and set(receiver.ids.values()) == {1}
    assert set(Run.objects.values_list("state", "delivered")) == {("finished", 5)}


def test_a_job_done_twice_sends_once(receiver: Receiver) -> None:
    run = factories.run(a_macro(f"{receiver.url}/ok", count=2))
    queue.notify(run.pk)
    queue.notify(run.pk)
    work_off_the_queue()
    assert sorted(receiver.ids.values()) == [1, 1]
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}


def test_a_wake_up_for_a_deleted_run_does_nothing() -> None:
    run = factories.run(a_macro())
    Run.objects.all().delete()
    jobs.deliver(run.pk)
    work_off_the_queue()
    assert not Delivery.objects.exists()


def test_a_worker_stops_also_if_the_signal_fell_into_code_that_takes_all() -> None:
    """A logging handler, for one, swallows what the signal's handler raises."""
    line = django_rq.get_queue(queue.QUEUE)
    worker = DeliveryWorker([line], connection=line.connection)
    before = {number: signal.getsignal(number) for number in STOPPING}
    stops: list[str] = []
    worker.on_stop = lambda: stops.append("stop")
    try:
        with contextlib.suppress(StopRequested):
            worker.request_stop(signal.SIGTERM, None)
        with pytest.raises(StopRequested):
            worker.heartbeat()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert stops == ["stop"]


@pytest.mark.django_db(transaction=True)
def test_a_job_begins_with_a_connection_that_works() -> None:
    """One that PostgreSQL has ended would fail for each job from then on."""
    for notify in (queue.notify_import, queue.notify_snapshot, queue.notify_calls):
        connection.ensure_connection()
        used_up = connection.connection
        connection.close_at = 0.0
        notify(9_000_001)
        work_off_the_queue()
        assert connection.connection is not used_up
