"""The database is there, and refuses what one run wants to write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from centerhook.receiver import Receiver
from logs.models import Attempt, Run
from macros import deliveries
from macros.deliveries import Engine
from tests import factories
from tests.processes.accounts import settled
from tests.processes.conftest import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def refused(run: Run) -> Iterator[None]:
    """No attempt of this run can be written."""
    first = run.deliveries.order_by("pk")[0].pk
    last = run.deliveries.order_by("-pk")[0].pk
    bad = f"delivery_id BETWEEN {first} AND {last}"
    if connection.vendor == "sqlite":
        new = bad.replace("delivery_id", "NEW.delivery_id")
        make = (
            f"CREATE TRIGGER refused BEFORE INSERT ON logs_attempt WHEN {new}"
            " BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )
        end = "DROP TRIGGER refused"
    else:
        make = f"ALTER TABLE logs_attempt ADD CONSTRAINT refused CHECK (NOT ({bad}))"
        end = "ALTER TABLE logs_attempt DROP CONSTRAINT refused"
    with connection.cursor() as cursor:
        cursor.execute(make)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(end)


@pytest.fixture
def engine(short_naps: None) -> Iterator[Engine]:
    engine = Engine()
    engine.start()
    yield engine
    engine.stop()
    engine.join()


def a_run(url: str) -> Run:
    bugs = factories.feedback_type()
    factories.tickets(bugs, 3)
    return factories.run(factories.macro(bugs, url, ladder="1 s"))


def test_a_run_whose_results_are_refused_holds_up_no_other_and_is_not_lost(
    engine: Engine, receiver: Receiver
) -> None:
    bad, good = a_run(f"{receiver.url}/ok"), a_run(f"{receiver.url}/ok")

    with refused(bad):
        engine.notify(bad.pk)
        wait_until(lambda: receiver.total == 3)
        engine.notify(good.pk)
        wait_until(lambda: settled(good))
    assert not settled(bad)
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        deliveries.work(bad.pk)

    assert settled(bad)
    assert [good.delivered, bad.delivered] == [3, 3]
    lost = Attempt.objects.filter(error_class="lost", delivery__run=bad)
    assert lost.count() == 3, "what was sent and could not be written is owned up to"


def test_a_run_that_cannot_be_read_does_not_end_the_engine(
    engine: Engine, receiver: Receiver
) -> None:
    bad, good = a_run(f"{receiver.url}/ok"), a_run(f"{receiver.url}/ok")
    Run.objects.filter(pk=bad.pk).update(snapshot={"of": "another version"})

    engine.notify(bad.pk)
    engine.notify(good.pk)
    engine.notify(good.pk)

    wait_until(lambda: settled(good))
    assert good.delivered == 3
    wait_until(lambda: settled(bad))
    assert bad.failed == 3
    message = Attempt.objects.filter(delivery__run=bad)[0].message
    assert message.startswith("The macro could not be read, by a fault inside")


def test_an_engine_that_naps_is_woken_to_stop(
    monkeypatch: pytest.MonkeyPatch, settings: object
) -> None:
    monkeypatch.setattr("macros.deliveries.engine.TICK", 60)
    monkeypatch.setattr("macros.deliveries.engine.GRACE", 0)
    settings.REQUEST_DEADLINE = 10.0  # type: ignore[attr-defined]
    engine = Engine()
    engine.start()
    engine.stop()
    engine.join()
    assert not engine._thread.is_alive()
