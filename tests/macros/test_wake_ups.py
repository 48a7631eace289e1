"""The queue is only the alarm bell: the database knows what is due."""

from __future__ import annotations

import contextlib
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import django_rq
import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from redis.exceptions import RedisError
from rq import SimpleWorker
from rq.exceptions import StopRequested

from centerhook.receiver import Receiver
from logs import recording
from logs.models import Delivery, DeliveryState, Run
from macros import jobs, queue
from macros.models import Macro
from tests import factories

STOPPING = (signal.SIGINT, signal.SIGTERM)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """No bell of another test."""
    django_rq.get_queue(queue.QUEUE).empty()
    yield
    django_rq.get_queue(queue.QUEUE).empty()


def a_macro(url: str = "https://a.example/", count: int = 1) -> Macro:
    bugs = factories.feedback_type()
    factories.tickets(bugs, count)
    return factories.macro(bugs, url)


def bells() -> Counter[int]:
    found = django_rq.get_queue(queue.QUEUE).get_jobs()
    assert {job.func_name for job in found} <= {"macros.jobs.deliver"}
    return Counter(job.args[0] for job in found)


class DeafWorker(SimpleWorker):
    """Takes no commands: the thread that waits for them takes a second to end."""

    def subscribe(self) -> None:
        pass

    def unsubscribe(self) -> None:
        pass


def answer_the_bells() -> None:
    django_rq.get_worker(queue.QUEUE, worker_class=DeafWorker).work(
        burst=True, logging_level="ERROR"
    )


def test_starting_a_run_rings_once_after_the_commit() -> None:
    run = factories.run(a_macro(count=3))
    assert bells() == {run.pk: 1}
    assert queue.notified_runs() == {run.pk}


def test_a_job_carries_the_runs_id_and_nothing_else() -> None:
    run = factories.run(a_macro())
    [job] = django_rq.get_queue(queue.QUEUE).get_jobs()
    assert (job.func_name, job.args, job.kwargs) == (
        "macros.jobs.deliver",
        (run.pk,),
        {},
    )


def test_without_redis_a_run_starts_and_the_clock_rings_later(
    settings: object, receiver: Receiver
) -> None:
    macro = a_macro(f"{receiver.url}/ok", count=2)
    before = settings.RQ_QUEUES  # type: ignore[attr-defined]
    away = {"deliveries": {"URL": "unix:///nowhere/redis.sock"}}
    settings.RQ_QUEUES = away  # type: ignore[attr-defined]

    run = factories.run(macro)

    assert (run.total, run.state, run.deliveries.count()) == (2, "active", 2)
    assert not queue.has_worker()
    with pytest.raises(RedisError):
        jobs.wake()
    settings.RQ_QUEUES = before  # type: ignore[attr-defined]
    assert bells() == {}
    jobs.wake()
    answer_the_bells()
    run.refresh_from_db()
    assert (run.delivered, run.state) == (2, "finished")


def test_the_clock_rings_for_the_due_runs_that_have_no_bell() -> None:
    macro = a_macro()
    rung, lost, later, settled, silent, emptied = (
        factories.run(macro) for _ in range(6)
    )
    django_rq.get_queue(queue.QUEUE).empty()
    queue.notify(rung.pk)
    in_an_hour = timezone.now() + timedelta(hours=1)
    later.deliveries.update(next_attempt_at=in_an_hour)
    settled.deliveries.update(state=DeliveryState.DELIVERED, next_attempt_at=None)
    Run.objects.filter(pk=settled.pk).update(state="finished")
    # As a worker leaves it that was killed: held until the lease ends.
    silent.deliveries.update(lease="silent", next_attempt_at=in_an_hour)
    emptied.deliveries.all().delete()

    jobs.wake()
    assert bells() == {rung.pk: 1, lost.pk: 1}

    jobs.wake()
    assert bells() == {rung.pk: 1, lost.pk: 1}

    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        jobs.wake()
    assert bells() == {run.pk: 1 for run in (rung, lost, later, silent)}


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
    django_rq.get_queue(queue.QUEUE).empty()

    def tick(_: int) -> None:
        try:
            jobs.wake()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(tick, range(8)))

    assert set(bells()) == {run.pk for run in runs}
    answer_the_bells()
    assert len(receiver.ids) == 15 and set(receiver.ids.values()) == {1}
    assert set(Run.objects.values_list("state", "delivered")) == {("finished", 5)}


def test_a_job_done_twice_sends_once(receiver: Receiver) -> None:
    run = factories.run(a_macro(f"{receiver.url}/ok", count=2))
    queue.notify(run.pk)
    queue.notify(run.pk)
    answer_the_bells()
    assert sorted(receiver.ids.values()) == [1, 1]
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}


def test_a_bell_for_a_deleted_run_is_answered_by_doing_nothing() -> None:
    run = factories.run(a_macro())
    Run.objects.all().delete()
    jobs.deliver(run.pk)
    answer_the_bells()
    assert not Delivery.objects.exists()


def test_a_worker_stops_also_if_the_signal_fell_into_code_that_takes_all() -> None:
    """A logging handler, for one, swallows what the signal's handler raises."""
    bell = django_rq.get_queue(queue.QUEUE)
    worker = queue.DeliveryWorker([bell], connection=bell.connection)
    before = {number: signal.getsignal(number) for number in STOPPING}
    told: list[str] = []
    worker.on_stop = lambda: told.append("stop")
    try:
        with contextlib.suppress(StopRequested):
            worker.request_stop(signal.SIGTERM, None)
        with pytest.raises(StopRequested):
            worker.heartbeat()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert told == ["stop"]
