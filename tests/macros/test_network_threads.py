"""The threads that wait on the network can touch neither database nor queue."""

from __future__ import annotations

import gc
import threading
import time
from datetime import UTC, datetime
from queue import SimpleQueue
from types import FunctionType, ModuleType
from typing import Any

import pytest
from django.db.models import Model, QuerySet

from feedback.models import Feedback, FeedbackType
from logs.models import Destination
from macros.deliveries.building import Builder, Sending
from macros.deliveries.claims import claim_due
from macros.deliveries.sender import Clients, Exchange, Sender
from macros.deliveries.throttle import Throttle, Throttles
from macros.deliveries.work import Work
from macros.http import AddressPolicy, Limits, Request
from macros.steps.rendering import Plan
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    made = factories.feedback_type()
    factories.ticket(made)
    return made


def built(bugs: FeedbackType, **macro: str) -> Sending:
    run = factories.run(factories.macro(bugs, "https://hooks.example/", **macro))
    plan = Plan.from_snapshot(run.snapshot)
    builder = Builder(run, plan, Throttles(8))
    deliveries = claim_due(run.pk, 10, "lease")
    builder.load(deliveries)
    sending = builder.build(deliveries[0])
    assert isinstance(sending, Sending)
    return sending


def reached(start: object) -> list[object]:
    """All that can be reached from an object by its attributes and their contents."""
    seen: dict[int, object] = {}
    todo = [start]
    while todo:
        item = todo.pop()
        if id(item) in seen or isinstance(item, type | ModuleType | FunctionType):
            continue
        seen[id(item)] = item
        todo += gc.get_referents(item)
    return list(seen.values())


def test_an_exchange_leads_to_no_row_and_no_queue(bugs: FeedbackType) -> None:
    factories.secret(bugs, "token", "a-bearer-token")
    factories.secret(bugs, "key", "whsec_" + "a" * 32)
    Destination.objects.create(
        community=bugs.project.community,
        origin="https://hooks.example:443",
        ca_certificates="PEM",
    )
    sending = built(bugs, auth_kind="bearer", auth_secret="token", signing_secret="key")
    assert sending.exchange.credentials and sending.exchange.tls
    rows_and_more = (Model, QuerySet, Throttle, Throttles, Work, Plan)
    assert any(isinstance(item, Model) for item in reached(sending))
    led_to = [
        item for item in reached(sending.exchange) if isinstance(item, rows_and_more)
    ]
    assert led_to == []


def test_an_exchange_is_known_by_itself_alone(bugs: FeedbackType) -> None:
    """Two that ask for the same are two."""
    request = built(bugs).exchange.request
    one, two = Exchange(request, request), Exchange(request, request)
    assert len({one: "one", two: "two"}) == 2


def test_what_is_done_is_held_no_longer(bugs: FeedbackType) -> None:
    """A run may have a million tickets."""
    run = factories.run(factories.macro(bugs, "https://hooks.example/"))
    builder = Builder(run, Plan.from_snapshot(run.snapshot), Throttles(8))
    deliveries = claim_due(run.pk, 10, "lease")
    builder.load(deliveries)
    held = [any(isinstance(item, Feedback) for item in reached(builder))]
    builder.forget(deliveries)
    held.append(any(isinstance(item, Feedback) for item in reached(builder)))
    assert held == [True, False]


class Held(Exchange):
    """Takes until it is let go, or a moment."""

    go = threading.Event()

    def perform(self, clients: Clients) -> Any:
        if not self.go.wait(5):
            raise TimeoutError
        time.sleep(0.01)
        return "done"


def a_sender(threads: int) -> tuple[Sender, SimpleQueue[Any]]:
    limits = Limits(connect=1.0, read=1.0, deadline=1.0, max_bytes=1000)
    finished: SimpleQueue[Any] = SimpleQueue()
    return Sender(Clients(AddressPolicy(), limits, 1), finished, threads), finished


def test_threads_are_started_as_they_are_needed_and_no_more() -> None:
    sender, finished = a_sender(3)
    request = Request("POST", "https://hooks.example/")
    before = threading.active_count()
    started = []
    for on_the_wire in (1, 1, 2, 3, 4, 5):
        sender.submit(Held(request, request), on_the_wire)
        started.append(threading.active_count() - before)
    Held.go.set()
    results = [finished.get(timeout=5) for _ in started]
    sender.close()
    assert started == [1, 1, 2, 3, 3, 3]
    assert threading.active_count() == before
    now = datetime.now(UTC)
    for exchange in results:
        assert exchange.result == "done" and 0.01 <= exchange.seconds < 5
        assert 0 <= (now - exchange.started_at).total_seconds() < 5
