"""The loop around all runs of a worker."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from queue import SimpleQueue
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError
from django.utils import timezone
from pytest_django import Settings

from centerhook.receiver import Receiver
from logs.models import Attempt, Delivery, Destination, Run
from macros import deliveries
from macros.deliveries import Engine
from macros.deliveries.engine import TICK
from macros.deliveries.sender import Clients, Exchange
from macros.deliveries.suspects import SUSPECT_AFTER
from macros.deliveries.turns import TURN
from macros.deliveries.work import Work
from macros.http import AddressPolicy, Blocked, Limits, Request
from tests import factories
from tests.processes.conftest import wait_until


class Naps(SimpleQueue[Any]):
    """An inbox in which nothing arrives; it notes how long each look at it waits."""

    def __init__(self) -> None:
        self.waits: list[float | None] = []

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        self.waits.append(timeout if block else 0.0)
        return super().get(block=False)


@pytest.mark.django_db
def test_it_naps_when_nothing_moves_and_only_then() -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    run = factories.run(factories.macro(bugs, "http://127.0.0.1:9/"))
    engine = Engine()
    engine._inbox = Naps()
    engine._step()
    engine._take_up(run.pk)
    engine._step()
    assert engine._inbox.waits == [TICK, 0.0]
    engine.close()


@pytest.mark.django_db
def test_a_run_whose_templates_cannot_be_read_any_more_fails_in_words() -> None:
    """As after a downgrade to a version that does not know a tag."""
    bugs = factories.feedback_type()
    factories.tickets(bugs, 2)
    run = factories.run(factories.macro(bugs, "https://a.example/", ladder="1 h"))
    run.snapshot["steps"][0]["url"] = "https://a.example/((From Tomorrow))"
    run.save(update_fields=["snapshot"])
    deliveries.work(run.pk)
    run = Run.objects.get()
    assert (run.state, run.failed) == ("finished", 2)
    attempts = Attempt.objects.values_list("error_class", flat=True)
    assert list(attempts) == ["render", "render"]
    assert "From Tomorrow" in Attempt.objects.all()[0].message


@pytest.mark.django_db
def test_it_ends_with_what_was_lost_and_what_takes_down_workers() -> None:
    """None of it is worked on, so that nothing has to be worked on alone."""
    bugs = factories.feedback_type()
    factories.tickets(bugs, 3)
    run = factories.run(factories.macro(bugs, "https://a.example/", ladder="1 h"))
    run.snapshot["steps"][0]["url"] = "https://a.example/((From Tomorrow))"
    run.save(update_fields=["snapshot"])
    _, suspect, held = run.deliveries.order_by("pk")
    of_suspect = {"losses": SUSPECT_AFTER, "attempts": SUSPECT_AFTER}
    Delivery.objects.filter(pk=suspect.pk).update(**of_suspect)
    Delivery.objects.filter(pk=held.pk).update(lease="gone")
    deliveries.work(run.pk)
    run.refresh_from_db()
    assert (run.state, run.failed) == ("finished", 3)
    attempts = Attempt.objects.order_by("delivery_id")
    kinds = attempts.values_list("error_class", "outcome_unknown")
    assert list(kinds) == [("render", False), ("render", False), ("lost", True)]
    message = attempts[2].message
    assert message.startswith("The worker stopped while it held this delivery. ")
    assert "From Tomorrow" in message


def test_an_exchange_stays_outside_unless_its_destination_was_opened() -> None:
    limits = Limits(connect=1.0, read=1.0, deadline=1.0, max_bytes=1000)
    clients = Clients(AddressPolicy(), limits, 1)
    request = Request("POST", "http://127.0.0.1:9/")
    with pytest.raises(Blocked):
        Exchange(request, request).perform(clients)
    clients.close()


@pytest.mark.django_db
def test_what_it_is_notified_of_is_taken_up_until_it_stops() -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    macro = factories.macro(bugs, "http://127.0.0.1:9/")
    first, second = factories.run(macro), factories.run(macro)
    engine = Engine()
    engine.notify(first.pk)
    engine._step()
    assert set(engine._works) == {first.pk}
    engine._works.clear()
    engine.stop()
    engine.notify(second.pk)
    engine._step()
    assert not engine._works
    engine.close()


@pytest.fixture
def engine(db: None) -> Iterator[Engine]:
    """One that is gone through by hand, and never waits."""
    engine = Engine()
    engine._inbox = Naps()
    yield engine
    engine.close()


def runs(count: int, url: str = "http://127.0.0.1:9/") -> list[Run]:
    """Several runs in one community."""
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    macro = factories.macro(bugs, url)
    return [factories.run(macro) for _ in range(count)]


def advance_by(monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    monkeypatch.setattr(Work, "advance", act)


def test_while_a_run_waits_for_its_turn_it_does_not_nap(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if the run before it took all of the time and came to nothing."""
    advance_by(monkeypatch, lambda *_, **__: time.sleep(TURN))
    for run in runs(2):
        engine._take_up(run.pk)
    engine._turns.round()
    assert engine._advance_all()


