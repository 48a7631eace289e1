"""PostgreSQL restarts in the middle of a run. Collected on PostgreSQL only."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from datetime import datetime

import pytest
from django.db import connection

from centerhook.receiver import Receiver
from macros.models import InboundCall
from tests import factories
from tests.door import signing
from tests.door.calling import path_of, signed
from tests.processes.accounts import Account, scaled, settled
from tests.processes.conftest import wait_until
from tests.processes.servers import OwnPostgres

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

Start = Callable[..., subprocess.Popen[bytes]]


def end_session() -> None:
    """End the session of this process, as a server does that ends or is replaced."""
    other = connection.copy()
    pid = connection.connection.info.backend_pid
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    other.close()


def test_a_call_is_stored_though_the_session_of_the_one_before_has_ended() -> None:
    """One that was used a moment ago is not asked first whether it still works."""
    bugs = factories.feedback_type()
    factories.secret(bugs, "signing", signing.SECRET)
    path = path_of(factories.listener(bugs, secret="signing"))
    responses = [signed(path)]
    end_session()
    responses.append(signed(path))
    assert [each.status_code for each in responses] == [200, 200]
    assert InboundCall.objects.count() == 2


def started_at() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_postmaster_start_time()")
        moment: datetime = cursor.fetchone()[0]
    return moment


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_postgresql_may_restart_in_the_middle_of_a_run(
    own_postgres: OwnPostgres,
    start: Start,
    receiver: Receiver,
    account: Account,
    mode: str,
) -> None:
    bugs = factories.feedback_type()
    factories.tickets(bugs, scaled(300, 3000))
    macro = factories.macro(bugs, f"{receiver.url}/delay/20", ladder="1 s, 1 s, 1 s")
    here = {"DESTINATION_CONCURRENCY": 4, "BATCH_SIZE": 20, "LEASE_SECONDS": 6}
    processes = [start("worker", **here), start("clock")]
    run = factories.run(macro)

    restarts = scaled(1, 5)
    for number in range(restarts):
        wait_until(lambda number=number: len(receiver.ids) >= 50 + 500 * number)
        before = started_at()
        own_postgres.restart(mode)
        connection.close()
        assert started_at() > before
        time.sleep(1)
    wait_until(lambda: settled(run), 60)

    assert all(process.poll() is None for process in processes)
    account.settle(run, arrived=receiver.ids, blows=restarts)
