"""The disk is full while results are written: they are kept until there is room."""

from __future__ import annotations

import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from centerhook.receiver import Receiver
from logs.models import Attempt
from tests import factories
from tests.processes.accounts import Account, scaled, settled
from tests.processes.conftest import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

Start = Callable[..., subprocess.Popen[bytes]]

FULL = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER no_room BEFORE INSERT ON logs_attempt EXECUTE FUNCTION no_room();
"""
ROOM = "DROP TRIGGER no_room ON logs_attempt; DROP FUNCTION no_room();"


@contextmanager
def full_disk(worker: subprocess.Popen[bytes]) -> Iterator[None]:
    """SQLite's file belongs to the worker, who may write no more to any file."""
    if connection.vendor != "sqlite":
        _execute(FULL)
        try:
            yield
        finally:
            _execute(ROOM)
        return
    before = resource.prlimit(worker.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, before)


def _execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def test_a_disk_that_is_full_for_a_while_loses_and_repeats_nothing(
    start: Start, receiver: Receiver, account: Account
) -> None:
    bugs = factories.feedback_type()
    factories.tickets(bugs, scaled(400, 4000))
    worker = start("worker", DESTINATION_CONCURRENCY=4)
    start("clock")
    run = factories.run(factories.macro(bugs, f"{receiver.url}/delay/20"))

    for number in range(scaled(1, 5)):
        wait_until(lambda number=number: len(receiver.ids) >= 50 + 700 * number)
        with full_disk(worker):
            time.sleep(0.2)
            before = Attempt.objects.count()
            time.sleep(2)
            assert Attempt.objects.count() == before < len(receiver.ids)
    wait_until(lambda: settled(run), 60)

    assert worker.poll() is None
    assert account.settle(run, arrived=receiver.ids, blows=scaled(1, 5)) == 0
    assert Attempt.objects.count() == run.total