def test_no_community_waits_for_the_runs_of_another(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    advanced = []

    def advance(work: Work, **kwargs: Any) -> bool:
        advanced.append(work.run)
        time.sleep(TURN)
        return True

    advance_by(monkeypatch, advance)
    one, later = runs(2)
    [other] = runs(1)
    for run in (one, later, other):
        engine._take_up(run.pk)
    engine._turns.round()
    engine._advance_all()
    assert advanced == [one, other]
    engine._advance_all()
    assert advanced == [one, other, later, other]


def test_when_it_stops_each_run_gives_back_what_it_holds(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_back = []
    monkeypatch.setattr(Work, "give_back", lambda work: given_back.append(work.run))
    both = runs(2)
    for run in both:
        engine._take_up(run.pk)
    engine._turns.round()
    engine.stop()
    engine._advance_all()
    assert given_back == both


def test_a_run_at_work_that_it_is_notified_of_again_looks_for_more(
    engine: Engine,
) -> None:
    [run] = runs(1)
    engine._take_up(run.pk)
    engine._turns.round()
    engine._works[run.pk].has_more = False
    engine._take_up(run.pk)
    assert engine._works[run.pk].has_more


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (OperationalError("gone"), "The database is away: gone"),
        (RuntimeError("a fault"), "The engine stumbled"),
    ],
)
def test_whatever_happens_in_a_step_it_goes_on(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    short_naps: None,
    db: None,
    fault: Exception,
    message: str,
) -> None:
    """Without its thread a worker would be notified and do nothing."""
    engine, steps = Engine(), []

    def step() -> None:
        steps.append(1)
        if len(steps) == 1:
            raise fault
        engine.stop()

    monkeypatch.setattr(engine, "_step", step)
    engine.start()
    engine.join()
    assert len(steps) == 2 and caplog.messages == [message]


def test_it_naps_until_something_arrives_and_takes_in_all_that_did(
    engine: Engine,
) -> None:
    one, two = runs(2)
    engine.notify(one.pk)
    engine.notify(two.pk)
    engine._receive(TICK)
    engine._turns.round()
    assert engine._inbox.waits == [TICK, 0.0, 0.0]
    assert set(engine._works) == {one.pk, two.pk}


@pytest.mark.parametrize(("seconds", "least"), [(0.3, 0.0), (4.0, 0.49)])
def test_it_naps_until_something_may_go_out(
    engine: Engine, seconds: float, least: float
) -> None:
    """Though more is due than is worth holding."""
    bugs = factories.feedback_type()
    factories.tickets(bugs, 20)
    run = factories.run(factories.macro(bugs, "https://a.example/"))
    until = timezone.now() + timedelta(seconds=seconds)
    Destination.objects.create(
        community=run.community, origin="https://a.example:443", held_until=until
    )
    engine._take_up(run.pk)
    engine._turns.round()
    engine._step()
    engine._step()
    [no_nap, nap] = engine._inbox.waits
    assert no_nap == 0.0
    assert nap is not None and least < nap <= min(seconds, TICK)


@pytest.mark.parametrize("fault", [RuntimeError, IntegrityError])
def test_a_fault_of_one_run_drops_it_and_no_other(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, fault: type[Exception]
) -> None:
    bad, good = runs(2)

    def advance(work: Work, **kwargs: Any) -> bool:
        if work.run == bad:
            raise fault
        return False

    advance_by(monkeypatch, advance)
    for run in (bad, good):
        engine._take_up(run.pk)
    engine._turns.round()
    engine._step()
    assert set(engine._works) == {good.pk}


def test_while_the_database_is_away_no_run_is_dropped(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def advance(work: Work, **kwargs: Any) -> bool:
        raise OperationalError

    advance_by(monkeypatch, advance)
    [run] = runs(1)
    engine._take_up(run.pk)
    engine._turns.round()
    with pytest.raises(OperationalError):
        engine._step()
    assert set(engine._works) == {run.pk}


@pytest.mark.django_db(transaction=True)
def test_when_it_stops_what_is_on_the_wire_has_as_long_as_a_request_and_more(
    settings: Settings, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """And none of its threads keeps the process from ending."""
    settings.REQUEST_DEADLINE = 1.0
    [run] = runs(1, f"{receiver.url}/delay/200")
    before = set(threading.enumerate())
    engine = Engine()
    engine.start()
    engine.notify(run.pk)
    wait_until(lambda: receiver.total == 1)
    started = set(threading.enumerate()) - before
    assert all(thread.daemon for thread in started)
    with caplog.at_level(logging.WARNING):
        engine.stop()
        engine.join()
    assert not started & set(threading.enumerate())
    run.refresh_from_db()
    assert (run.delivered, caplog.messages) == (1, [])
