"""While the database takes no writes: a sentence, and nothing is given up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import Error, OperationalError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback.database import is_away, is_gone
from feedback.models import Feedback, FeedbackType
from macros.listeners.work import hear
from macros.models import InboundCall, InboundEvent, Occurrence, Schedule
from macros.schedules import due
from tests import factories
from tests.api.callers import issue_key, problem, program
from tests.health.reading import read_only


@pytest.fixture
def bugs(transactional_db: None) -> FeedbackType:
    return factories.feedback_type()


def ticket_of(bugs: FeedbackType) -> dict[str, object]:
    return {"type": bugs.pk, "title": "It breaks"}


def test_what_is_refused_is_known_as_a_database_away(bugs: FeedbackType) -> None:
    with read_only(), pytest.raises(Error) as caught:
        factories.ticket(bugs)
    assert is_away(caught.value) and is_gone(caught.value)
    passing = OperationalError("deadlock detected")
    assert is_away(passing) and not is_gone(passing)
    assert not is_away(ValueError("ours"))


def test_a_program_is_told_when_to_come_again_and_is_right_to(
    bugs: FeedbackType,
) -> None:
    """The connection was closed, so the next request finds a database that writes."""
    caller = program(issue_key(bugs, scope_write=True))
    caller.raise_request_exception = False
    with read_only():
        refused = caller.post("/api/v1/feedback/", ticket_of(bugs), format="json")
        assert "Idempotency-Key" in problem(refused, 503, "database_away")["detail"]
        assert refused["Retry-After"] == "5" and not Feedback.objects.exists()
        again = caller.post("/api/v1/feedback/", ticket_of(bugs), format="json")
        assert again.status_code == 201


def test_a_person_is_told_what_to_do(bugs: FeedbackType) -> None:
    person = Client(raise_request_exception=False)
    factories.superuser("olivia")
    typed = {"username": "olivia", "password": "secret-word"}
    with read_only():
        page = person.post(reverse("admin:login"), typed)
    assert page.status_code == 503 and page["Retry-After"] == "5"
    assert "look whether what you sent is there" in page.content.decode()

    person.post(reverse("admin:login"), typed)

    def away(*args: object) -> None:
        raise OperationalError("connection refused")

    with connection.execute_wrapper(away):
        page = person.get(reverse("admin:feedback_feedback_changelist"))
    assert page.status_code == 503
    assert "Load this page again" in page.content.decode()


def test_a_fault_of_ours_is_no_database_away(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*args: object) -> None:
        raise ValueError("ours")

    person = Client(raise_request_exception=False)
    person.force_login(factories.superuser())
    with connection.execute_wrapper(fault):
        assert person.get(reverse("admin:index")).status_code == 500


def test_the_moment_of_a_schedule_stays_due(bugs: FeedbackType) -> None:
    factories.ticket(bugs)
    schedule = factories.schedule(factories.macro(bugs, "https://a.example/"))
    moment = timezone.now() - timedelta(seconds=5)
    Schedule.objects.update(is_active=True, next_run_at=moment)
    for _ in range(due.MAX_TRIES + 1):
        with read_only(), pytest.raises(Error):
            due.start_due()
    assert not Occurrence.objects.exists() and not due._tries
    assert Schedule.objects.get(pk=schedule.pk).next_run_at == moment
    due.start_due()
    assert Occurrence.objects.get().outcome == "started"


def test_a_call_waits_and_has_used_up_no_try(bugs: FeedbackType) -> None:
    factories.tickets(bugs, 1)
    comment = {"kind": "comment", "value": "Heard"}
    heard = factories.listener(
        bugs, comment, record_by="reference", record_at="$.ticket"
    )
    call = factories.inbound_call(
        heard, b'{"ticket": "BUG-1"}', content_type="application/json"
    )
    for _ in range(5):
        with read_only(), pytest.raises(Error):
            hear(heard.pk)
    call.refresh_from_db()
    assert (call.state, call.tries, call.lease) == ("waiting", 0, "")
    hear(heard.pk)
    assert InboundEvent.objects.get().outcome == "acted"
    assert InboundCall.objects.get().state == "done"
