"""Real workers that are killed, and a queue that forgets: nothing may be lost."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest
from django.conf import settings

from centerhook.receiver import Receiver
from logs.models import Attempt, Delivery, Run, delivery_id
from macros import queue
from tests import factories
from tests.http.hostile import Peer, Server
from tests.processes.conftest import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

Start = Callable[..., subprocess.Popen[bytes]]
SHORT_LEASE = {"LEASE_SECONDS": 3}


def settled(run: Run) -> bool:
    run.refresh_from_db()
    return run.is_settled


def forget_everything() -> None:
    queue.redis().flushall()


def ids_of(run: Run) -> set[str]:
    pks = run.deliveries.values_list("pk", flat=True)
    return {delivery_id(run.key, pk) for pk in pks}


def test_a_killed_worker_and_a_flushed_queue_lose_nothing(
    start: Start, receiver: Receiver
) -> None:
    bugs = factories.feedback_type()
    factories.tickets(bugs, 500)
    macro = factories.macro(bugs, f"{receiver.url}/delay/20", ladder="1 s, 1 s, 1 s")
    worker = start("worker", **SHORT_LEASE)
    start("clock")
    run = factories.run(macro)
    wait_until(lambda: len(receiver.ids) >= 150)

    worker.kill()
    worker.wait()
    forget_everything()
    start("worker", **SHORT_LEASE)
    wait_until(lambda: settled(run))

    assert (run.state, run.total, run.delivered) == ("finished", 500, 500)
    assert not Delivery.objects.exclude(state="delivered").exists()
    assert not Delivery.objects.exclude(lease="").exists()
    assert set(receiver.ids) == ids_of(run), "each ticket arrived, under its own id"
    repeats = sum(receiver.ids.values()) - 500
    lost = Attempt.objects.filter(error_class="lost").count()
    assert 0 < lost <= settings.BATCH_SIZE
    assert repeats <= lost, "only what the killed worker held may arrive twice"


def test_a_wake_up_that_was_lost_before_any_worker_came_is_sent_again(
    start: Start, receiver: Receiver
) -> None:
    bugs = factories.feedback_type()
    factories.tickets(bugs, 3)
    run = factories.run(factories.macro(bugs, f"{receiver.url}/ok"))
    forget_everything()

    start("clock")
    start("worker")
    wait_until(lambda: settled(run))

    assert run.delivered == 3
    assert receiver.ids == dict.fromkeys(ids_of(run), 1)


def test_a_retry_is_woken_when_it_is_due(start: Start, receiver: Receiver) -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    macro = factories.macro(bugs, f"{receiver.url}/status/500", ladder="1 s")
    start("clock")
    start("worker")
    run = factories.run(macro)
    wait_until(lambda: settled(run))

    assert (run.state, run.failed) == ("finished", 1)
    attempts = list(Attempt.objects.order_by("number"))
    assert [attempt.status for attempt in attempts] == [500, 500]
    waited = attempts[1].started_at - attempts[0].started_at
    assert waited.total_seconds() >= 1
    assert list(receiver.ids.values()) == [2]


def test_a_worker_told_to_stop_finishes_what_is_on_the_wire_and_gives_the_rest_back(
    start: Start, receiver: Receiver
) -> None:
    bugs = factories.feedback_type()
    factories.tickets(bugs, 200)
    macro = factories.macro(bugs, f"{receiver.url}/delay/200")
    worker = start("worker", DESTINATION_CONCURRENCY=4)
    run = factories.run(macro)
    wait_until(lambda: len(receiver.ids) >= 8)

    worker.terminate()
    assert worker.wait(timeout=15) == 0

    run.refresh_from_db()
    assert run.delivered == len(receiver.ids) == sum(receiver.ids.values())
    left = Delivery.objects.filter(state="pending")
    assert left.count() == 200 - run.delivered > 0
    assert not left.exclude(lease="").exists(), "due at once, not after the lease"
    assert not Attempt.objects.exclude(status=200).exists()


def test_a_destination_that_hangs_holds_up_nobody_else(
    start: Start, receiver: Receiver, serve: Callable[..., Server]
) -> None:
    def hang(peer: Peer) -> None:
        peer.request()
        peer.hang()

    hanging = serve(hang)
    slow_type, quick_type = factories.feedback_type(), factories.feedback_type()
    factories.tickets(slow_type, 400)
    factories.ticket(quick_type)
    start("worker")
    slow = factories.run(factories.macro(slow_type, hanging.url("/")))
    wait_until(lambda: hanging.requests)

    quick = factories.run(factories.macro(quick_type, f"{receiver.url}/ok"))
    wait_until(lambda: settled(quick))

    slow.refresh_from_db()
    assert (quick.delivered, slow.ended) == (1, 0)
