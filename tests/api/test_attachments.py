"""Files of tickets through the API."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from feedback.models import Feedback, FeedbackType
from tests import factories
from tests.api.callers import issue_key, problem, program


@pytest.fixture
def ticket(db: None) -> Feedback:
    return factories.ticket(factories.feedback_type())


def url(ticket: Feedback) -> str:
    return f"/api/v1/feedback/{ticket.pk}/attachments/"


def writer(of: FeedbackType) -> APIClient:
    return program(issue_key(of, scope_write=True))


def test_files_are_added_listed_and_downloaded(ticket: Feedback) -> None:
    caller = writer(ticket.feedback_type)
    files = [factories.upload("a.txt", b"hello"), factories.upload("screen.png")]
    made: Any = caller.post(url(ticket), {"file": files}, format="multipart")
    assert made.status_code == 201
    listed = caller.get(url(ticket)).json()
    assert listed == made.json()
    assert [each["name"] for each in listed] == ["a.txt", "screen.png"]
    assert listed[0]["added_by"].startswith("API key ")
    download = listed[0]["download"].partition("/api/")[2]
    response: Any = caller.get(f"/api/{download}")
    assert b"".join(response) == b"hello"
    assert response["Content-Disposition"] == 'attachment; filename="a.txt"'
    row = caller.get(f"/api/v1/attachments/{listed[0]['id']}/").json()
    assert row == listed[0]


def test_one_bad_file_of_several_adds_none(ticket: Feedback) -> None:
    files = [factories.upload("a.txt", b"a"), factories.upload("b.exe", b"MZ\0\0")]
    response = writer(ticket.feedback_type).post(
        url(ticket), {"file": files}, format="multipart"
    )
    [fault] = problem(response, 400, "invalid")["errors"]
    assert fault["detail"].startswith("b.exe is a file of an unknown kind")
    assert not ticket.attachments.exists()


@pytest.mark.parametrize(
    ("body", "pointer"), [({}, "#/file"), ({"note": "x"}, "#/note")]
)
def test_a_form_without_files_is_refused(
    ticket: Feedback, body: dict[str, str], pointer: str
) -> None:
    response = writer(ticket.feedback_type).post(url(ticket), body, format="multipart")
    [fault] = problem(response, 400, "invalid")["errors"]
    assert fault["pointer"] == pointer


def test_a_key_that_only_reads_adds_nothing(ticket: Feedback) -> None:
    caller = program(issue_key(ticket.feedback_type))
    body = {"file": factories.upload("a.txt", b"a")}
    response = caller.post(url(ticket), body, format="multipart")
    problem(response, 403, "missing_scope")
    assert not ticket.attachments.exists()


def test_another_communitys_files_are_not_there(ticket: Feedback) -> None:
    made = factories.attachment(ticket)
    caller = writer(factories.feedback_type())
    for path in (url(ticket), f"/api/v1/attachments/{made.pk}/download/"):
        problem(caller.get(path), 404, "not_found")
