"""Testers, comments, sources, members and keys through the API, one by one."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from feedback.access.roles import Role
from feedback.models import Attachment, Comment, ExternalSource, FeedbackType
from feedback.models import Tester as Person
from logs.models import AuditEntry
from logs.privacy import erase_tester
from tests import factories
from tests.api.callers import issue_key, person, problem, program
from tests.api.test_filters import faults

TESTERS, COMMENTS = "/api/v1/testers/", "/api/v1/comments/"
SOURCES, KEYS, MEMBERS = "/api/v1/sources/", "/api/v1/api-keys/", "/api/v1/members/"


@pytest.fixture
def writer(bugs: FeedbackType) -> APIClient:
    return program(issue_key(bugs, scope_write=True))


@pytest.fixture
def manager(bugs: FeedbackType) -> APIClient:
    return program(issue_key(bugs, "Manager", scope_manage=True, scope_write=True))


def last_entry(label: str) -> AuditEntry:
    entry = AuditEntry.objects.filter(object_type=label).order_by("pk").last()
    assert entry is not None
    return entry


def test_a_tester_is_added_and_changed(bugs: FeedbackType, writer: APIClient) -> None:
    body = {
        "email": "ada@example.com",
        "city": "London",
        "country": "gb",
        "score": 5,
        "external_data": {"CRM ID": 17, "vip": True},
    }
    made = writer.post(TESTERS, body)
    assert made.status_code == 201, made.json()
    ada = Person.objects.get()
    url = f"{TESTERS}{ada.pk}/"
    assert made.json() == writer.get(url).json() and made["Location"].endswith(url)
    assert (ada.city, ada.country, ada.score) == ("London", "GB", 5)
    assert ada.external_data == {"crm_id": 17, "vip": True}
    assert last_entry("feedback.tester").action == "created"
    changed = {"city": "Oxford", "external_data": {"vip": None, "seat": 1.5}}
    assert writer.patch(url, changed).status_code == 200
    ada.refresh_from_db()
    assert (ada.city, ada.country, ada.email) == ("Oxford", "GB", "ada@example.com")
    assert {name: float(each) for name, each in ada.external_data.items()} == {
        "crm_id": 17,
        "seat": 1.5,
    }
    assert set(ada.external_provenance) == {"crm_id", "seat"}
    assert "Oxford" not in str(last_entry("feedback.tester").changes)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/email"),
        ({"email": "x"}, "#/email"),
        ({"email": 5}, "#/email"),
        ({"email": "BOB@example.com"}, "#/email"),
        ({"email": "a@example.com", "country": "Germany"}, "#/country"),
        ({"email": "a@example.com", "country": "D1"}, "#/country"),
        ({"email": "a@example.com", "score": "5"}, "#/score"),
        ({"email": "a@example.com", "score": 2**31}, "#/score"),
        ({"email": "a@example.com", "phone": None}, "#/phone"),
        ({"email": "a@example.com", "external_data": []}, "#/external_data"),
        ({"email": "a@example.com", "external_data": {"1": 2}}, "#/external_data/1"),
        ({"email": "a@example.com", "community": 999_999}, "#/community"),
        ({"email": "a@example.com", "erased_at": None}, "#/erased_at"),
    ],
)
def test_what_is_wrong_with_a_tester_is_named(
    bugs: FeedbackType, writer: APIClient, body: dict[str, Any], pointer: str
) -> None:
    factories.tester(bugs, "bob@example.com")
    assert list(faults(writer.post(TESTERS, body))) == [pointer]
    assert Person.objects.count() == 1


def test_who_was_erased_is_not_changed(bugs: FeedbackType, writer: APIClient) -> None:
    ada = factories.tester(bugs, "ada@example.com")
    erase_tester(ada, factories.superuser())
    response = writer.patch(f"{TESTERS}{ada.pk}/", {"city": "Rome"})
    problem(response, 400, "invalid")
    assert Person.objects.get().city == ""


def test_a_key_of_one_project_adds_no_tester(bugs: FeedbackType) -> None:
    caller = program(issue_key(bugs, scope_write=True, project=bugs.project))
    body = {"email": "ada@example.com"}
    problem(caller.post(TESTERS, body), 403, "permission_denied")
    submitter = factories.tester(bugs)
    factories.ticket(bugs, submitter=submitter)
    url = f"{TESTERS}{submitter.pk}/"
    problem(caller.patch(url, {"city": "Rome"}), 403, "permission_denied")


def test_a_tester_is_deleted_by_people_only(
    bugs: FeedbackType, manager: APIClient
) -> None:
    ticket = factories.ticket(bugs, submitter=factories.tester(bugs))
    url = f"{TESTERS}{ticket.submitter_id}/"
    problem(manager.delete(url), 403, "permission_denied")
    boss = person(factories.member(bugs, Role.COMMUNITY_MANAGER))
    assert boss.delete(url).status_code == 204
    ticket.refresh_from_db()
    assert ticket.submitter is None


def test_a_comment_is_added_edited_and_deleted(
    bugs: FeedbackType, writer: APIClient
) -> None:
    ticket = factories.ticket(bugs)
    made = writer.post(COMMENTS, {"feedback": ticket.pk, "text": "First"})
    assert made.status_code == 201, made.json()
    comment = Comment.objects.get()
    url = f"{COMMENTS}{comment.pk}/"
    assert made.json() == {
        "id": comment.pk,
        "feedback": ticket.pk,
        "text": "First",
        "added_by": "Nightly sync",
        "macro_name": "",
        "run_number": None,
        "listener_name": "",
        "created_at": made.json()["created_at"],
        "edited_at": None,
        "edits": [],
    }
    edited = writer.patch(url, {"text": "Second"}).json()
    assert edited["text"] == "Second" and edited["edited_at"]
    assert [each["text"] for each in edited["edits"]] == ["First"]
    assert last_entry("feedback.feedback").object_id == ticket.pk
    [listed] = writer.get(COMMENTS, {"feedback": ticket.pk}).json()["results"]
    assert listed == edited
    assert writer.delete(url).status_code == 204
    assert not Comment.objects.exists()


def test_a_comment_of_a_person_is_signed_by_them(
    bugs: FeedbackType, support: APIClient, observer: APIClient
) -> None:
    body = {"feedback": factories.ticket(bugs).pk, "text": "Hello"}
    assert support.post(COMMENTS, body).json()["added_by"] == "sam"
    problem(observer.post(COMMENTS, body), 403, "permission_denied")


@pytest.mark.parametrize("text", [None, "", " ", 5, ["x"], "x" * 65_537])
def test_a_comment_has_a_text(bugs: FeedbackType, writer: APIClient, text: Any) -> None:
    body = {"feedback": factories.ticket(bugs).pk, "text": text}
    assert list(faults(writer.post(COMMENTS, body))) == ["#/text"]


def test_a_comment_stays_on_its_ticket_and_in_its_community(
    bugs: FeedbackType, writer: APIClient
) -> None:
    mine, other = factories.tickets(bugs, 2)
    theirs = factories.ticket(factories.feedback_type("Ideas", "IDEA"))
    for hidden in (theirs.pk, 999_999):
        refusal = writer.post(COMMENTS, {"feedback": hidden, "text": "x"})
        assert faults(refusal) == {"#/feedback": f"There is no ticket {hidden}."}
    url = writer.post(COMMENTS, {"feedback": mine.pk, "text": "x"})["Location"]
    moved = writer.patch(url, {"feedback": other.pk})
    assert faults(moved) == {"#/feedback": "A comment stays on its ticket."}


def test_a_file_is_deleted(bugs: FeedbackType, writer: APIClient) -> None:
    file = factories.attachment(factories.ticket(bugs))
    url = f"/api/v1/attachments/{file.pk}/"
    problem(program(issue_key(bugs, "Reader")).delete(url), 403, "missing_scope")
    assert writer.delete(url).status_code == 204
    assert not Attachment.objects.exists()
    assert last_entry("feedback.attachment").action == "deleted"


def test_a_source_is_made_switched_given_another_url_and_deleted(
    bugs: FeedbackType, manager: APIClient
) -> None:
    status, ada = bugs.statuses.first(), factories.tester(bugs)
    assert status is not None
    body = {
        "type": bugs.pk,
        "name": "Web form",
        "default_status": status.pk,
        "default_submitter": ada.pk,
    }
    made = manager.post(SOURCES, body)
    assert made.status_code == 201, made.json()
    source = ExternalSource.objects.get()
    url = f"{SOURCES}{source.pk}/"
    assert made.json()["url"].endswith(f"/{source.key}/")
    assert manager.patch(url, {"is_active": False}).json()["is_active"] is False
    assert last_entry("feedback.externalsource").action == "off"
    renewed = manager.post(f"{url}new-url/").json()["url"]
    assert renewed != made.json()["url"]
    assert manager.get(url).json()["url"] == renewed
    assert manager.delete(url).status_code == 204


def test_a_source_names_only_what_is_its_own(
    bugs: FeedbackType, manager: APIClient
) -> None:
    theirs = factories.feedback_type("Ideas", "IDEA")
    status, them = theirs.statuses.first(), factories.tester(theirs)
    assert status is not None
    body = {"type": bugs.pk, "name": "Form"}
    for member, hidden, noun in (
        ("type", theirs.pk, "feedback type"),
        ("default_status", status.pk, "status"),
        ("default_submitter", them.pk, "tester"),
    ):
        for pk in (hidden, 999_999):
            refusal = faults(manager.post(SOURCES, {**body, member: pk}))
            assert refusal == {f"#/{member}": f"There is no {noun} {pk}."}
    beside = FeedbackType.objects.create(
        project=bugs.project, name="Idea", prefix="IDEA"
    )
    other = beside.statuses.create(name="Open")
    refusal = faults(manager.post(SOURCES, {**body, "default_status": other.pk}))
    assert refusal == {"#/default_status": "The status is of another type."}
    twice = [manager.post(SOURCES, {**body, "name": name}) for name in ("A", "a")]
    assert [each.status_code for each in twice] == [201, 400]


def test_members_and_keys_are_read_without_what_opens_anything(
    bugs: FeedbackType, manager: APIClient, writer: APIClient, observer: APIClient
) -> None:
    [otto] = manager.get(MEMBERS).json()["results"]
    assert (otto["username"], otto["email"]) == ("otto", "otto@example.com")
    assert otto["roles"] == [{"role": "observer", "project": None}]
    keys = manager.get(KEYS, {"is_enabled": "true"}).json()["results"]
    own = next(each for each in keys if each["name"] == "Manager")
    assert own["scopes"] == ["read", "write", "run", "manage"]
    assert own["state"] == "valid" and own["use_count"] >= 1
    text = str(keys)
    assert "hash" not in text and not any(len(word) > 50 for word in text.split("'"))
    for url in (MEMBERS, KEYS):
        problem(observer.get(url), 403, "permission_denied")
        problem(writer.get(url), 403, "missing_scope")
        for method in ("post", "patch", "delete"):
            problem(getattr(manager, method)(url), 405, "method_not_allowed")
