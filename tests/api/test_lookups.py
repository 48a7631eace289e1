"""Record lookups made, changed and deleted through the API, and then called."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from feedback.access.roles import Role
from feedback.models import FeedbackType, RecordLookup
from logs.models import AuditEntry
from tests import factories
from tests.api.callers import issue_key, person, problem, program

URL = "/api/v1/lookups/"


@pytest.fixture
def manager(bugs: FeedbackType) -> APIClient:
    return program(issue_key(bugs, scope_manage=True, scope_data=True))


def sent(bugs: FeedbackType, **values: Any) -> dict[str, Any]:
    return {
        "type": bugs.pk,
        "name": "Status",
        "key": "bug-status",
        "found_by": "reference",
        "columns": ["reference", {"name": "field_impact", "type": "number"}],
        **values,
    }


def test_a_lookup_is_made_called_changed_and_deleted(
    manager: APIClient, bugs: FeedbackType
) -> None:
    factories.ticket(bugs, form_values={"impact": 3})
    response = manager.post(URL, sent(bugs))
    assert response.status_code == 201, response.json()
    row = response.json()
    assert response["Location"].endswith(f"{URL}{row['id']}/")
    community = bugs.project.community_id
    columns = [
        {"name": "reference", "type": "text"},
        {"name": "field_impact", "type": "number"},
    ]
    expected = {
        "type": bugs.pk,
        "project": bugs.project_id,
        "community": community,
        "subject_kind": "feedback",
        "columns": columns,
        "url": f"http://localhost:8000/lookups/{community}/bug-status/",
        "parameter": "reference",
        "is_active": True,
    }
    assert {name: row[name] for name in expected} == expected
    path = row["url"].removeprefix("http://localhost:8000")
    record = manager.get(f"{path}?reference=BUG-1").json()
    assert record == {"reference": "BUG-1", "field_impact": 3}
    etag = manager.get(f"{URL}{row['id']}/")["ETag"]
    one = f"{URL}{row['id']}/"
    change = {"columns": ["status"], "is_active": False}
    changed = manager.patch(one, change, headers={"If-Match": etag})
    assert changed.json()["columns"] == [{"name": "status", "type": "text"}]
    stale = manager.patch(one, {"name": "Other"}, headers={"If-Match": etag})
    assert stale.status_code == 412
    assert [each["id"] for each in manager.get(URL).json()["results"]] == [row["id"]]
    assert manager.delete(one).status_code == 204
    entries = AuditEntry.objects.filter(object_type="feedback.recordlookup")
    actions = [each.action for each in entries.order_by("pk")]
    assert actions == ["created", "off", "deleted"]


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"key": "Bug Status"}, "#/key"),
        ({"found_by": "email"}, "#/found_by"),
        ({"found_by": "external"}, "#/external_name"),
        ({"columns": []}, "#/columns"),
        ({"columns": "title"}, "#/columns"),
        ({"columns": ["titel"]}, "#/columns"),
        ({"columns": [{"name": "title", "type": "number"}]}, "#/columns"),
        ({"columns": [[[1]], None, {"a": 1}]}, "#/columns"),
        ({"columns": ["title", "title"]}, "#/columns"),
        ({"type": 987654}, "#/type"),
        ({"subject_kind": "tester"}, "#"),
        ({"subject_kind": "comment"}, "#/subject_kind"),
        ({"project": 1}, "#"),
        ({"owner": 1}, "#/owner"),
        ({"url": "x"}, "#/url"),
        ({"name": 5}, "#/name"),
    ],
)
def test_what_is_wrong_is_named(
    manager: APIClient, bugs: FeedbackType, wrong: dict[str, Any], pointer: str
) -> None:
    if "project" in wrong:
        wrong = {"project": bugs.project_id}
    message = problem(manager.post(URL, sent(bugs, **wrong)), 400, "invalid")
    assert message["errors"][0]["pointer"] == pointer
    assert not RecordLookup.objects.exists()


def test_what_it_looks_up_stays(manager: APIClient, bugs: FeedbackType) -> None:
    lookup = factories.lookup(bugs)
    for member, value in (("type", bugs.pk), ("subject_kind", "tester")):
        response = manager.patch(f"{URL}{lookup.pk}/", {member: value})
        message = problem(response, 400, "invalid")
        assert "stays with what it looks up" in message["detail"]


def test_only_who_sets_up_projects_makes_one(bugs: FeedbackType) -> None:
    reader = program(issue_key(bugs, name="Reader", scope_write=True, scope_data=True))
    problem(reader.post(URL, sent(bugs)), 403, "missing_scope")
    sam = person(factories.member(bugs, Role.SUPPORT, "sam"))
    problem(sam.post(URL, sent(bugs)), 403, "permission_denied")
    pat = person(factories.member(bugs, Role.PROJECT_MANAGER, "pat", in_project=True))
    assert pat.post(URL, sent(bugs)).status_code == 201
    whole = {"name": "All", "key": "all", "found_by": "id", "columns": ["id"]}
    whole |= {"community": bugs.project.community_id, "subject_kind": "tester"}
    assert pat.post(URL, whole).status_code == 403
    stranger = issue_key(factories.feedback_type("Ideas", "IDEA"), scope_manage=True)
    problem(program(stranger).post(URL, sent(bugs, key="b")), 400, "invalid")
    lookup = RecordLookup.objects.get()
    problem(program(stranger).get(f"{URL}{lookup.pk}/"), 404, "not_found")


def test_the_same_key_of_an_api_call_makes_one(
    manager: APIClient, bugs: FeedbackType
) -> None:
    for _ in range(2):
        response = manager.post(URL, sent(bugs), headers={"Idempotency-Key": "one"})
        assert response.status_code == 201
    assert RecordLookup.objects.count() == 1
