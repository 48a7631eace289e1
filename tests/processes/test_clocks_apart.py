"""Machines that disagree about the time, and leases shorter than a request."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta

import django_rq
import pytest
import time_machine
from django.utils import timezone

from centerhook.receiver import Receiver
from logs.models import Attempt, Run
from macros import deliveries, jobs, queue
from macros.deliveries.claims import claim_due
from tests import factories
from tests.processes.accounts import Account, settled
from tests.processes.conftest import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """Without the jobs of another test."""
    django_rq.get_queue(queue.QUEUE).empty()
    yield
    django_rq.get_queue(queue.QUEUE).empty()


def apart(seconds: float) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(seconds=seconds))


def a_run(url: str, ladder: str = "") -> Run:
    bugs = factories.feedback_type()
    factories.tickets(bugs, 3)
    return factories.run(factories.macro(bugs, url, ladder=ladder))


def test_a_clock_that_is_a_minute_ahead_wakes_workers_who_find_nothing_due(
    receiver: Receiver,
) -> None:
    run = a_run(f"{receiver.url}/ok")
    held = claim_due(run.pk, 3, "a worker's")
    django_rq.get_queue(queue.QUEUE).empty()

    with apart(61):
        jobs.wake()
    assert queue.notified_runs() == {run.pk}
    deliveries.work(run.pk)

    assert len(held) == 3 and not receiver.requests
    assert set(run.deliveries.values_list("lease", flat=True)) == {"a worker's"}


def test_a_retry_that_a_clock_behind_overlooks_is_seen_by_the_other(
    receiver: Receiver,
) -> None:
    run = a_run(f"{receiver.url}/status/503", ladder="10 s")
    deliveries.work(run.pk)
    django_rq.get_queue(queue.QUEUE).empty()

    with apart(15):
        with apart(-60):
            jobs.wake()
        assert queue.notified_runs() == set(), "the one that is behind"
        jobs.wake()
        assert queue.notified_runs() == {run.pk}


def test_a_worker_a_minute_ahead_repeats_at_most_and_finishes_each_once(
    receiver: Receiver,
) -> None:
    run = a_run(f"{receiver.url}/ok", ladder="1 s")
    claim_due(run.pk, 3, "a worker's")

    with apart(61):
        deliveries.work(run.pk)

    assert settled(run)
    assert (run.delivered, run.ended, run.state) == (3, 3, "finished")
    assert Attempt.objects.filter(error_class="lost").count() == 3
    assert len(receiver.ids) == 3


@pytest.mark.processes
@pytest.mark.sweep
def test_a_lease_shorter_than_a_request_is_renewed_and_nobody_repeats_it(
    start: Start, receiver: Receiver, account: Account
) -> None:
    run = a_run(f"{receiver.url}/delay/5000")
    start("worker", LEASE_SECONDS=3)
    start("worker", LEASE_SECONDS=3)
    start("clock")

    wait_until(lambda: settled(run))

    assert account.settle(run, arrived=receiver.ids) == 0
    assert Attempt.objects.count() == 3
