"""Two workers and a clock are paused by a row, and go on, without a restart."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

import pytest

from centerhook import installation
from centerhook.receiver import Receiver
from feedback.models import Mode
from logs.models import Delivery
from tests import factories
from tests.processes.accounts import Account, settled
from tests.processes.conftest import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

# Workers look once a second.
NOTICED_SECONDS = 2.0
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.mark.sweep
def test_two_workers_stop_and_go_on_without_a_restart(
    start: Start, receiver: Receiver, account: Account
) -> None:
    bugs = factories.feedback_type()
    factories.tickets(bugs, 300)
    macro = factories.macro(bugs, f"{receiver.url}/delay/100")
    few = {"DESTINATION_CONCURRENCY": 2, "BATCH_SIZE": 20}
    processes = [start("worker", **few), start("worker", **few), start("clock")]
    run = factories.run(macro)
    wait_until(lambda: len(receiver.ids) >= 40)

    installation.set_mode(Mode.PAUSED, "olivia")
    # Between two batches nothing is held either, by those who have not noticed yet.
    time.sleep(NOTICED_SECONDS)
    # Whoever has noticed holds nothing, and takes nothing any more.
    wait_until(lambda: not Delivery.objects.filter(state="pending", lease__gt=""))
    sent = len(receiver.ids)
    run.refresh_from_db()
    assert run.delivered == sent < 300

    installation.set_mode(Mode.NORMAL, "olivia")
    wait_until(lambda: settled(run), 60)
    assert all(process.poll() is None for process in processes)
    assert account.settle(run, arrived=receiver.ids) == 0
