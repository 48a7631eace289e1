"""Saved filters over the API: made, tried out, changed, and run by."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from feedback.access.roles import Role
from feedback.models import Feedback, FeedbackType, Filter
from logs.models import AuditEntry, Run
from tests import factories
from tests.api.callers import issue_key, person, problem, program

FILTERS = "/api/v1/filters/"
CRASH = {"field": "title", "qualifier": "contains", "value": "crash"}
CRASHES = {"match": "all", "conditions": [CRASH]}


@pytest.fixture
def writer(bugs: FeedbackType) -> APIClient:
    return program(issue_key(bugs, scope_write=True))


@pytest.fixture
def crashes(bugs: FeedbackType) -> Filter:
    factories.tickets(bugs, 2, title="A crash")
    factories.ticket(bugs, title="Slow")
    return factories.saved_filter(bugs, CRASH, name="Crashes")


def faults(response: Any) -> dict[str, str]:
    errors = problem(response, 400, "invalid")["errors"]
    members = ("pointer", "parameter")  # The one that each has.
    return {
        next(each[name] for name in members if name in each): each["detail"]
        for each in errors
    }


def test_a_filter_is_saved_read_changed_and_deleted(
    bugs: FeedbackType, writer: APIClient
) -> None:
    body = {"name": "Crashes", "type": bugs.pk, "conditions": CRASHES}
    made = writer.post(FILTERS, body, format="json")
    assert made.status_code == 201, made.json()
    row = Filter.objects.get()
    assert (row.owner, row.conditions) == (bugs, CRASHES)
    body = made.json()
    assert body == {
        "id": row.pk,
        "name": "Crashes",
        "description": "",
        "subject_kind": "feedback",
        "type": bugs.pk,
        "project": bugs.project_id,
        "community": bugs.project.community_id,
        "conditions": CRASHES,
        "used_by": [],
        "created_at": body["created_at"],
        "modified_at": body["modified_at"],
        "words": "Title contains crash",
        "problems": [],
    }
    url = f"{FILTERS}{row.pk}/"
    assert writer.get(url).json() == body
    [short] = writer.get(FILTERS, {"type": bugs.pk, "name": "crashes"}).json()[
        "results"
    ]
    long = ("used_by", "words", "problems")
    assert short == {name: body[name] for name in body if name not in long}
    changed = writer.patch(url, {"name": "Falls", "conditions": {}}, format="json")
    assert changed.status_code == 200, changed.json()
    assert changed.json()["name"] == "Falls"
    assert writer.delete(url).status_code == 204
    actions = AuditEntry.objects.filter(object_type="feedback.filter")
    assert list(actions.order_by("pk").values_list("action", flat=True)) == [
        "created",
        "changed",
        "deleted",
    ]


def test_what_is_wrong_is_named_by_its_member(
    bugs: FeedbackType, writer: APIClient
) -> None:
    conditions = {
        "match": "any",
        "conditions": [
            {"field": "titel", "qualifier": "is", "value": "x"},
            {"match": "all", "conditions": [{"field": "title", "qualifier": "odd"}]},
            {"field": "field_impact", "qualifier": "is", "value": "many"},
        ],
    }
    body = {"name": "Odd", "type": bugs.pk, "conditions": conditions}
    errors = faults(writer.post(FILTERS, body, format="json"))
    assert list(errors) == [
        "#/conditions/conditions/0/field",
        "#/conditions/conditions/1/conditions/0/qualifier",
        "#/conditions/conditions/2/value",
    ]
    assert "Did you mean 'title'?" in errors["#/conditions/conditions/0/field"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"conditions": [CRASH]}, "#/conditions"),
        ({"conditions": "x"}, "#/conditions"),
        ({"name": ""}, "#/name"),
        ({"nmae": "x"}, "#/nmae"),
        ({"type": 999_999}, "#/type"),
        ({"type": None}, "#"),
        ({"subject_kind": "tester"}, "#/subject_kind"),
        ({"subject_kind": "robot"}, "#/subject_kind"),
    ],
)
def test_a_body_that_does_not_fit_is_refused(
    bugs: FeedbackType, change: dict[str, Any], pointer: str
) -> None:
    # A person, whose community is not known beforehand.
    paul = person(factories.member(bugs, Role.PROJECT_MANAGER))
    body = {"name": "Odd", "type": bugs.pk, "conditions": CRASHES, **change}
    response = paul.post(FILTERS, body, format="json")
    assert pointer in faults(response), response.json()
    assert not Filter.objects.exists()


def test_the_name_of_another_is_refused(
    bugs: FeedbackType, writer: APIClient, crashes: Filter
) -> None:
    body = {"name": "crashes", "type": bugs.pk}
    assert list(faults(writer.post(FILTERS, body, format="json"))) == ["#"]


def test_what_others_own_is_not_there(
    bugs: FeedbackType, writer: APIClient, stranger: APIClient, crashes: Filter
) -> None:
    assert stranger.get(f"{FILTERS}{crashes.pk}/").status_code == 404
    assert stranger.get(FILTERS).json()["results"] == []
    ideas = factories.feedback_type("Idea", "IDEA")
    for member, row in (("type", ideas), ("project", ideas.project)):
        body = {"name": "Spy", member: row.pk, "conditions": {}}
        response = writer.post(FILTERS, body, format="json")
        assert list(faults(response)) == [f"#/{member}"]
    lost = {"field": "status", "qualifier": "is", "value": ideas.statuses.first().pk}  # type: ignore[union-attr]
    body = {"name": "Spy", "type": bugs.pk, "conditions": {"conditions": [lost]}}
    response = writer.post(FILTERS, body, format="json")
    assert "There is no status" in str(faults(response))


def test_a_key_without_the_scope_reads_only(
    bugs: FeedbackType, caller: APIClient, crashes: Filter
) -> None:
    assert caller.get(f"{FILTERS}{crashes.pk}/").status_code == 200
    body = {"name": "Mine", "type": bugs.pk}
    assert problem(caller.post(FILTERS, body), 403, "missing_scope")
    assert problem(caller.patch(f"{FILTERS}{crashes.pk}/", {}), 403, "missing_scope")
    assert problem(caller.delete(f"{FILTERS}{crashes.pk}/"), 403, "missing_scope")


def test_what_a_filter_belongs_to_stays(writer: APIClient, crashes: Filter) -> None:
    url = f"{FILTERS}{crashes.pk}/"
    for member in ("type", "project", "community"):
        assert list(faults(writer.patch(url, {member: 1}, format="json"))) == [
            f"#/{member}"
        ]


def test_of_a_project_and_of_the_keys_community(
    bugs: FeedbackType, writer: APIClient
) -> None:
    of_project = {"name": "All here", "project": bugs.project_id}
    assert writer.post(FILTERS, of_project).json()["subject_kind"] == "feedback"
    people = {**of_project, "subject_kind": "tester"}
    assert writer.post(FILTERS, people).json()["subject_kind"] == "tester"
    whole = writer.post(FILTERS, {"name": "Everybody"}).json()
    assert (whole["community"], whole["project"]) == (bugs.project.community_id, None)
    assert whole["subject_kind"] == "tester"


def test_what_uses_it_keeps_it(
    bugs: FeedbackType, writer: APIClient, crashes: Filter
) -> None:
    macro = factories.macro(bugs, "https://example.com/", name="Slack")
    factories.trigger(macro, name="At once", filter=crashes)
    url = f"{FILTERS}{crashes.pk}/"
    assert writer.get(url).json()["used_by"] == ["Trigger At once of Slack"]
    body = problem(writer.delete(url), 409, "in_use")
    assert "Trigger At once of Slack" in body["detail"]


def test_how_many_match_is_told_before_and_after_it_is_saved(
    bugs: FeedbackType, caller: APIClient, crashes: Filter
) -> None:
    body = caller.get(f"{FILTERS}{crashes.pk}/preview/").json()
    assert body == {
        "count": 2,
        "is_more": False,
        "words": "Title contains crash",
        "first": [each.pk for each in Feedback.objects.order_by("-pk")[1:]],
    }
    slow = {"conditions": [{**CRASH, "value": "slow"}]}
    body = {"type": bugs.pk, "conditions": slow}
    assert caller.post(f"{FILTERS}preview/", body, format="json").json()["count"] == 1
    assert Filter.objects.count() == 1


def test_the_fields_are_listed_with_what_they_take(
    bugs: FeedbackType, caller: APIClient
) -> None:
    response = caller.post(f"{FILTERS}fields/", {"type": bugs.pk})
    fields = {each["name"]: each for each in response.json()["fields"]}
    assert {"name": "between", "label": "is between", "takes": "two"} in fields[
        "field_impact"
    ]["qualifiers"]
    assert [each["value"] for each in fields["field_severity"]["values"]] == [
        "Minor",
        "Major",
        "Critical",
    ]
    people = caller.post(f"{FILTERS}fields/").json()["fields"]
    assert "first_name" in {each["name"] for each in people}
    refused = caller.post(f"{FILTERS}fields/", {"type": 9999})
    assert list(faults(refused)) == ["#/type"]


def break_it(row: Filter) -> None:
    lost = {"field": "field_gone", "qualifier": "is", "value": "x"}
    Filter.objects.filter(pk=row.pk).update(conditions={"conditions": [lost]})


def test_a_broken_filter_says_so(caller: APIClient, crashes: Filter) -> None:
    break_it(crashes)
    body = caller.get(f"{FILTERS}{crashes.pk}/").json()
    assert [each["path"] for each in body["problems"]] == ["conditions[0].field"]
    preview = caller.get(f"{FILTERS}{crashes.pk}/preview/")
    assert "no field" in problem(preview, 409, "filter_broken")["detail"]
    listed = caller.get("/api/v1/feedback/", {"filter": "Crashes"})
    assert "has lost a part" in faults(listed)["filter"]


# Perform Action


def run_of(response: Any) -> Run:
    assert response.status_code == 201, response.json()
    return Run.objects.get(pk=response.json()["id"])


def test_a_macro_runs_on_what_a_saved_filter_selects(
    bugs: FeedbackType, caller: APIClient, crashes: Filter
) -> None:
    macro = factories.macro(bugs, "https://example.com/")
    runs = f"/api/v1/macros/{macro.pk}/runs/"
    bodies: list[Any] = [
        {"saved_filter": crashes.pk},
        {"saved_filter": "crashes"},
        {"filter": {"filter": "Crashes", "open": True}},
    ]
    for body in bodies:
        run = run_of(caller.post(runs, body, format="json"))
        assert run.deliveries.count() == 2
        assert run.selection.startswith("Filter: Crashes")
    refused = {"saved_filter": "Crash"}
    assert list(faults(caller.post(runs, refused, format="json"))) == ["#/saved_filter"]
    for odd in ({"saved_filter": []}, {"saved_filter": True}, {"saved_filter": " "}):
        assert list(faults(caller.post(runs, odd, format="json"))) == ["#/saved_filter"]
    both = {"saved_filter": crashes.pk, "ids": [1]}
    assert list(faults(caller.post(runs, both, format="json"))) == ["#"]
    break_it(crashes)
    response = caller.post(runs, {"saved_filter": crashes.pk}, format="json")
    assert "has lost a part" in faults(response)["#/saved_filter"]
    assert Run.objects.count() == 3


def test_a_macro_takes_no_filter_that_does_not_fit(
    bugs: FeedbackType, caller: APIClient
) -> None:
    community = bugs.project.community
    next_project = community.projects.create(name="Watch")
    macro = factories.macro(bugs.project, "https://example.com/")
    factories.ticket(bugs, submitter=factories.tester(bugs))
    runs = f"/api/v1/macros/{macro.pk}/runs/"
    fitting = [
        factories.saved_filter(bugs.project, name="Here"),
        factories.saved_filter(community, name="Everybody"),
    ]
    others = [
        factories.saved_filter(next_project, name="There"),
        factories.saved_filter(bugs, name="Tickets"),
        factories.saved_filter(factories.feedback_type().project.community, name="Far"),
    ]
    for row in fitting:
        run_of(caller.post(runs, {"saved_filter": row.pk}, format="json"))
    for row in others:
        response = caller.post(runs, {"saved_filter": row.pk}, format="json")
        assert faults(response)["#/saved_filter"] == f"There is no filter '{row.pk}'."
