"""One run at work in one worker, without the network."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
import time_machine
from django.conf import settings as configured
from django.utils import timezone

from logs.models import Attempt, Cause, Delivery, Destination, ErrorClass, Run
from logs.recording.health import FIRST_HOLD
from macros.deliveries.building import Sending
from macros.deliveries.outcomes import not_sent, of_lost_change
from macros.deliveries.suspects import SUSPECT_AFTER
from macros.deliveries.throttle import HOLD, PARK, Throttles
from macros.deliveries.work import FLUSH_INTERVAL, Work
from macros.http import Request, Response, TransportError
from macros.models import Macro
from macros.runs import start_test
from macros.steps.rendering import Plan
from tests import factories

pytestmark = pytest.mark.django_db


class FakeTime:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    time = FakeTime()
    # The package has a function of the module's name.
    module = import_module("macros.deliveries.work")
    monkeypatch.setattr(module, "time", time)
    return time


def a_run(count: int = 1, **macro: Any) -> Run:
    bugs = factories.feedback_type()
    factories.tickets(bugs, count)
    return factories.run(factories.macro(bugs, "https://a.example/", **macro))


def a_work(run: Run, cap: int = 8) -> tuple[Work, list[Sending]]:
    """The work, and what it has put on the wire."""
    sent: list[Sending] = []
    plan = Plan.from_snapshot(run.snapshot)
    work = Work(run, plan, Throttles(cap), lambda _, sending: sent.append(sending))
    return work, sent


def test_what_is_on_the_wire_is_held_by_renewing_in_good_time(time: FakeTime) -> None:
    """Once a third of the lease has passed: two more flushes may fail."""
    run, begun = a_run(), timezone.now()
    work, sent = a_work(run)
    work.advance()
    assert len(sent) == 1
    held_until = Delivery.objects.get().next_attempt_at

    def flush_after(share: float) -> Any:
        seconds = share * configured.LEASE_SECONDS
        time.now = 1000.0 + seconds
        with time_machine.travel(begun + timedelta(seconds=seconds)):
            work.flush()
        return Delivery.objects.get().next_attempt_at

    assert flush_after(0.3) == held_until
    assert flush_after(0.4) > held_until


@pytest.mark.parametrize(("losses", "state"), [(0, "pending"), (4, "failed")])
def test_a_change_that_kills_its_workers_is_tried_five_times(
    losses: int, state: str
) -> None:
    """At once, since nothing was changed."""
    a_run()
    delivery = Delivery.objects.get()
    delivery.losses = losses
    outcome = of_lost_change(delivery, timezone.now())
    assert (outcome.state, outcome.retry_in) == (
        state,
        0 if state == "pending" else None,
    )
    assert outcome.attempt is not None and outcome.attempt.error_class == "lost"


def test_nothing_moves_while_the_destination_has_no_room() -> None:
    """Else the engine would go round without a nap."""
    work, sent = a_work(a_run(3), cap=1)
    # The second time it learns that no more is due.
    assert [work.advance() for _ in range(4)] == [True, True, False, False]
    assert len(sent) == 1
    assert work.waits == [], "a response tells when there is room"
    sent[0].exchange.seconds = 0.1
    work.finished(sent[0])
    assert [work.advance() for _ in range(2)] == [True, False]
    assert len(sent) == 2


def destination(run: Run, **values: Any) -> Destination:
    return Destination.objects.create(
        community=run.community, origin="https://a.example:443", **values
    )


def waits(work: Work) -> list[float | None]:
    """When what was given back is due again."""
    assert all(each.attempt is None for each in work.results)
    return [each.retry_in for each in work.results]


def test_nothing_is_claimed_for_a_destination_that_is_paused() -> None:
    run = a_run(3)
    row = destination(run, is_paused=True)
    work, sent = a_work(run)
    work.advance()
    assert work.is_idle and not sent
    assert not Delivery.objects.exclude(lease="").exists()

    row.is_paused = False
    row.save()
    work, sent = a_work(run)
    work.advance()
    assert len(sent) == 3


def test_what_need_not_go_there_is_claimed_while_a_destination_is_paused() -> None:
    bugs = factories.feedback_type()
    ticket = factories.ticket(bugs)
    macro = factories.macro(bugs, "https://a.example/")
    at_the_echo = start_test(macro.concrete_steps()[0], ticket, actor=None, echo=True)
    destination(at_the_echo, is_paused=True)
    work, sent = a_work(at_the_echo)
    work.advance()
    assert len(sent) == 1

    factories.steps(macro, {"kind": "add_comment", "text": "Sent"})
    work, sent = a_work(factories.run(macro))
    work.advance()
    assert not sent and waits(work) == [PARK]


def to_wherever_the_ticket_says(count: int) -> Run:
    """What is claimed for them is known only when each is built."""
    bugs = factories.feedback_type()
    factories.tickets(bugs, count, title="https://a.example/hook")
    return factories.run(factories.macro(bugs, "((Title))"))


def test_what_is_claimed_for_a_paused_destination_is_put_off() -> None:
    run = to_wherever_the_ticket_says(2)
    destination(run, is_paused=True)
    work, sent = a_work(run)
    work.advance()
    assert not sent and waits(work) == [PARK, PARK]


def test_as_much_is_held_as_goes_out_soon_and_the_rest_is_put_off() -> None:
    run = to_wherever_the_ticket_says(6)
    destination(run, rate=2 / HOLD)
    work, sent = a_work(run)
    work.advance()
    throttle = sent[0].throttle
    assert (len(sent), throttle.held, waits(work)) == (2, 2, [HOLD, HOLD])
    # Where the run is dropped, others may be held in its place.
    assert len(work.let_go()) == 2 and throttle.held == 0


def test_nothing_moves_before_a_rate_permits_more_to_go_out() -> None:
    """Else the engine would go round without a nap for as long as the run lasts."""
    run = a_run(20)
    destination(run, rate=2 / HOLD)
    work, sent = a_work(run)
    assert [work.advance() for _ in range(4)] == [True, True, False, False]
    assert (len(sent), sent[0].throttle.held, work.has_more) == (2, 2, True)
    [wait] = work.waits
    assert HOLD - 1 < wait <= HOLD


def test_a_cancelled_run_ends_what_is_not_on_the_wire() -> None:
    run = a_run(3)
    work, sent = a_work(run, cap=1)
    work.advance()
    Run.objects.update(state="cancelling")
    work.flush()
    assert [each.state for each in work.results] == ["cancelled"] * 2
    assert not work.is_idle, "one is on the wire"
    sent[0].exchange.result = TransportError("It failed.", "connect")
    work.finished(sent[0])
    work.flush()
    assert work.is_idle


def test_a_paused_run_gives_back_what_is_not_on_the_wire() -> None:
    run = a_run(3)
    work, _ = a_work(run, cap=1)
    work.advance()
    Run.objects.update(state="paused")
    work.flush()
    assert waits(work) == [0.0, 0.0]
    assert not work.has_more


def test_results_wait_for_each_other_but_not_for_long(time: FakeTime) -> None:
    work, _ = a_work(a_run())
    work.flush()
    delivery = Delivery.objects.get()
    Delivery.objects.update(lease=work.lease)
    work.results = [not_sent(delivery, "Why.", ErrorClass.RENDER, timezone.now())]
    time.now += FLUSH_INTERVAL * 0.9
    work.flush_if_due()
    assert work.results and not Attempt.objects.exists()
    time.now += FLUSH_INTERVAL * 0.1
    work.flush_if_due()
    assert not work.results and Attempt.objects.exists()


def test_a_paused_macro_holds_up_its_runs_but_no_test() -> None:
    run = a_run(3)
    work, _ = a_work(run, cap=1)
    work.advance()
    Macro.objects.update(paused_reason="Olga paused it.")
    work.run.cause = Cause.TEST
    work.flush()
    assert work.has_more and waits(work) == []
    work.run.cause = Cause.ACTION
    work.flush()
    assert not work.has_more and waits(work) == [0.0, 0.0]


def test_an_attempt_says_in_milliseconds_how_long_it_took() -> None:
    work, sent = a_work(a_run())
    work.advance()
    sent[0].exchange.seconds = 2.5
    sent[0].exchange.result = TransportError("It failed.", "connect")
    work.finished(sent[0])
    [outcome] = work.results
    assert outcome.attempt is not None and outcome.attempt.total_ms == 2500


def test_the_next_batch_is_claimed_when_less_than_a_quarter_is_left(
    settings: Any,
) -> None:
    settings.BATCH_SIZE = 8
    work, sent = a_work(a_run(20), cap=1)
    work.advance()
    claimed_at = {}
    for unsent in range(7, 0, -1):
        sent[-1].exchange.result = TransportError("It failed.", "connect")
        work.finished(sent[-1])
        work.advance()
        claimed_at[unsent] = Delivery.objects.exclude(lease="").count()
    assert claimed_at == {7: 8, 6: 8, 5: 8, 4: 8, 3: 8, 2: 8, 1: 16}


def respond(sending: Sending, status: int = 200) -> None:
    request = Request("POST", "https://a.example/").prepare()
    sending.exchange.result = Response(request, status, "", (), b"")


def test_it_is_quiet_before_anything_is_held_and_after_all_is_written() -> None:
    work, sent = a_work(a_run())
    is_quiet = [work.is_quiet]
    work.advance()
    is_quiet.append(work.is_quiet)
    respond(sent[0])
    work.finished(sent[0])
    is_quiet.append(work.is_quiet)
    work.flush()
    assert [*is_quiet, work.is_quiet] == [True, False, False, True]


@pytest.mark.parametrize(("steps", "looks"), [(1, False), (2, True)])
def test_more_is_looked_for_when_a_step_that_is_over_has_made_the_next_one_due(
    steps: int, looks: bool
) -> None:
    bugs = factories.feedback_type()
    factories.tickets(bugs, 2)
    run = factories.run(factories.macro(bugs, *["https://a.example/"] * steps))
    work, sent = a_work(run)
    assert [work.advance() for _ in range(3)] == [True, True, False]
    respond(sent[0])
    work.finished(sent[0])
    work.flush()
    assert work.has_more is looks
    work.advance()
    assert len(sent) == 1 + steps


@pytest.mark.parametrize(("status", "failures"), [(200, 0), (404, 0), (503, 1)])
def test_what_a_response_says_of_its_destination(status: int, failures: int) -> None:
    work, sent = a_work(a_run())
    work.advance()
    respond(sent[0], status)
    work.finished(sent[0])
    assert sent[0].throttle.failures == failures


def test_what_is_left_when_a_turn_ends_is_built_in_the_next() -> None:
    """And the engine does not nap before."""
    work, sent = a_work(a_run(3))
    counts = []
    for _ in range(3):
        assert work.advance(until=0)
        counts.append(len(sent))
    assert counts == [1, 2, 3]


def test_what_a_destination_asks_for_is_written_down_at_once(time: FakeTime) -> None:
    """Other workers know it from there."""
    work, sent = a_work(a_run())
    work.advance()
    respond(sent[0], 429)
    work.finished(sent[0])
    assert 0 < sent[0].throttle.wait <= FIRST_HOLD
    assert sent[0].throttle.wait > FIRST_HOLD - 1
    work.flush_if_due()
    assert Destination.objects.get().held_until is not None


def test_a_suspect_that_is_held_is_none_that_waits() -> None:
    work, sent = a_work(a_run())
    Delivery.objects.update(losses=SUSPECT_AFTER, attempts=SUSPECT_AFTER)
    work.advance()
    assert work.has_suspects and work.claim_suspect()
    assert not work.has_suspects and not sent
    work.advance(may_claim=False)
    assert len(sent) == 1
