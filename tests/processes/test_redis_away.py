"""Redis only wakes the workers: without it work is late, and none of it is lost."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

import pytest

from centerhook.receiver import Receiver
from logs.models import Delivery
from tests import factories
from tests.processes.accounts import Account, scaled, settled
from tests.processes.conftest import wait_until
from tests.processes.servers import OwnValkey

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

Start = Callable[..., subprocess.Popen[bytes]]


def test_redis_may_stop_for_a_while_and_come_back_empty(
    start: Start, receiver: Receiver, own_valkey: OwnValkey, account: Account
) -> None:
    here = {"REDIS_URL": own_valkey.url, "DESTINATION_CONCURRENCY": 4}
    first_type, second_type = factories.feedback_type(), factories.feedback_type()
    factories.tickets(first_type, scaled(200, 2000))
    factories.tickets(second_type, 20)
    processes = [start("worker", **here), start("clock", **here)]
    first = factories.run(factories.macro(first_type, f"{receiver.url}/delay/50"))
    wait_until(lambda: len(receiver.ids) >= 20)

    own_valkey.stop()
    before = len(receiver.ids)
    second = factories.run(factories.macro(second_type, f"{receiver.url}/ok"))
    processes.append(start("worker", **here))
    time.sleep(scaled(3, 20))
    assert len(receiver.ids) > before + 20, "what a worker holds goes on meanwhile"
    assert all(process.poll() is None for process in processes)
    own_valkey.start()
    wait_until(lambda: settled(first, second), 60)

    assert account.settle(first, second, arrived=receiver.ids, blows=1) == 0
    assert all(process.poll() is None for process in processes)
    wait_until(lambda: own_valkey.known_workers() == 2)


def test_a_worker_can_be_told_to_stop_while_redis_is_away(
    start: Start, receiver: Receiver, own_valkey: OwnValkey
) -> None:
    bugs = factories.feedback_type()
    factories.tickets(bugs, 200)
    here = {"REDIS_URL": own_valkey.url, "DESTINATION_CONCURRENCY": 4}
    start("clock", **here)
    worker = start("worker", **here)
    run = factories.run(factories.macro(bugs, f"{receiver.url}/delay/500"))
    wait_until(lambda: len(receiver.ids) >= 4)

    own_valkey.stop()
    time.sleep(1)
    worker.terminate()
    assert worker.wait(timeout=10) == 0

    run.refresh_from_db()
    assert run.delivered == len(receiver.ids) == sum(receiver.ids.values())
    left = Delivery.objects.filter(state="pending")
    assert left.count() == 200 - run.delivered > 0
    assert not left.exclude(lease="").exists(), "due at once, not after the lease"
