"""Data packages through the management API."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from feedback.models import DataPackage, FeedbackType, Snapshot
from logs.models import AuditEntry
from tests import factories
from tests.api.callers import issue_key, problem, program

URL = "/api/v1/packages/"


@pytest.fixture
def manager(bugs: FeedbackType) -> APIClient:
    return program(issue_key(bugs, "Terraform", scope_manage=True))


def body_of(bugs: FeedbackType, **changes: Any) -> dict[str, Any]:
    columns = ["id", {"name": "external_score", "type": "number"}]
    given = {"name": "Open bugs", "key": "open-bugs", "columns": columns}
    return {**given, "type": bugs.pk, **changes}


def test_a_package_is_made_read_changed_and_deleted(
    bugs: FeedbackType, manager: APIClient
) -> None:
    response = manager.post(URL, body_of(bugs))
    assert response.status_code == 201, response.json()
    made = response.json()
    assert made["columns"] == [
        {"name": "id", "type": "integer"},
        {"name": "external_score", "type": "number"},
    ]
    assert made["rows"] == "tickets" and made["last_file"] is None
    assert made["urls"]["csv"].endswith(f"/data/{made['community']}/open-bugs.csv")
    url = f"{URL}{made['id']}/"
    assert manager.get(url).json() == made
    changed = manager.patch(url, {"columns": ["title"], "refresh_every": 60})
    assert changed.status_code == 200, changed.json()
    assert changed.json()["columns"] == [{"name": "title", "type": "text"}]
    assert changed.json()["last_file"]["state"] == "waiting"
    assert manager.delete(url).status_code == 204
    assert not DataPackage.objects.exists()
    entries = AuditEntry.objects.filter(object_type="feedback.datapackage")
    actions = entries.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["created", "changed", "deleted"]


@pytest.mark.parametrize(
    ("changes", "member"),
    [
        ({"columns": ["titel"]}, "#/columns"),
        ({"columns": "id"}, "#/columns"),
        ({"columns": [[[]]]}, "#/columns"),
        ({"columns": None}, "#/columns"),
        ({"rows": "macros"}, "#/rows"),
        ({"type": 10**9}, "#/type"),
        ({"filter": 10**9}, "#/filter"),
        ({"key": "Open Bugs"}, "#/key"),
        ({"format": "parquet"}, "#/format"),
        ({"refresh_every": 7}, "#/refresh_every"),
        ({"guards_formulas": "yes"}, "#/guards_formulas"),
        ({"titel": 1}, "#/titel"),
        ({"urls": {}}, "#/urls"),
        ({"community": 1, "project": 1}, "#"),
    ],
    ids=repr,
)
def test_what_is_wrong_is_named(
    bugs: FeedbackType, manager: APIClient, changes: dict[str, Any], member: str
) -> None:
    given = body_of(bugs, **changes)
    if "project" in changes:
        given |= {"community": bugs.project.community_id, "project": bugs.project_id}
    refusal = problem(manager.post(URL, given), 400, "invalid")
    assert refusal["errors"][0]["pointer"] == member
    assert not DataPackage.objects.exists()


def test_an_owner_stays(bugs: FeedbackType, manager: APIClient) -> None:
    package = factories.package(bugs)
    refusal = problem(
        manager.patch(f"{URL}{package.pk}/", {"rows": "testers"}), 400, "invalid"
    )
    assert refusal["errors"][0]["pointer"] == "#/rows"


def test_a_key_that_only_reads_makes_none(
    bugs: FeedbackType, caller: APIClient, stranger: APIClient
) -> None:
    package = factories.package(bugs)
    assert caller.get(f"{URL}{package.pk}/").status_code == 200
    problem(caller.post(URL, body_of(bugs)), 403, "missing_scope")
    problem(stranger.get(f"{URL}{package.pk}/"), 404, "not_found")
    assert stranger.get(URL).json()["results"] == []


def test_a_stored_package_is_made_on_request(
    bugs: FeedbackType, manager: APIClient
) -> None:
    live = factories.package(bugs)
    url = f"{URL}{live.pk}/refresh/"
    problem(manager.post(url), 409, "package_is_live")
    stored = factories.package(bugs, refresh_every=60)
    response = manager.post(f"{URL}{stored.pk}/refresh/")
    assert response.status_code == 202
    assert response.json()["last_file"]["state"] == "waiting"
    assert Snapshot.objects.count() == 1
    manager.post(f"{URL}{stored.pk}/refresh/")
    assert Snapshot.objects.count() == 1


def test_the_columns_that_there_could_be_are_listed(
    bugs: FeedbackType, manager: APIClient
) -> None:
    package = factories.package(bugs)
    columns = manager.get(f"{URL}{package.pk}/columns/").json()["columns"]
    impact = [each for each in columns if each["name"] == "field_impact"]
    assert impact == [
        {"name": "field_impact", "type": "number", "label": "Impact", "group": "Form"}
    ]


def test_a_filter_that_a_package_needs_is_kept(
    bugs: FeedbackType, caller: APIClient
) -> None:
    saved = factories.saved_filter(bugs)
    factories.package(bugs, filter=saved, name="Weekly")
    writer = program(issue_key(bugs, "Writes", scope_write=True))
    refusal = writer.delete(f"/api/v1/filters/{saved.pk}/")
    assert "Data package Weekly" in problem(refusal, 409, "in_use")["detail"]
