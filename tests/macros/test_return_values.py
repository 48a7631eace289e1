"""Return values end to end: a real response becomes external data of the ticket."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from centerhook.receiver import Receiver
from feedback.models import Feedback
from logs.models import Attempt, Delivery, Run
from macros import deliveries
from macros.steps.kinds.web_request import WebRequest
from tests import factories
from tests.http.hostile import Behaviour, Peer, Server, http_response, once

pytestmark = pytest.mark.django_db

KEY = {"name": "jira_key", "source": "json", "expression": "$.key"}


def responds(body: str, status: str = "201 Created", *headers: str) -> Behaviour:
    """A destination that always sends this response."""
    data = body.encode()
    length = f"Content-Length: {len(data)}"
    head = "\r\n".join([f"HTTP/1.1 {status}", length, *headers, "", ""])

    def behave(peer: Peer) -> None:
        while peer.request():
            peer.say(head.encode() + data)

    return behave


def deliver(run: Run) -> Run:
    deliveries.work(run.pk)
    run.refresh_from_db()
    return run


def run_on_one(url: str, *rows: dict[str, Any], **request: Any) -> Feedback:
    bugs = factories.feedback_type()
    ticket = factories.ticket(bugs)
    macro = factories.macro(bugs, url, return_values=list(rows), **request)
    deliver(factories.run(macro))
    ticket.refresh_from_db()
    return ticket


def test_a_value_is_stored_with_where_it_came_from(receiver: Receiver) -> None:
    bugs = factories.feedback_type()
    ticket = factories.ticket(bugs, external_data={"score": 5})
    before = ticket.modified_at
    macro = factories.macro(bugs, f"{receiver.url}/jira/", return_values=[KEY])

    run = deliver(factories.run(macro))

    ticket.refresh_from_db()
    attempt = Attempt.objects.get()
    key = json.loads(attempt.response_body)["key"]
    assert ticket.external_data == {"score": 5, "jira_key": key}
    received_at = attempt.started_at + timedelta(milliseconds=attempt.total_ms or 0)
    assert ticket.external_provenance == {
        "jira_key": {
            "run": run.pk,
            "delivery": attempt.delivery_id,
            "attempt": 1,
            "at": received_at.isoformat(),
            "source": "body $.key",
        }
    }
    assert attempt.message == f"Stored: jira_key = {key} (body $.key)"
    assert run.delivered == 1
    assert ticket.modified_at == before, "a capture does not edit the ticket"


def test_each_ticket_gets_its_own_response(receiver: Receiver) -> None:
    bugs = factories.feedback_type()
    factories.tickets(bugs, 30)
    macro = factories.macro(bugs, f"{receiver.url}/jira/", return_values=[KEY])

    deliver(factories.run(macro))

    for attempt in Attempt.objects.select_related("delivery__feedback"):
        ticket = attempt.delivery.feedback
        assert ticket is not None
        assert ticket.external_data == {
            "jira_key": json.loads(attempt.response_body)["key"]
        }
    stored = {row.external_data["jira_key"] for row in Feedback.objects.all()}
    assert len(stored) == 30


def test_a_later_step_sees_what_an_earlier_one_captured(
    serve: Callable[..., Server], receiver: Receiver
) -> None:
    tracker = serve(responds('{"key": "ABC-7", "votes": 3, "tags": ["a", "b"]}'))
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    macro = factories.macro(
        bugs,
        tracker.url("/issue"),
        return_values=[
            KEY,
            {"name": "Votes", "expression": "$.votes", "type": "number"},
            {"name": "tags", "expression": "$.tags", "type": "list"},
        ],
    )
    second = WebRequest(macro=macro, position=1)
    second.url = f"{receiver.url}/ok/((External: jira_key))"
    second.body = (
        '{"n": ((External: votes)), "t": ((External: Tags)),'
        ' "s": "((External: votes))"}'
    )
    second.full_clean(exclude=["step_ptr"])
    second.save()

    run = deliver(factories.run(macro))

    assert (run.delivered, run.failed) == (2, 0)
    [sent] = receiver.requests
    assert sent.path == "/ok/ABC-7"
    assert json.loads(sent.body) == {"n": 3, "t": ["a", "b"], "s": "3"}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ('{"other": 1}', "body $.key matches nothing"),
        ('{"key": {}}', "body $.key is an object, not a text"),
        ("<html>", "body $.key can't be looked up: the response is not JSON"),
        ("", "body $.key can't be looked up: the response is empty"),
        (
            '{"key": "A"}' + " " * 1_100_000,
            "body $.key can't be looked up: the response is not whole (longer than what"
            " is kept)",
        ),
    ],
)
def test_a_response_that_lacks_a_value_says_so_and_stores_the_others(
    serve: Callable[..., Server], body: str, why: str
) -> None:
    tracker = serve(responds(body))
    code = {"name": "code", "source": "status", "type": "number"}

    ticket = run_on_one(tracker.url("/"), KEY, code)

    assert ticket.external_data == {"code": 201}
    assert Attempt.objects.get().message == (
        f"Not stored: jira_key, since {why}.\nStored: code = 201 (status)"
    )
    assert Delivery.objects.get().state == "delivered"


def test_a_refusal_gives_only_what_is_wanted_always(
    serve: Callable[..., Server],
) -> None:
    tracker = serve(responds('{"key": "A", "error": "no"}', "404 Not Found"))
    error = {"name": "error", "expression": "$.error", "when": "always"}

    ticket = run_on_one(tracker.url("/"), KEY, error)

    assert ticket.external_data == {"error": "no"}
    assert Delivery.objects.get().state == "failed"


def test_a_retry_that_gets_a_response_writes_over_the_one_before(
    serve: Callable[..., Server],
) -> None:
    codes = iter(["503 Busy", "201 Created"])

    def behave(peer: Peer) -> None:
        while peer.request():
            head = f"HTTP/1.1 {next(codes)}\r\nContent-Length: 0\r\n\r\n"
            peer.say(head.encode())

    tracker = serve(behave)
    bugs = factories.feedback_type()
    ticket = factories.ticket(bugs)
    code = {"name": "code", "source": "status", "type": "number", "when": "always"}
    macro = factories.macro(bugs, tracker.url("/"), ladder="1 h", return_values=[code])
    run = deliver(factories.run(macro))
    ticket.refresh_from_db()
    assert ticket.external_data == {"code": 503}

    Delivery.objects.update(next_attempt_at=run.created_at)
    deliver(run)

    ticket.refresh_from_db()
    assert ticket.external_data == {"code": 201}
    assert ticket.external_provenance["code"]["attempt"] == 2


def test_a_secret_that_is_echoed_is_stored_masked(
    serve: Callable[..., Server],
) -> None:
    tracker = serve(
        responds('{"echoed": "got s3cret-token!"}', "200 OK", "X-Echo: s3cret-token")
    )
    bugs = factories.feedback_type()
    ticket = factories.ticket(bugs)
    factories.secret(bugs, "token", "s3cret-token")
    macro = factories.macro(
        bugs,
        tracker.url("/"),
        headers="X-Key: ((Secret: token))",
        return_values=[
            {"name": "echoed", "expression": "$.echoed"},
            {"name": "part", "source": "text", "expression": "got (s3...)"},
            {"name": "echo", "source": "header", "expression": "X-Echo"},
        ],
    )

    deliver(factories.run(macro))

    ticket.refresh_from_db()
    assert ticket.external_data == {"echoed": "got ••••••!", "echo": "••••••"}
    assert "s3c" not in Attempt.objects.get().message


def test_a_run_reads_responses_as_its_macro_did_at_the_start(
    serve: Callable[..., Server],
) -> None:
    tracker = serve(responds('{"key": "ABC-1"}'))
    bugs = factories.feedback_type()
    ticket = factories.ticket(bugs)
    macro = factories.macro(bugs, tracker.url("/"), return_values=[KEY])
    run = factories.run(macro)
    WebRequest.objects.update(return_values=[])

    deliver(run)

    ticket.refresh_from_db()
    assert ticket.external_data == {"jira_key": "ABC-1"}


def test_a_run_from_before_there_were_return_values_goes_on(
    receiver: Receiver,
) -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    run = factories.run(factories.macro(bugs, f"{receiver.url}/ok"))
    del run.snapshot["steps"][0]["return_values"]
    run.save()

    assert deliver(run).delivered == 1


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "windows-1252", "utf-16"])
def test_a_value_is_read_in_the_charset_of_its_response(
    serve: Callable[..., Server], charset: str
) -> None:
    body = '{"key": "Grün-1"}'
    kind = f"Content-Type: application/json; charset={charset}"
    server = serve(once(http_response(body.encode(charset), kind)))
    ticket = run_on_one(server.url("/"), KEY)
    assert ticket.external_data == {"jira_key": "Grün-1"}
    assert Attempt.objects.get().response_body == body
