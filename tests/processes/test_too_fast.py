"""One response that asks to wait holds every worker, and also one that starts later."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from logs.models import Delivery, Destination, Run
from macros import queue
from macros.deliveries.throttle import MIN_WINDOW
from tests import factories
from tests.http.hostile import Peer, Server, http_response
from tests.processes.conftest import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

Start = Callable[..., subprocess.Popen[bytes]]


def refuse(peer: Peer) -> None:
    busy = http_response(b"", "Retry-After: 600", status="429 Too Many Requests")
    while peer.request():
        peer.say(busy)


def at_rest(run: Run) -> bool:
    """Nothing is held by a worker, and no wake-up waits for one."""
    rows = Delivery.objects.filter(run=run)
    return not (rows.exclude(lease="").exists() or queue.notified_runs())


def test_one_response_holds_every_worker(
    start: Start, serve: Callable[..., Server]
) -> None:
    server = serve(refuse)
    bugs = factories.feedback_type()
    factories.tickets(bugs, 200)
    macro = factories.macro(bugs, server.url("/"), ladder="1 s, 1 s")
    for _ in range(2):
        start("worker", BATCH_SIZE=50)
    start("clock")

    runs = [factories.run(macro) for _ in range(2)]
    wait_until(lambda: Destination.objects.filter(held_until__isnull=False).exists())
    wait_until(lambda: all(map(at_rest, runs)))
    count = len(server.requests)
    assert count <= 2 * MIN_WINDOW, "what was on the wire from two workers"

    start("worker", BATCH_SIZE=50)
    later = factories.run(macro)
    wait_until(lambda: at_rest(later))
    assert len(server.requests) == count
    untried = Delivery.objects.filter(attempts=0, state="pending")
    assert untried.count() == 600 - count
