"""Communities, projects and feedback types through the API, and their parts."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from jsonschema import Draft202012Validator
from rest_framework.test import APIClient

from feedback.access.roles import Role
from feedback.models import Community, FeedbackType, Project, Status
from logs.models import AuditEntry
from tests import factories
from tests.api.callers import issue_key, person, problem, program
from tests.api.test_filters import faults

PROJECTS, TYPES = "/api/v1/projects/", "/api/v1/types/"
COMMUNITIES = "/api/v1/communities/"
TICKETS = "/api/v1/feedback/"


@pytest.fixture
def manager(bugs: FeedbackType) -> APIClient:
    return program(issue_key(bugs, scope_manage=True, scope_write=True))


def delete(caller: APIClient, url: str) -> Any:
    return caller.delete(url, headers={"If-Match": caller.get(url)["ETag"]})


def audited(label: str) -> list[str]:
    entries = AuditEntry.objects.filter(object_type=label).order_by("pk")
    return list(entries.values_list("action", flat=True))


def test_a_project_is_made_read_changed_and_deleted(
    bugs: FeedbackType, manager: APIClient
) -> None:
    made = manager.post(PROJECTS, {"name": "Watch", "time_zone": "Europe/Berlin"})
    assert made.status_code == 201, made.json()
    row = Project.objects.get(name="Watch")
    url = f"{PROJECTS}{row.pk}/"
    assert made["Location"].endswith(url)
    assert made.json() == {
        "id": row.pk,
        "community": bugs.project.community_id,
        "name": "Watch",
        "description": "",
        "is_template": False,
        "time_zone": "Europe/Berlin",
        "created_at": made.json()["created_at"],
        "deleting_since": None,
    }
    assert manager.get(url).json() == made.json()
    assert manager.patch(url, {"is_template": True}).json()["is_template"] is True
    problem(manager.delete(url), 428, "precondition_required")
    assert delete(manager, url).status_code == 204
    assert audited("feedback.project") == ["created", "changed", "deleted"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": ""}, "#/name"),
        ({"name": 5}, "#/name"),
        ({"name": "x" * 101}, "#/name"),
        ({"name": "Phone Beta"}, "#"),
        ({"name": "A", "time_zone": "Mars/Base"}, "#/time_zone"),
        ({"name": "A", "is_template": "yes"}, "#/is_template"),
        ({"name": "A", "nmae": "B"}, "#/nmae"),
        ({"name": "A", "id": 5}, "#/id"),
        ({"name": "A", "created_at": "2026-01-01"}, "#/created_at"),
        ({"name": "A", "community": 999_999}, "#/community"),
        ({"name": "A", "community": True}, "#/community"),
        ({"name": "A", "community": "1"}, "#/community"),
        ({}, "#/name"),
    ],
)
def test_what_is_wrong_with_a_project_is_named(
    manager: APIClient, body: dict[str, Any], pointer: str
) -> None:
    assert list(faults(manager.post(PROJECTS, body))) == [pointer]
    assert Project.objects.count() == 1


def test_what_a_person_must_say_and_may(bugs: FeedbackType, support: APIClient) -> None:
    problem(support.post(PROJECTS, {"name": "A"}), 403, "permission_denied")
    boss = person(factories.member(bugs, Role.COMMUNITY_MANAGER))
    assert list(faults(boss.post(PROJECTS, {"name": "A"}))) == ["#/community"]
    own = bugs.project.community_id
    assert boss.post(PROJECTS, {"name": "A", "community": own}).status_code == 201
    theirs = factories.feedback_type("Ideas", "IDEA").project.community_id
    for hidden in (theirs, 999_999):
        refusal = boss.post(PROJECTS, {"name": "B", "community": hidden})
        assert faults(refusal) == {"#/community": f"There is no community {hidden}."}
    url = f"{PROJECTS}{bugs.project_id}/"
    moved = boss.patch(url, {"community": own})
    assert faults(moved) == {"#/community": "A project stays in its community."}


def test_a_key_of_one_project_makes_none(bugs: FeedbackType) -> None:
    caller = program(issue_key(bugs, scope_manage=True, project=bugs.project))
    problem(caller.post(PROJECTS, {"name": "A"}), 403, "permission_denied")
    assert Project.objects.count() == 1
    url = f"{PROJECTS}{bugs.project_id}/"
    assert caller.patch(url, {"name": "Renamed"}).status_code == 200


def test_a_community_is_changed_and_only_a_superuser_makes_one(
    bugs: FeedbackType, manager: APIClient
) -> None:
    url = f"{COMMUNITIES}{bugs.project.community_id}/"
    changed = manager.patch(url, {"alert_emails": "ops@example.com"})
    assert changed.json()["alert_emails"] == "ops@example.com"
    assert list(faults(manager.patch(url, {"alert_emails": "ops"}))) == [
        "#/alert_emails"
    ]
    problem(manager.post(COMMUNITIES, {"name": "New"}), 403, "permission_denied")
    problem(delete(manager, url), 403, "permission_denied")
    above = person(factories.superuser())
    made = above.post(COMMUNITIES, {"name": "New"})
    assert made.status_code == 201, made.json()
    assert delete(above, f"{COMMUNITIES}{made.json()['id']}/").status_code == 204


def test_what_is_being_deleted_is_said_and_not_deleted_twice(
    bugs: FeedbackType, manager: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.tickets(bugs, 3)
    monkeypatch.setattr("feedback.changes.deletion.AT_ONCE", 2)
    url = f"{TYPES}{bugs.pk}/"
    assert delete(manager, url).status_code == 202
    assert manager.get(url).json()["deleting_since"]
    problem(delete(manager, url), 409, "in_use")


def test_a_type_is_made_with_its_statuses_and_questions(
    bugs: FeedbackType, manager: APIClient
) -> None:
    body = {
        "project": bugs.project_id,
        "name": "Idea",
        "prefix": "IDEA",
        "statuses": [
            {"name": "Open", "colour": "blue"},
            {"name": "Done", "is_open": False},
        ],
        "questions": [
            {
                "label": "How good",
                "kind": "choice",
                "choices": ["Good", "Better"],
                "required": True,
            },
            {"label": "Link", "kind": "url", "key": "page"},
        ],
    }
    made = manager.post(TYPES, body)
    assert made.status_code == 201, made.json()
    row = made.json()
    parts = [(each["name"], each["is_open"]) for each in row["statuses"]]
    assert parts == [("Open", True), ("Done", False)]
    assert row["questions"][0] == {
        "id": row["questions"][0]["id"],
        "key": "how_good",
        "label": "How good",
        "kind": "choice",
        "required": True,
        "choices": ["Good", "Better"],
        "help_text": "",
        "in_list": False,
    }
    ticket = {"type": row["id"], "title": "x", "form_values": {"how_good": "good"}}
    assert manager.post(TICKETS, ticket).json()["status"]["name"] == "Open"
    entry = AuditEntry.objects.get(object_type="feedback.feedbacktype")
    assert entry.changes["status Open"] == ["", "added"]


def test_a_type_that_says_nothing_of_statuses_has_the_usual_ones(
    bugs: FeedbackType, manager: APIClient
) -> None:
    body = {"project": bugs.project_id, "name": "Idea", "prefix": "IDEA"}
    names = [each["name"] for each in manager.post(TYPES, body).json()["statuses"]]
    assert names == ["New", "In progress", "Closed"]
    none = {**body, "name": "B", "prefix": "B", "statuses": []}
    assert list(faults(manager.post(TYPES, none))) == ["#/statuses"]
    assert not FeedbackType.objects.filter(name="B").exists()


def test_a_list_that_is_given_is_the_whole_list(
    bugs: FeedbackType, manager: APIClient
) -> None:
    url = f"{TYPES}{bugs.pk}/"
    new, closed = bugs.statuses.all()
    body = {
        "statuses": [
            {"name": "Old", "id": closed.pk},
            {"name": "Added"},
            {"name": "New", "colour": "red"},
        ],
        "questions": [{"label": "Seriousness", "key": "severity"}],
    }
    changed = manager.patch(url, body)
    assert changed.status_code == 200, changed.json()
    pks = [each["id"] for each in changed.json()["statuses"]]
    assert (pks[0], pks[2]) == (closed.pk, new.pk)
    assert [each.name for each in bugs.statuses.all()] == ["Old", "Added", "New"]
    [question] = changed.json()["questions"]
    # What is not given of a question stays, such as its kind.
    assert (question["label"], question["kind"]) == ("Seriousness", "choice")
    assert question["choices"] == ["Minor", "Major", "Critical"]
    again = manager.get(url).json()
    lists = {name: again[name] for name in ("statuses", "questions")}
    assert manager.patch(url, lists).json() == again


def test_what_tickets_or_macros_need_is_not_removed(
    bugs: FeedbackType, manager: APIClient
) -> None:
    url = f"{TYPES}{bugs.pk}/"
    factories.ticket(bugs)
    only_closed = {"statuses": [{"name": "Closed"}]}
    refusal = problem(manager.patch(url, only_closed), 409, "in_use")
    assert "is used by 1 ticket" in refusal["detail"]
    severe = {"field": "field_severity", "qualifier": "is", "value": "Major"}
    factories.saved_filter(bugs, severe, name="Severe")
    fewer = [{"key": "severity", "label": "Severity", "choices": ["Minor"]}]
    for questions in ([], fewer):
        body = {"questions": questions}
        refusal = problem(manager.patch(url, body), 409, "in_use")
        assert "Filter Severe" in refusal["detail"]
        assert bugs.form_fields.count() == 8
    meant = {"questions": fewer, "remove_used": True}
    assert manager.patch(url, meant).status_code == 200
    assert bugs.form_fields.count() == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"statuses": {}}, "#/statuses"),
        ({"statuses": [5]}, "#/statuses/0"),
        ({"statuses": [{"name": "New"}, {"name": ""}]}, "#/statuses/1/name"),
        ({"statuses": [{"name": "A", "x": 1}]}, "#/statuses/0/x"),
        ({"statuses": [{"name": "A", "id": 999}]}, "#/statuses/0/id"),
        ({"statuses": [{"name": "New"}, {"name": "new"}]}, "#/statuses/1/id"),
        ({"statuses": [{"name": "A", "colour": "puce"}]}, "#/statuses/0/colour"),
        ({"statuses": [{"name": "A", "is_open": 1}]}, "#/statuses/0/is_open"),
        ({"questions": [{"label": "A", "kind": "x"}]}, "#/questions/0/kind"),
        ({"questions": [{"label": "A", "kind": "choice"}]}, "#/questions/0/choices"),
        ({"questions": [{"label": "A", "choices": "x"}]}, "#/questions/0/choices"),
        ({"questions": [{"label": "A", "choices": ["a\nb"]}]}, "#/questions/0/choices"),
        ({"questions": [{"label": "A", "key": "A b"}]}, "#/questions/0/key"),
        ({"questions": [{"label": "A"}, {"label": "a", "key": "b"}]}, "#/questions/1"),
        ({"prefix": "bug"}, "#/prefix"),
        ({"project": 1}, "#/project"),
        ({"last_number": 5}, "#/last_number"),
    ],
)
def test_what_is_wrong_with_a_type_is_named_and_nothing_is_written(
    bugs: FeedbackType, manager: APIClient, body: dict[str, Any], pointer: str
) -> None:
    before = [*Status.objects.values()], [*bugs.form_fields.values()]
    named = list(faults(manager.patch(f"{TYPES}{bugs.pk}/", body)))
    assert [each[: len(pointer)] for each in named] == [pointer]
    assert ([*Status.objects.values()], [*bugs.form_fields.values()]) == before


def test_another_s_status_is_not_taken_over(
    bugs: FeedbackType, manager: APIClient
) -> None:
    theirs = factories.feedback_type("Ideas", "IDEA").statuses.first()
    assert theirs is not None
    body = {"statuses": [{"id": theirs.pk, "name": "Mine"}]}
    refusal = faults(manager.patch(f"{TYPES}{bugs.pk}/", body))
    assert refusal == {"#/statuses/0/id": f"The type has no such row {theirs.pk}."}


def test_the_form_is_a_json_schema_that_says_what_a_ticket_takes(
    bugs: FeedbackType, manager: APIClient
) -> None:
    bugs.form_fields.filter(key__in=["severity", "reproducible"]).update(required=True)
    schema = manager.get(f"{TYPES}{bugs.pk}/schema/").json()
    Draft202012Validator.check_schema(schema)
    rules = Draft202012Validator(schema)
    form = schema["properties"]["form_values"]["properties"]
    values_by_key = {key: each["examples"][0] for key, each in form.items()}
    body = {
        "type": bugs.pk,
        "title": "x",
        "status": "New",
        "form_values": values_by_key,
    }
    for values, is_taken in (
        ({}, True),
        ({"impact": None}, True),
        ({"impact": "much"}, False),
        ({"severity": "Huge"}, False),
        ({"severity": None}, False),
        ({"reproducible": False}, False),
        ({"platform": ["iOS", "iOS 2"]}, False),
        ({"found_on": 5}, False),
        ({"unknown": 5}, False),
    ):
        sent = {**body, "form_values": {**values_by_key, **values}}
        assert rules.is_valid(sent) is is_taken, values
        expected = 201 if is_taken else 400
        assert manager.post(TICKETS, sent).status_code == expected, values


def test_nothing_is_added_to_what_is_being_deleted(
    bugs: FeedbackType, manager: APIClient
) -> None:
    Community.objects.update(deleting_since=timezone.now())
    body = {"project": bugs.project_id, "name": "Idea", "prefix": "IDEA"}
    assert list(faults(manager.post(TYPES, body))) == ["#/project"]
