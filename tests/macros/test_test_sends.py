"""Test sends: a run of one request that stores nothing unless asked to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from centerhook.receiver import Receiver
from feedback.models import Feedback, FeedbackType
from logs.models import Attempt, AuditEntry, Destination, Run
from macros import deliveries
from macros.models import Macro
from macros.runs import RunRefused, start_test
from macros.steps.kinds.web_request import WebRequest
from tests import factories

pytestmark = pytest.mark.django_db

KEY = {
    "name": "key",
    "source": "json",
    "expression": "$.key",
    "type": "text",
    "when": "success",
    "required": False,
}


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


def unsaved(of: FeedbackType, url: str, **values: Any) -> WebRequest:
    """As it stands in a form: neither it nor its macro is in the database."""
    macro = Macro(feedback_type=of, name="New")
    step = WebRequest(macro=macro, url=url, body='{"text": "((Title))"}')
    for name, value in values.items():
        setattr(step, name, value)
    return step


def tried(step: WebRequest, ticket: Feedback, **options: bool) -> Attempt:
    run = start_test(step, ticket, actor=None, **options)
    deliveries.work(run.pk)
    return run.deliveries.get().attempt_log.get()


def test_an_unsaved_request_is_sent_once_and_logged_as_a_test(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    ticket = factories.ticket(bugs, title="It breaks")
    attempt = tried(unsaved(bugs, f"{receiver.url}/ok"), ticket)
    assert attempt.status == 200 and attempt.total_ms is not None
    [request] = receiver.requests
    assert json.loads(request.body) == {"text": "It breaks"}
    run = Run.objects.get()
    assert (run.cause, run.state, run.macro) == ("test", "finished", None)
    assert run.selection == f"{ticket}, to the real destination"
    entry = AuditEntry.objects.get(action="ran")
    assert (entry.detail, entry.object_name) == ("1 delivery. Test.", str(run))
    assert not WebRequest.objects.exists()


def test_a_failure_is_not_tried_again(bugs: FeedbackType, receiver: Receiver) -> None:
    macro = factories.macro(bugs, f"{receiver.url}/status/503", ladder="5 s")
    step = WebRequest.objects.get(macro=macro)
    tried(step, factories.ticket(bugs))
    assert Run.objects.get().failed == 1
    assert len(receiver.requests) == 1


def test_what_would_be_stored_is_shown_and_stored_if_asked(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    ticket = factories.ticket(bugs, title="QA-7")
    step = unsaved(bugs, "https://example.com/", return_values=[KEY])
    step.body = '{"key": "((Title))"}'
    step.url = f"{receiver.url}/echo"
    echoed = {**KEY, "expression": "$.body.key"}
    step.return_values = [echoed]
    attempt = tried(step, ticket, echo=True)
    assert attempt.message == "Would be stored: key = QA-7 (body $.body.key)"
    ticket.refresh_from_db()
    assert ticket.external_data == {}
    attempt = tried(step, ticket, echo=True, store=True)
    assert attempt.message == "Stored: key = QA-7 (body $.body.key)"
    ticket.refresh_from_db()
    assert ticket.external_data == {"key": "QA-7"}


def test_an_echo_sends_nothing_and_gives_the_request_back(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    step = unsaved(bugs, f"{receiver.url}/x?q=((Reference))", headers="X-A: ((Title))")
    ticket = factories.ticket(bugs, title="Größe")
    attempt = tried(step, ticket, echo=True)
    assert Run.objects.get().selection == f"{ticket}, to the built-in echo"
    echoed = json.loads(attempt.response_body)
    assert (echoed["method"], echoed["body"]) == ("POST", {"text": "Größe"})
    assert echoed["url"] == f"{receiver.url}/x?q=BUG-1"
    assert echoed["headers"]["X-A"] == "Größe"
    assert receiver.requests == []
    assert not Destination.objects.exists()


def test_an_echo_goes_to_no_inside_address_either(
    bugs: FeedbackType, settings: Any
) -> None:
    settings.ALLOWED_NETWORKS = []
    step = unsaved(bugs, "http://169.254.169.254/latest/")
    assert tried(step, factories.ticket(bugs), echo=True).status == 200


@pytest.mark.parametrize("part", ["url", "headers", "body", "typed", "basic"])
def test_no_credential_comes_back_from_the_echo(bugs: FeedbackType, part: str) -> None:
    factories.secret(bugs, "token", "hunter2-hunter2")
    step = unsaved(bugs, "https://example.com/")
    if part == "url":
        step.url += "((Secret: token))/x"
    elif part == "headers":
        step.headers = "X-Token: ((Secret: token))"
    elif part == "body":
        step.body = '{"token": "((Secret: token))"}'
    elif part == "typed":
        step.headers = "Authorization: Bearer hunter2-hunter2"
    else:
        step.auth_kind, step.auth_user = "basic", "ada"
        step.auth_secret = "token"
    ticket = factories.ticket(bugs, title="It says hunter2-hunter2")
    attempt = tried(step, ticket, echo=True)
    whole = json.dumps(
        [attempt.response_body, attempt.request_headers, attempt.url, attempt.message]
    )
    assert attempt.status == 200
    assert "hunter2" not in whole and "YWRhOmh1bnRlcjI" not in whole


def test_a_bound_secret_is_refused_elsewhere_in_a_test_too(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    factories.secret(bugs, "token", hosts="hooks.slack.com")
    step = unsaved(bugs, receiver.url, headers="X-Token: ((Secret: token))")
    ticket = factories.ticket(bugs)
    for echo in (True, False):
        attempt = tried(step, ticket, echo=echo)
        assert attempt.error_class == "blocked"
        assert "may not be sent to this host" in attempt.message
    assert receiver.requests == []


def test_a_gone_address_does_not_pause_the_macro(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    macro = factories.macro(bugs, f"{receiver.url}/status/410")
    assert tried(WebRequest.objects.get(), factories.ticket(bugs)).status == 410
    macro.refresh_from_db()
    assert macro.paused_reason == ""


def test_a_macro_that_is_off_or_paused_can_be_tested(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    factories.macro(bugs, f"{receiver.url}/ok")
    Macro.objects.update(is_active=False, paused_reason="Somebody paused it.")
    assert tried(WebRequest.objects.get(), factories.ticket(bugs)).status == 200
    assert len(receiver.requests) == 1


def test_a_wrong_template_a_lock_and_a_strange_ticket_are_refused(
    bugs: FeedbackType,
) -> None:
    ticket = factories.ticket(bugs)
    step = unsaved(bugs, "https://example.com/((Titel))")
    with pytest.raises(RunRefused, match="unknown tag"):
        start_test(step, ticket, actor=None)
    other = factories.ticket(factories.feedback_type("Ideas", "IDEA"))
    with pytest.raises(RunRefused, match="No ticket"):
        start_test(unsaved(bugs, "https://example.com/"), other, actor=None)
    bugs.project.community.api_keys.all().delete()
    with pytest.raises(RunRefused, match="locked"):
        start_test(unsaved(bugs, "https://example.com/"), ticket, actor=None)
    assert not Run.objects.exists()


def test_a_response_that_is_no_json_says_what_is_not_stored(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    step = unsaved(bugs, f"{receiver.url}/ok", return_values=[KEY])
    attempt = tried(step, factories.ticket(bugs))
    assert attempt.message.startswith("Not stored: key, since")
