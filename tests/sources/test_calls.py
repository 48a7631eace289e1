"""A call of an external source makes a ticket, and says which."""

from __future__ import annotations

from typing import Any

import pytest

from feedback.models import ExternalSource, Feedback, FeedbackType
from logs.models import AuditEntry, Run
from tests import factories
from tests.api.callers import issue_key, problem, program
from tests.sources.conftest import Send

WHOLE: dict[str, Any] = {
    "title": "It breaks",
    "description": "Line one\nline two",
    "status": "closed",
    "submitter": "APP@example.com",
    "visibility": "Private",
    "severity": "critical",
    "Platform": ["ios", "Android"],
    "reproducible": True,
    "impact": 3.5,
    "Found on": "2026-11-26",
    "page": "https://example.com/",
    "app_version": "1.2.3",
    "steps": "First\n\nthen",
    "external": {"Crash ID": "abc", "count": 3},
}
ANSWERS = {
    "severity": "Critical",
    "platform": ["iOS", "Android"],
    "reproducible": True,
    "found_on": "2026-11-26",
    "page": "https://example.com/",
    "app_version": "1.2.3",
    "steps": "First\n\nthen",
}


def test_a_call_makes_a_ticket_with_all_that_it_gives(
    send: Send, source: ExternalSource
) -> None:
    response = send(WHOLE)
    ticket = Feedback.objects.get()
    assert response.status_code == 201
    page = f"http://localhost:8000/admin/feedback/feedback/{ticket.pk}/change/"
    expected = {"id": ticket.pk, "reference": "BUG-1", "url": page}
    assert response.json() == expected
    location = f"http://localhost:8000/api/v1/feedback/{ticket.pk}/"
    assert response["Location"] == location
    assert (ticket.title, ticket.visibility) == ("It breaks", "private")
    assert ticket.description == "Line one\nline two"
    assert ticket.status is not None and ticket.status.name == "Closed"
    assert ticket.submitter == source.default_submitter
    answers = dict(ticket.form_values)
    assert float(answers.pop("impact")) == 3.5
    assert answers == ANSWERS
    assert ticket.external_data == {"crash_id": "abc", "count": 3}
    origin = ticket.external_provenance["crash_id"]
    assert origin["source"] == "source Crash reports"


def test_what_is_not_given_is_the_sources_own(
    send: Send, source: ExternalSource
) -> None:
    assert send({"title": "It breaks"}).status_code == 201
    ticket = Feedback.objects.get()
    assert ticket.status == source.default_status
    assert ticket.submitter == source.default_submitter
    assert (ticket.visibility, ticket.form_values) == ("public", {})


@pytest.mark.parametrize("format", ["multipart", "form"])
def test_a_form_says_the_same(send: Send, format: str) -> None:
    given = [
        ("title", "It breaks"),
        ("platform", "iOS"),
        ("platform", "Android"),
        ("reproducible", "on"),
        ("external_Crash-ID", "abc"),
    ]
    if format == "form":
        body: Any = "&".join(f"{name}={text}" for name, text in given)
        response = send(body, content_type="application/x-www-form-urlencoded")
    else:
        fields = {name: text for name, text in given if name != "platform"}
        response = send({**fields, "platform": ["iOS", "Android"]}, format="multipart")
    assert response.status_code == 201, response.json()
    ticket = Feedback.objects.get()
    assert ticket.form_values == {"platform": ["iOS", "Android"], "reproducible": True}
    assert ticket.external_data == {"crash_id": "abc"}


def test_every_member_at_fault_is_listed_at_once(send: Send) -> None:
    bad = {
        "sevrity": "Minor",
        "severity": "Terrible",
        "Platform": ["iOS", "Windows"],
        "impact": "much",
        "reproducible": "perhaps",
        "found_on": "yesterday",
        "page": "not a page",
        "steps": ["one", "two"],
        "status": "Opne",
        "Status ": "New",
        "submitter": "nobody@example.com",
        "visibility": "secret",
        "external": {"1": 2, "ok": {"deep": 1}},
        "external_ok": 5,
        "external_deep": {},
        "external_7": 1,
        "file": "x",
    }
    body = problem(send(bad), 400, "invalid")
    faults = {each["pointer"]: each["detail"] for each in body["errors"]}
    assert set(faults) == {
        "#/title",
        "#/external/1",
        "#/external/ok",
        *(f"#/{name}" for name in bad if name != "external"),
    }
    assert faults["#/title"] == "This member is required."
    assert "Did you mean 'severity'?" in faults["#/sevrity"]
    assert "'status' means the same" in faults["#/Status "]
    assert not Feedback.objects.exists()


def test_files_of_a_form_become_attachments_whatever_their_names(send: Send) -> None:
    body = {
        "title": "It breaks",
        "steps": factories.upload("screen.png"),
        "more": [factories.upload("a.txt", b"a"), factories.upload("b.txt", b"b")],
    }
    assert send(body, format="multipart").status_code == 201
    files = Feedback.objects.get().attachments
    assert [*files.values_list("name", "content_type", "added_by")] == [
        ("screen.png", "image/png", "Source Crash reports"),
        ("a.txt", "text/plain", "Source Crash reports"),
        ("b.txt", "text/plain", "Source Crash reports"),
    ]


def test_a_file_that_is_not_taken_is_named_and_no_ticket_is_made(send: Send) -> None:
    body = {"title": "It breaks", "screen": factories.upload("a.png", b"MZ" + bytes(9))}
    [fault] = problem(send(body, format="multipart"), 400, "invalid")["errors"]
    assert fault["pointer"] == "#/screen" and "unknown kind" in fault["detail"]
    assert not Feedback.objects.exists()


