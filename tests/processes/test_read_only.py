"""PostgreSQL takes no writes in the middle of a run, as after a failover to a standby.

Collected on PostgreSQL only.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from centerhook.doctor import examine
from centerhook.receiver import Receiver
from logs.models import Attempt
from tests import factories
from tests.processes.accounts import Account, scaled, settled
from tests.processes.conftest import wait_until
from tests.processes.servers import OwnPostgres

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

Start = Callable[..., subprocess.Popen[bytes]]


@contextmanager
def read_only() -> Iterator[None]:
    """For every transaction that begins from now on."""
    _set("on")
    try:
        yield
    finally:
        _set("off")


def _set(value: str) -> None:
    # Nothing of it is written into tables, so a server that only reads takes it.
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
        cursor.execute("SELECT pg_reload_conf()")
    connection.close()
    wait_until(lambda: _shown() == value)


def _shown() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW default_transaction_read_only")
        shown: str = cursor.fetchone()[0]
    connection.close()
    return shown


def test_a_database_that_only_reads_for_a_while_loses_and_repeats_nothing(
    own_postgres: OwnPostgres, start: Start, receiver: Receiver, account: Account
) -> None:
    bugs = factories.feedback_type()
    factories.tickets(bugs, scaled(300, 3000))
    macro = factories.macro(bugs, f"{receiver.url}/delay/20", ladder="1 s, 1 s, 1 s")
    here = {"DESTINATION_CONCURRENCY": 4, "BATCH_SIZE": 20}
    processes = [start("worker", **here), start("clock")]
    run = factories.run(macro)

    for number in range(scaled(1, 5)):
        wait_until(lambda number=number: len(receiver.ids) >= 50 + 500 * number)
        with read_only():
            findings = {each.id for each in examine().every}
            assert "database_read_only" in findings
            time.sleep(0.5)
            before = Attempt.objects.count()
            time.sleep(1)
            assert Attempt.objects.count() == before
    wait_until(lambda: settled(run), 60)

    assert all(process.poll() is None for process in processes)
    assert account.settle(run, arrived=receiver.ids, blows=scaled(1, 5)) == 0
