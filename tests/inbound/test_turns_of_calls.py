"""Who works on a listener's calls, for how long, and what ends a turn."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import django_rq
import pytest
from django.db import OperationalError
from django.utils import timezone

from feedback.models import Comment, Feedback
from macros import jobs, queue
from macros.listeners import handling, work
from macros.models import InboundCall, InboundEvent
from tests import factories

from .calling import call, status_listener, work_on

pytestmark = pytest.mark.django_db


@pytest.fixture
def bug():
    bugs = factories.feedback_type()
    return factories.ticket(bugs, external_data={"jira_key": "NW-41"})


def commenter(bug: Feedback, **values: Any) -> Any:
    return factories.listener(
        bug.feedback_type,
        {"kind": "comment", "value": "((Payload: $.n))"},
        **{"record_by": "id", "record_at": "$.id", **values},
    )


def store(listener: Any, bug: Feedback, numbers: range) -> None:
    for number in numbers:
        body = json.dumps({"id": bug.pk, "n": number, "k": number // 2}).encode()
        factories.inbound_call(listener, body)


def texts() -> list[str]:
    return list(Comment.objects.order_by("pk").values_list("text", flat=True))


def test_calls_are_worked_on_in_their_order(bug):
    listener = commenter(bug)
    store(listener, bug, range(45))
    work_on(listener)
    assert texts() == [str(number) for number in range(45)]


def test_a_turn_ends_in_the_middle_of_a_call_and_goes_on_there(bug, monkeypatch):
    listener = commenter(bug, events_at="$")
    events = [{"id": bug.pk, "n": n} for n in range(6)]
    factories.inbound_call(listener, json.dumps(events).encode())
    notified: list[int] = []
    monkeypatch.setattr(queue, "notify_calls", notified.append)
    steps = iter([0.0] * 4)
    monkeypatch.setattr(work.time, "monotonic", lambda: next(steps, 9.0))
    work.hear(listener.pk)
    assert 0 < len(texts()) < 6 and notified == [listener.pk]
    stored = InboundCall.objects.get()
    assert (stored.state, stored.lease, stored.leased_until) == ("waiting", "", None)
    monkeypatch.undo()
    work.hear(listener.pk)
    assert texts() == [str(number) for number in range(6)]
    assert InboundEvent.objects.count() == 6


def test_a_call_that_takes_many_turns_is_not_given_up(bug, monkeypatch):
    listener = commenter(bug, events_at="$")
    events = [{"id": bug.pk, "n": n} for n in range(9)]
    factories.inbound_call(listener, json.dumps(events).encode())
    monkeypatch.setattr(queue, "notify_calls", lambda listener: None)
    for _ in range(9):
        # The turn begins, and two events look at the clock; so does the mode.
        steps = iter([0.0] * 5)
        monkeypatch.setattr(work.time, "monotonic", lambda s=steps: next(s, 9.0))
        work.hear(listener.pk)
    assert texts() == [str(number) for number in range(9)]


def test_whoever_has_lost_the_lease_writes_nothing_more(bug, monkeypatch):
    listener = commenter(bug)
    store(listener, bug, range(3))
    real: Callable[..., Any] = handling.Handling.run

    def run(self: handling.Handling) -> Any:
        result = real(self)
        InboundCall.objects.filter(state="waiting").update(lease="another")
        return result

    monkeypatch.setattr(handling.Handling, "run", run)
    work.hear(listener.pk)
    assert texts() == ["0"]
    assert InboundCall.objects.filter(lease="another", tries=0).count() == 2


@pytest.mark.parametrize("times", [1, 2])
def test_a_deadlock_is_tried_again(bug, monkeypatch, times):
    listener = commenter(bug)
    store(listener, bug, range(1))
    real, refusals = handling.find_record, iter(range(times))

    def find_record(*arguments: Any) -> Any:
        if next(refusals, None) is not None:
            raise OperationalError("deadlock detected")
        return real(*arguments)

    monkeypatch.setattr(handling, "find_record", find_record)
    work.hear(listener.pk)
    assert texts() == ["0"] and InboundEvent.objects.get().outcome == "acted"


def test_a_database_that_is_away_takes_no_try(bug, monkeypatch):
    listener = commenter(bug)
    store(listener, bug, range(1))

    def away(*_: object) -> None:
        raise OperationalError("the connection is closed")

    with monkeypatch.context() as patched:
        patched.setattr(handling, "find_record", away)
        for _ in range(5):
            with pytest.raises(OperationalError):
                work.hear(listener.pk)
    stored = InboundCall.objects.get()
    assert (stored.state, stored.lease, stored.tries) == ("waiting", "", 1)
    work.hear(listener.pk)
    assert texts() == ["0"]


def test_of_two_at_once_one_acts_and_the_other_is_a_repeat(bug, monkeypatch):
    """The second looks before the first is done, and meets its row."""
    listener = status_listener(bug.feedback_type, id_at="$.id")
    first = call(listener, {"id": 7, "key": "NW-41", "status": "Done"})
    monkeypatch.setattr(handling.Handling, "_check_repeat", lambda self, key: None)
    again = call(listener, {"id": 7, "key": "NW-41", "status": "New"})
    assert (again.outcome, again.repeat_of) == ("repeat", first)
    bug.refresh_from_db()
    assert bug.status.name == "Closed"


def test_calls_of_a_listener_that_is_gone_are_no_work():
    work.hear(12345)


@pytest.fixture
def waiting():
    rows = django_rq.get_queue(queue.QUEUE)
    rows.empty()
    yield lambda: [job for job in rows.get_job_ids() if job.startswith("calls-")]
    rows.empty()
    queue.redis().flushdb()


def test_the_clock_finds_calls_whose_wake_up_was_lost(bug, waiting):
    listener, other = commenter(bug), commenter(bug)
    store(listener, bug, range(2))
    held = factories.inbound_call(other, lease="x", leased_until=timezone.now())
    InboundCall.objects.filter(pk=held.pk).update(state="done")
    jobs.wake()
    jobs.wake()
    [job] = waiting()
    assert job.startswith(f"calls-{listener.pk}-")
    jobs.hear(listener.pk)
    assert texts() == ["0", "1"]
