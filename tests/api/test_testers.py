"""What a person may ask for: all that is stored of them, and to be erased."""

from __future__ import annotations

import json

import pytest
from rest_framework.test import APIClient

from feedback.access.roles import Role
from feedback.models import FeedbackType
from feedback.models import Tester as Person
from logs.models import AuditEntry
from tests import factories
from tests.api.callers import issue_key, person, problem, program

TESTERS = "/api/v1/testers/"


@pytest.fixture
def zoe(bugs: FeedbackType) -> Person:
    made = factories.tester(bugs, "zoe@example.com")
    factories.ticket(bugs, title="By zoe@example.com", submitter=made)
    return made


@pytest.fixture
def manager(bugs: FeedbackType) -> APIClient:
    return person(factories.member(bugs, Role.COMMUNITY_MANAGER, "mia"))


def test_a_manager_exports_what_is_stored(manager: APIClient, zoe: Person) -> None:
    response = manager.get(f"{TESTERS}{zoe.pk}/export/")
    export = json.loads(b"".join(response.streaming_content))  # type: ignore[attr-defined]
    assert "zoe@example.com" in json.dumps(export)
    entry = AuditEntry.objects.get(action="exported")
    assert (entry.actor_name, entry.object_id) == ("mia", zoe.pk)


def test_a_key_exports_with_the_scope_data_only(
    bugs: FeedbackType, caller: APIClient, zoe: Person
) -> None:
    _, token = factories.api_key(bugs.project.community, scope_data=True)
    response = program(token).get(f"{TESTERS}{zoe.pk}/export/")
    assert b"zoe@example.com" in b"".join(response.streaming_content)  # type: ignore[attr-defined]
    problem(caller.get(f"{TESTERS}{zoe.pk}/export/"), 403, "missing_scope")


def test_a_manager_erases_with_the_email(manager: APIClient, zoe: Person) -> None:
    url = f"{TESTERS}{zoe.pk}/erase/"
    details = problem(manager.post(url, {"email": "joe@example.com"}), 400, "invalid")
    assert "not the tester's e-mail" in json.dumps(details)
    assert manager.post(url, {"email": "zoe@example.com"}).status_code == 204
    zoe.refresh_from_db()
    assert zoe.email == f"erased-{zoe.pk}@invalid"
    assert "zoe@" not in zoe.tickets.get().title
    assert AuditEntry.objects.get(action="erased").actor_name == "mia"


def test_no_key_erases_anybody(bugs: FeedbackType, zoe: Person) -> None:
    every = dict.fromkeys(
        [f"scope_{name}" for name in ("read", "write", "run", "listener", "data")], True
    )
    _, token = factories.api_key(bugs.project.community, **every)
    response = program(token).post(f"{TESTERS}{zoe.pk}/erase/", {"email": zoe.email})
    problem(response, 403, "permission_denied")


def test_who_may_not_is_refused_and_strangers_find_nobody(
    support: APIClient, stranger: APIClient, zoe: Person
) -> None:
    other = factories.feedback_type("Ideas", "IDEA")
    foreign = person(factories.member(other, Role.COMMUNITY_MANAGER, "max"))
    for name, call in (("export", "get"), ("erase", "post")):
        url = f"{TESTERS}{zoe.pk}/{name}/"
        problem(getattr(support, call)(url), 403, "permission_denied")
        problem(getattr(foreign, call)(url), 404, "not_found")
        assert getattr(stranger, call)(url).status_code in (403, 404)
    zoe.refresh_from_db()
    assert zoe.email == "zoe@example.com"


def test_a_key_of_another_community_finds_nobody(zoe: Person) -> None:
    other = factories.feedback_type("Ideas", "IDEA")
    token = issue_key(other)
    assert program(token).get(f"{TESTERS}{zoe.pk}/export/").status_code == 403


def test_a_key_of_one_project_exports_nobody(bugs: FeedbackType, zoe: Person) -> None:
    """What is stored of a person is the whole community's."""
    _, token = factories.api_key(
        bugs.project.community, project=bugs.project, scope_data=True
    )
    response = program(token).get(f"{TESTERS}{zoe.pk}/export/")
    detail = problem(response, 403, "permission_denied")["detail"]
    assert "key of one project" in detail
