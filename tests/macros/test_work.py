"""One run at work in one worker, without the network."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from logs.models import Delivery, Run
from macros.deliveries.building import Sending
from macros.deliveries.outcomes import of_lost_change
from macros.deliveries.throttle import Throttles
from macros.deliveries.work import Work
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
        seconds = share * settings.LEASE_SECONDS
        time.now = 1000.0 + seconds
        with time_machine.travel(begun + timedelta(seconds=seconds)):
            work.flush()
        return Delivery.objects.get().next_attempt_at

    assert flush_after(0.3) == held_until
    assert flush_after(0.4) > held_until


@pytest.mark.parametrize(
    ("tries", "before", "state"),
    [(0, 0, "pending"), (3, 0, "pending"), (4, 0, "failed"), (6, 3, "pending")],
)
def test_a_change_that_kills_its_workers_is_tried_five_times(
    tries: int, before: int, state: str
) -> None:
    """At once, since nothing was changed; a resend starts over."""
    a_run()
    delivery = Delivery.objects.get()
    delivery.attempts, delivery.attempts_before = tries, before
    outcome = of_lost_change(delivery, timezone.now())
    assert (outcome.state, outcome.retry_in) == (
        state,
        0 if state == "pending" else None,
    )
    assert outcome.attempt is not None and outcome.attempt.error_class == "lost"
