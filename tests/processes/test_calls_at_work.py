"""Stored calls are acted on exactly once, whatever happens to those who work."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable

import pytest

from feedback.models import Comment, Feedback, FeedbackType, Tester
from logs.models import Run
from macros.models import InboundCall, InboundEvent, Listener
from tests import factories
from tests.processes.accounts import moments, scaled
from tests.processes.conftest import wait_until
from tests.processes.servers import OwnValkey
from tests.processes.test_kills import end

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

Start = Callable[..., subprocess.Popen[bytes]]
SHORT_LEASE = {"LEASE_SECONDS": 3}
TICKETS = 5
# Events in a call.
EVENTS = 3


def a_listener(bugs: FeedbackType) -> Listener:
    """Each event writes a comment, gives a point, creates nothing and runs a macro."""
    macro = factories.steps(
        factories.macro(bugs), {"kind": "set_visibility", "visibility": "private"}
    )
    return factories.listener(
        bugs,
        {"kind": "comment", "value": "((Payload: $.id))"},
        {"kind": "score", "value": "1"},
        {"kind": "run", "macro": macro},
        record_by="id",
        record_at="$.ticket",
        events_at="$.events",
        id_at="$.id",
    )


def store_calls(listener: Listener, tickets: list[Feedback], count: int) -> set[str]:
    """Calls whose events are about all of the tickets in turn; the ids of the events.

    The last event of each call comes again in the next one.
    """
    ids: set[str] = set()
    for number in range(count):
        events = [
            {"id": f"{listener.pk}-{number}-{each}", "ticket": ticket.pk}
            for each, ticket in zip(range(EVENTS), tickets, strict=False)
        ]
        ids |= {event["id"] for event in events}
        again = {**events[0], "id": f"{listener.pk}-{max(0, number - 1)}-0"}
        body = json.dumps({"events": [*events, again]})
        factories.inbound_call(listener, body.encode())
    return ids


def are_done() -> bool:
    return not InboundCall.objects.filter(state="waiting").exists()


def check_exactly_once(ids: set[str]) -> None:
    texts = Counter(Comment.objects.values_list("text", flat=True))
    assert texts == Counter(ids), "each event is acted on, and none twice"
    assert sum(Tester.objects.values_list("score", flat=True)) == len(ids)
    acted = InboundEvent.objects.filter(outcome="acted")
    runs = Run.objects.values_list("event", flat=True)
    assert sorted(runs) == sorted(acted.values_list("pk", flat=True))
    others = InboundEvent.objects.exclude(outcome="acted")
    assert set(others.values_list("outcome", flat=True)) == {"repeat"}
    assert not InboundCall.objects.exclude(lease="").exists()


def check_order() -> None:
    """A listener's calls were worked on as they came, by whichever worker."""
    written: dict[str, list[int]] = {}
    for text in Comment.objects.order_by("pk").values_list("text", flat=True):
        listener, number, _ = text.split("-")
        written.setdefault(listener, []).append(int(number))
    assert all(numbers == sorted(numbers) for numbers in written.values())


def tickets_of(bugs: FeedbackType) -> list[Feedback]:
    return factories.tickets(bugs, TICKETS, submitter=factories.tester(bugs))


@pytest.mark.sweep
def test_workers_that_are_killed_act_on_every_call_exactly_once(start: Start) -> None:
    kills = scaled(2, 20)
    calls = scaled(12, 400)
    ids: set[str] = set()
    for _ in range(2):
        bugs = factories.feedback_type()
        ids |= store_calls(a_listener(bugs), tickets_of(bugs), calls)
    workers = [start("worker", **SHORT_LEASE) for _ in range(2)]
    start("clock")
    for moment in moments(kills, len(ids) * 9 // 10):
        wait_until(lambda moment=moment: Comment.objects.count() >= moment, 60)
        end(workers.pop(0))
        workers.append(start("worker", **SHORT_LEASE))
    wait_until(are_done, 120)
    check_exactly_once(ids)
    check_order()


@pytest.mark.sweep
def test_calls_wait_for_redis_and_none_is_lost(
    start: Start, own_valkey: OwnValkey
) -> None:
    here = {"REDIS_URL": own_valkey.url, **SHORT_LEASE}
    bugs = factories.feedback_type()
    listener, tickets = a_listener(bugs), tickets_of(bugs)
    ids = store_calls(listener, tickets, scaled(15, 300))
    processes = [start("worker", **here), start("clock", **here)]
    wait_until(lambda: Comment.objects.count() >= 10, 60)
    own_valkey.stop()
    late = InboundCall.objects.count()
    for number in range(10):
        event = {"id": f"late-{number}", "ticket": tickets[0].pk}
        factories.inbound_call(listener, json.dumps({"events": event}).encode())
        ids.add(event["id"])
    assert InboundCall.objects.count() == late + 10
    own_valkey.start()
    wait_until(are_done, 90)
    assert all(process.poll() is None for process in processes)
    check_exactly_once(ids)