def test_a_repeated_call_with_files_makes_one_ticket_and_another_file_is_told(
    send: Send,
) -> None:
    def call(content: bytes) -> Any:
        body = {"title": "x", "file": factories.upload("a.txt", content)}
        return send(body, format="multipart", HTTP_IDEMPOTENCY_KEY="once")

    assert call(b"a").json() == call(b"a").json()
    assert call(b"b").status_code == 422
    assert Feedback.objects.get().attachments.count() == 1


def test_a_default_that_is_missing_makes_the_member_required(
    send: Send, source: ExternalSource
) -> None:
    source.default_status = source.default_submitter = None
    source.save()
    faults = problem(send({"title": "It breaks"}), 400, "invalid")["errors"]
    assert [each["pointer"] for each in faults] == ["#/status", "#/submitter"]
    given = {"title": "x", "status": "New", "submitter": "App@Example.com"}
    assert send(given).status_code == 201


def test_a_required_question_is_required(send: Send, bugs: FeedbackType) -> None:
    bugs.form_fields.filter(key="severity").update(required=True)
    faults = problem(send({"title": "It breaks"}), 400, "invalid")["errors"]
    assert [each["pointer"] for each in faults] == ["#/severity"]


def test_a_question_named_like_a_member_has_the_longer_name(
    send: Send, bugs: FeedbackType
) -> None:
    bugs.form_fields.filter(key="app_version").update(key="status", label="Status")
    body = {"title": "x", "status": "Closed", "field_status": "fine"}
    assert send(body).status_code == 201
    ticket = Feedback.objects.get()
    assert ticket.status is not None and ticket.status.name == "Closed"
    assert ticket.form_values == {"status": "fine"}


def test_an_unknown_submitter_is_added_where_the_source_may(
    send: Send, source: ExternalSource
) -> None:
    new = {"title": "x", "submitter": "New.Person@example.com"}
    [fault] = problem(send(new), 400, "invalid")["errors"]
    assert "has no tester with this e-mail" in fault["detail"]
    source.makes_testers = True
    source.save()
    for _ in range(2):
        assert send(new).status_code == 201
    person = source.feedback_type.project.community.testers.get(
        email="New.Person@example.com"
    )
    assert person.tickets.count() == 2
    entries = AuditEntry.objects.filter(object_type="feedback.tester")
    assert entries.get().detail == "Through the source Crash reports."


def test_triggers_run_and_the_audit_log_names_key_and_source(
    send: Send, bugs: FeedbackType
) -> None:
    factories.trigger(factories.macro(bugs, "https://example.com/"))
    send({"title": "It breaks"})
    run = Run.objects.get()
    assert run.total == 1
    entry = AuditEntry.objects.get(object_type="feedback.feedback")
    assert (entry.action, entry.actor_name) == ("created", "Nightly sync")
    assert entry.detail == "Through the source Crash reports."


def test_a_call_that_is_refused_takes_no_number(send: Send) -> None:
    send({"title": "one"})
    assert send({"title": "", "severity": "Terrible"}).status_code == 400
    assert send({"title": "two"}).json()["reference"] == "BUG-2"


def test_a_source_that_is_off_says_so(send: Send, source: ExternalSource) -> None:
    source.is_active = False
    source.save()
    body = problem(send({"title": "x"}), 410, "source_off")
    assert body["detail"] == "The external source Crash reports is switched off."


def test_a_key_that_is_not_right_finds_nothing(
    source: ExternalSource, bugs: FeedbackType
) -> None:
    others = factories.feedback_type("Ideas", "IDEA")
    next_project = bugs.project.community.projects.create(name="Next")
    own = {"scope_run": False, "scope_listener": True}
    url = f"/sources/{source.key}/"
    for token, status, code in [
        (issue_key(others, **own), 404, "not_found"),
        (issue_key(bugs, project=next_project, **own), 404, "not_found"),
        (issue_key(bugs, name="Reader", scope_write=True), 403, "missing_scope"),
        ("ch_nothing", 401, "invalid_key"),
    ]:
        problem(program(token).post(url, {"title": "x"}), status, code)
    fine = program(issue_key(bugs, name="Own", project=bugs.project, **own))
    assert fine.post(url, {"title": "x"}).status_code == 201
    problem(fine.post("/sources/wrong-key/", {"title": "x"}), 404, "not_found")
    assert Feedback.objects.count() == 1


def test_the_key_may_stand_in_other_places(
    source: ExternalSource, bugs: FeedbackType
) -> None:
    from base64 import b64encode

    from rest_framework.test import APIClient

    token = issue_key(bugs, scope_listener=True)
    basic = b64encode(f"any:{token}".encode()).decode()
    url, body = f"/sources/{source.key}/", {"title": "x"}
    for headers in ({"authorization": f"Basic {basic}"}, {"x-api-key": token}):
        assert APIClient().post(url, body, headers=headers).status_code == 201
    assert APIClient().post(f"{url}?api_key={token}", body).status_code == 201
    for headers in ({}, {"authorization": "Basic !"}, {"authorization": "Digest x"}):
        response = APIClient().post(url, body, headers=headers)
        assert "X-Api-Key" in problem(response, 401, "not_authenticated")["detail"]
    assert APIClient().get(url).status_code == 401
    assert program(token).get(url).status_code == 405
