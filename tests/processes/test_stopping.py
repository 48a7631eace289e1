"""SIGTERM: what is on the wire is seen through, for a deadline at most."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

import pytest

from logs.models import Attempt, Delivery
from tests import factories
from tests.http.hostile import Server, silent
from tests.processes.conftest import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

Start = Callable[..., subprocess.Popen[bytes]]


def test_a_destination_that_hangs_holds_a_stopping_worker_for_a_deadline_at_most(
    start: Start, serve: Callable[..., Server]
) -> None:
    server = serve(silent)
    bugs = factories.feedback_type()
    factories.tickets(bugs, 100)
    worker = start("worker", DESTINATION_CONCURRENCY=4, REQUEST_DEADLINE=3)
    run = factories.run(factories.macro(bugs, server.url("/"), ladder="1 h"))
    wait_until(lambda: len(server.requests) == 4)

    stopped_at = time.monotonic()
    worker.terminate()
    time.sleep(1.5)
    worker.terminate()
    assert worker.wait(timeout=10) == 0, "a second signal does not cut it short"

    assert time.monotonic() - stopped_at < 3 + 2
    attempts = Attempt.objects.filter(delivery__run=run)
    seen = set(attempts.values_list("error_class", "outcome_unknown"))
    assert (attempts.count(), seen) == (4, {("timeout", True)})
    assert len(server.requests) == 4, "nothing new was started"
    left = Delivery.objects.filter(state="pending", attempts=0)
    assert left.count() == 96
    assert not Delivery.objects.exclude(lease="").exists()
