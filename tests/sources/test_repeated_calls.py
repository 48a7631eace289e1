"""A call that is sent again with its idempotency key makes no second ticket."""

from __future__ import annotations

from django.core.files.uploadedfile import SimpleUploadedFile

from feedback.models import ExternalSource, Feedback, FeedbackType
from tests import factories
from tests.api.callers import issue_key, problem, program
from tests.sources.conftest import Send

BODY = {"title": "It breaks", "impact": 1.5, "external": {"crash": "abc"}}
KEY = {"idempotency-key": "crash-1"}


def test_the_same_call_gives_the_same_ticket(send: Send) -> None:
    first = send(BODY, headers=KEY)
    again = send(dict(reversed(BODY.items())), headers=KEY)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert first["Location"] == again["Location"]
    assert Feedback.objects.count() == 1
    other = send(BODY, headers={"idempotency-key": "crash-2"})
    assert other.json()["reference"] == "BUG-2"


def test_without_a_key_each_call_makes_a_ticket(send: Send) -> None:
    assert [send(BODY).json()["reference"] for _ in range(2)] == ["BUG-1", "BUG-2"]


def test_the_key_with_something_else_is_refused(send: Send) -> None:
    send(BODY, headers=KEY)
    for other in ({**BODY, "title": "Another"}, {"rubbish": 1}):
        problem(send(other, headers=KEY), 422, "idempotency_key_reused")
    assert Feedback.objects.count() == 1


def test_a_call_that_was_refused_uses_up_no_key(send: Send) -> None:
    problem(send({"title": ""}, headers=KEY), 400, "invalid")
    assert send(BODY, headers=KEY).status_code == 201


def test_what_changed_since_is_no_matter_to_a_repeat(
    send: Send, bugs: FeedbackType
) -> None:
    first = send({**BODY, "severity": "Minor"}, headers=KEY)
    bugs.form_fields.filter(key="severity").delete()
    again = send({**BODY, "severity": "Minor"}, headers=KEY)
    assert again.json() == first.json()


def test_a_repeat_does_not_bring_a_deleted_ticket_back(send: Send) -> None:
    send(BODY, headers=KEY)
    Feedback.objects.get().delete()
    problem(send(BODY, headers=KEY), 410, "ticket_deleted")
    assert not Feedback.objects.exists()


def test_a_key_is_the_callers_own_and_the_sources_own(
    send: Send, bugs: FeedbackType, source: ExternalSource
) -> None:
    send(BODY, headers=KEY)
    second = program(issue_key(bugs, name="Second", scope_listener=True))
    url = f"/sources/{source.key}/"
    assert second.post(url, BODY, headers=KEY).json()["reference"] == "BUG-2"
    other = factories.source(
        bugs,
        default_status=source.default_status,
        default_submitter=source.default_submitter,
    )
    reply = second.post(f"/sources/{other.key}/", BODY, headers=KEY)
    assert reply.json()["reference"] == "BUG-3"


def test_a_key_that_is_none_is_refused(send: Send) -> None:
    for text in ("", " ", "x" * 256, "ü"):
        response = send(BODY, headers={"idempotency-key": text})
        [fault] = problem(response, 400, "invalid")["errors"]
        assert fault["header"] == "Idempotency-Key"


def test_a_form_with_a_file_and_a_key_is_refused_by_the_file(send: Send) -> None:
    picture = SimpleUploadedFile("screen.png", b"x")
    body = {"title": "It breaks", "screenshot": picture}
    response = send(body, format="multipart", headers=KEY)
    [fault] = problem(response, 400, "invalid")["errors"]
    assert fault["pointer"] == "#/screenshot"
