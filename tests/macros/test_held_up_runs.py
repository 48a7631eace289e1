"""What the clock looks at where very many runs wait for destinations that rest."""

from __future__ import annotations

import django_rq
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from feedback.models import FeedbackType
from logs.models import Destination, Run
from macros import jobs, queue
from macros.deliveries import held_up
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    made = factories.feedback_type()
    factories.ticket(made)
    return made


def rests(bugs: FeedbackType, origin: str = "https://a.example:443") -> Destination:
    community = bugs.project.community
    return Destination.objects.create(
        community=community, origin=origin, is_paused=True
    )


def woken() -> set[int]:
    """The runs that the clock wakes a worker for."""
    django_rq.get_queue(queue.QUEUE).empty()
    jobs.wake()
    return {job.args[0] for job in django_rq.get_queue(queue.QUEUE).get_jobs()}


def read() -> int:
    """Queries of a tick that read what runs do, which may be much of each."""
    with CaptureQueriesContext(connection) as queries:
        jobs.wake()
    start = 'SELECT "logs_run"."id", "logs_run"."snapshot" FROM'
    return sum(each["sql"].startswith(start) for each in queries)


def test_each_is_read_once(bugs: FeedbackType) -> None:
    row = rests(bugs)
    macro = factories.macro(bugs, "https://a.example/")
    for _ in range(3):
        factories.run(macro)
    assert [read(), read(), read()] == [1, 0, 0] and not woken()
    factories.run(macro)
    assert [read(), read()] == [1, 0] and len(held_up._only_sends) == 4
    row.is_paused = False
    row.save()
    assert len(woken()) == 4 and not read()
    Run.objects.update(state="cancelled")
    assert not woken() and not held_up._only_sends


def test_a_run_of_a_newer_version_is_left_to_a_worker(bugs: FeedbackType) -> None:
    """One of that version can do what this one doesn't know."""
    rests(bugs)
    run = factories.run(factories.macro(bugs, "https://a.example/"))
    run.snapshot["format"] = 10**6
    run.save(update_fields=["snapshot"])
    assert woken() == {run.pk}


def test_few_are_read_at_once_and_none_is_left_out(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_up, "MAX_READ", 2)
    rests(bugs)
    macro = factories.macro(bugs, "https://a.example/")
    waiting = [factories.run(macro) for _ in range(5)]
    factories.steps(macro, {"kind": "add_comment", "text": "Sent"})
    does_more = factories.run(macro)
    assert [woken() for _ in range(3)] == [set(), set(), {does_more.pk}]
    assert sum(held_up._only_sends.values()) == len(waiting)


def test_very_many_that_wait_are_no_trouble() -> None:
    """SQLite takes 250,000 parameters, so that each can't be one."""
    one, rest = factories.feedback_type(), 300_000
    rests(one)
    row = (one.project.community_id, ["https://a.example:443"])
    due = dict.fromkeys(range(10**6, 10**6 + rest), row)
    assert len(held_up.held_up(due)) == rest
