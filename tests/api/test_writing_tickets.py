"""Tickets over the API: made, changed and deleted, one by one or many in one call."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from feedback.access.roles import Role
from feedback.models import Feedback, FeedbackType
from feedback.models import Tester as Person
from feedback.sources.tickets import MAX_TICKETS
from logs.models import AuditEntry, Cause, Run
from tests import factories
from tests.api.callers import issue_key, person, problem, program
from tests.api.test_anything import json_values, texts

TICKETS = "/api/v1/feedback/"
BATCH = f"{TICKETS}batch/"


@pytest.fixture
def writer(bugs: FeedbackType) -> APIClient:
    return program(issue_key(bugs, scope_write=True))


@pytest.fixture
def ada(bugs: FeedbackType) -> Person:
    return factories.tester(bugs, "ada@example.com")


def whole(of: FeedbackType) -> dict[str, Any]:
    """A body with every member."""
    return {
        "type": of.pk,
        "title": "It  breaks",
        "description": "Line one\nline two",
        "status": "closed",
        "visibility": "private",
        "submitter": "ADA@example.com",
        "form_values": {
            "severity": "major",
            "platform": ["iOS", "Android"],
            "reproducible": True,
            "impact": 1.5,
            "found_on": "2026-11-26",
        },
        "external_data": {"Jira key": "NW-1", "votes": 3},
    }


def pointers(response: Any) -> list[str]:
    errors = problem(response, 400, "invalid")["errors"]
    return [each["pointer"].removeprefix("#/") for each in errors]


def bring(caller: APIClient, *rows: Any, **options: Any) -> dict[str, Any]:
    response = caller.post(BATCH, {"tickets": rows, **options})
    assert response.status_code == 200, response.json()
    body: dict[str, Any] = response.json()
    return body


def post(caller: APIClient, url: str, body: Any) -> Any:
    """Also what is no JSON, such as NaN."""
    return caller.post(url, json.dumps(body), content_type="application/json")


def outcomes(body: dict[str, Any]) -> list[str]:
    return [each["outcome"] for each in body["results"]]


def test_a_ticket_is_made_with_all_that_it_has(
    bugs: FeedbackType, ada: Person, writer: APIClient
) -> None:
    response = writer.post(TICKETS, whole(bugs))
    assert response.status_code == 201, response.json()
    ticket = Feedback.objects.get()
    url = f"http://testserver{TICKETS}{ticket.pk}/"
    assert response["Location"] == url
    assert response.json() == writer.get(url).json()
    assert response["ETag"] == writer.get(url)["ETag"]
    assert (ticket.reference, ticket.title) == ("BUG-1", "It breaks")
    assert ticket.description == "Line one\nline two"
    assert ticket.status is not None and ticket.status.name == "Closed"
    assert (ticket.visibility, ticket.submitter) == ("private", ada)
    assert ticket.form_values == {
        "severity": "Major",
        "platform": ["iOS", "Android"],
        "reproducible": True,
        "impact": Decimal("1.5"),
        "found_on": "2026-11-26",
    }
    assert ticket.external_data == {"jira_key": "NW-1", "votes": 3}
    source = ticket.external_provenance["votes"]["source"]
    assert source.startswith("API key Nightly sync")
    entry = AuditEntry.objects.get(object_type="feedback.feedback")
    assert (entry.action, entry.actor_name) == ("created", "Nightly sync")


def test_a_change_leaves_what_is_not_given(
    bugs: FeedbackType, ada: Person, writer: APIClient
) -> None:
    pk = writer.post(TICKETS, whole(bugs)).json()["id"]
    body = {
        "status": bugs.statuses.get(name="New").pk,
        "submitter": None,
        "form_values": {"severity": None, "steps": "One"},
        "external_data": {"votes": None, "points": 1.25},
    }
    response = writer.patch(f"{TICKETS}{pk}/", body)
    assert response.status_code == 200, response.json()
    ticket = Feedback.objects.get()
    assert ticket.status is not None and ticket.status.name == "New"
    assert (ticket.title, ticket.submitter) == ("It breaks", None)
    assert "severity" not in ticket.form_values
    assert ticket.form_values["steps"] == "One"
    assert ticket.form_values["impact"] == Decimal("1.5")
    assert ticket.external_data == {"jira_key": "NW-1", "points": Decimal("1.25")}
    assert response.json()["external_data"]["points"] == 1.25
    before = Feedback.objects.values().get()
    assert writer.patch(f"{TICKETS}{pk}/", body).status_code == 200
    assert Feedback.objects.values().get() == before


def test_a_title_alone_makes_a_ticket_in_the_first_status(
    bugs: FeedbackType, writer: APIClient
) -> None:
    body = writer.post(TICKETS, {"type": bugs.pk, "title": "Slow"}).json()
    assert body["status"]["name"] == "New" and body["visibility"] == "public"
    nothing = {"status": None, "submitter": None, "description": None}
    again = {"type": bugs.pk, "title": "Slow", **nothing}
    assert writer.post(TICKETS, again).json()["status"]["name"] == "New"


def test_every_member_at_fault_is_named(bugs: FeedbackType, writer: APIClient) -> None:
    body = {
        "type": bugs.pk,
        "titel": "x",
        "title": 5,
        "description": "x" * 65_537,
        "status": "Nwe",
        "visibility": "secret",
        "submitter": "nobody@example.com",
        "form_values": {"severity": "Huge", "sevrity": 1, "reproducible": "perhaps"},
        "external_data": {"1": 2},
    }
    response = writer.post(TICKETS, body)
    assert pointers(response) == [
        *("titel", "title", "description", "status", "visibility", "submitter"),
        *("form_values/severity", "form_values/sevrity", "form_values/reproducible"),
        "external_data/1",
    ]
    by_pointer = {each["pointer"]: each["detail"] for each in response.json()["errors"]}
    assert by_pointer["#/status"].endswith("Did you mean 'New'?")
    assert by_pointer["#/form_values/sevrity"].endswith("Did you mean 'severity'?")
    assert not Feedback.objects.exists()


@pytest.mark.parametrize("kind", [None, "1", True, 0, -1, 2**63, 1.0, [], {}, 10**30])
def test_only_a_number_of_a_type_is_one(writer: APIClient, kind: Any) -> None:
    assert pointers(writer.post(TICKETS, {"type": kind, "title": "x"})) == ["type"]


def test_a_required_question_is_answered(bugs: FeedbackType, writer: APIClient) -> None:
    bugs.form_fields.filter(key="severity").update(required=True)
    body: dict[str, Any] = {"type": bugs.pk, "title": "x"}
    assert pointers(writer.post(TICKETS, body)) == ["form_values/severity"]
    for blank in (None, "", " "):
        body["form_values"] = {"severity": blank}
        assert pointers(writer.post(TICKETS, body)) == ["form_values/severity"]
    body["form_values"] = {"severity": "Minor"}
    pk = writer.post(TICKETS, body).json()["id"]
    taken = {"form_values": {"severity": None}}
    assert pointers(writer.patch(f"{TICKETS}{pk}/", taken)) == ["form_values/severity"]
    assert writer.patch(f"{TICKETS}{pk}/", {"title": "y"}).status_code == 200


def test_what_is_anothers_does_not_exist(
    bugs: FeedbackType, ada: Person, writer: APIClient
) -> None:
    theirs = factories.feedback_type("Ideas", "IDEA")
    them = factories.tester(theirs, "bob@example.com")
    ticket = factories.ticket(theirs)
    own = factories.ticket(bugs)
    status = theirs.statuses.first()
    assert status is not None
    for member, hidden, absent in (
        ("type", theirs.pk, 999_999),
        ("status", status.pk, 999_999),
        ("submitter", them.pk, 999_999),
        ("submitter", them.email, "eve@example.com"),
    ):
        sentences = []
        for value in (hidden, absent):
            body = {"type": bugs.pk, "title": "x", member: value}
            response = writer.post(TICKETS, body)
            assert pointers(response) == [member]
            sentences.append(
                response.json()["detail"].replace(str(value), "?"),
            )
        assert len({*sentences}) == 1
    assert writer.patch(f"{TICKETS}{ticket.pk}/", {"title": "x"}).status_code == 404
    body = bring(writer, {"id": ticket.pk}, {"id": 999_999}, {"id": own.pk})
    faults = [each["detail"] for row in body["results"] for each in row["errors"]]
    assert faults == [f"There is no ticket {pk}." for pk in (ticket.pk, 999_999)]
    assert outcomes(body) == ["refused", "refused", "unchanged"]
    assert Feedback.objects.filter(feedback_type=theirs).count() == 1


def test_a_key_of_one_project_does_not_reach_the_community(
    bugs: FeedbackType,
) -> None:
    key = issue_key(bugs, scope_write=True, project=bugs.project)
    caller = program(key)
    other = factories.feedback_type("Ideas", "IDEA")
    other.project.community = bugs.project.community
    other.project.name = "Another"
    other.project.save()
    near, far = (factories.tester(of, f"{of.prefix}@a.example") for of in (bugs, other))
    factories.ticket(bugs, submitter=near)
    factories.ticket(other, submitter=far)
    body = {"type": bugs.pk, "title": "x"}
    assert caller.post(TICKETS, {**body, "submitter": near.pk}).status_code == 201
    for named in (far.pk, far.email):
        response = caller.post(TICKETS, {**body, "submitter": named})
        assert pointers(response) == ["submitter"]
    assert pointers(caller.post(TICKETS, {**body, "type": other.pk})) == ["type"]


def test_who_may_write(bugs: FeedbackType, observer: APIClient) -> None:
    ticket = factories.ticket(bugs)
    url, body = f"{TICKETS}{ticket.pk}/", {"type": bugs.pk, "title": "x"}
    reader = program(issue_key(bugs))
    for caller, code in ((observer, "permission_denied"), (reader, "missing_scope")):
        problem(caller.post(TICKETS, body), 403, code)
        problem(caller.patch(url, {"title": "x"}), 403, code)
        problem(caller.post(BATCH, {"tickets": [body]}), 403, code)
        problem(caller.delete(url), 403, code)
    sam = person(factories.member(bugs, Role.SUPPORT))
    assert sam.post(TICKETS, body).status_code == 201
    problem(sam.delete(url), 403, "permission_denied")
    manager = program(issue_key(bugs, "Manager", scope_manage=True))
    assert manager.delete(url).status_code == 204
    assert not Feedback.objects.filter(pk=ticket.pk).exists()
    entry = AuditEntry.objects.filter(object_type="feedback.feedback").first()
    assert entry is not None and entry.action == "deleted"


def test_a_key_that_only_writes_makes_a_ticket(bugs: FeedbackType) -> None:
    caller = program(issue_key(bugs, scope_read=False, scope_write=True))
    made = caller.post(TICKETS, {"type": bugs.pk, "title": "x"})
    ticket = Feedback.objects.get()
    assert (made.status_code, made.json()) == (201, {"id": ticket.pk})
    assert ticket.title == "x" and made["Location"].endswith(f"/{ticket.pk}/")
    problem(caller.get(TICKETS), 403, "missing_scope")
    changed = caller.patch(f"{TICKETS}{ticket.pk}/", {"description": "y"})
    assert changed.json() == {"id": ticket.pk} and "ETag" not in changed
    stale = caller.patch(
        f"{TICKETS}{ticket.pk}/", {"title": "z"}, headers={"if-match": '"x"'}
    )
    details = problem(stale, 412, "precondition_failed")
    assert '"' not in details["errors"][0]["detail"]


def test_a_batch_makes_and_changes_and_says_what_became_of_each(
    bugs: FeedbackType, ada: Person, writer: APIClient
) -> None:
    old, same, third = factories.tickets(bugs, 3)
    new = {"type": bugs.pk, "title": "New one", "submitter": ada.pk}
    body = bring(
        writer,
        new,
        {"id": old.pk, "title": "Other"},
        {"id": same.pk, "title": same.title},
        {"type": bugs.pk},
        5,
        None,
        {"id": old.pk, "title": "Twice"},
        {"id": "x", "title": "y"},
        {"id": third.pk, "type": bugs.pk},
        {},
    )
    refused = ["refused"] * 7
    assert outcomes(body) == ["created", "updated", "unchanged", *refused]
    counts = {name: body[name] for name in ("created", "updated", "unchanged")}
    assert counts == dict.fromkeys(counts, 1) and body["refused"] == 7
    at = [[each["pointer"] for each in row["errors"]] for row in body["results"][3:]]
    assert at == [
        ["#/tickets/3/title"],
        ["#/tickets/4"],
        ["#/tickets/5"],
        ["#/tickets/6/id"],
        ["#/tickets/7/id"],
        ["#/tickets/8/type"],
        ["#/tickets/9/type"],
    ]
    made = Feedback.objects.get(title="New one")
    assert body["results"][0] == {
        "index": 0,
        "outcome": "created",
        "id": made.pk,
        "reference": made.reference,
        "errors": [],
    }
    assert made.submitter == ada
    assert Feedback.objects.get(pk=old.pk).title == "Other"
    assert Feedback.objects.count() == 4


def test_all_or_nothing_writes_nothing_with_a_row_at_fault(
    bugs: FeedbackType, writer: APIClient
) -> None:
    good, bad = {"type": bugs.pk, "title": "x"}, {"type": bugs.pk, "title": ""}
    body = {"tickets": [good, bad], "all_or_nothing": True}
    assert pointers(writer.post(BATCH, body)) == ["tickets/1/title"]
    assert not Feedback.objects.exists()
    assert FeedbackType.objects.get(pk=bugs.pk).last_number == 0
    assert outcomes(bring(writer, good, good, all_or_nothing=True)) == ["created"] * 2


def test_a_batch_is_one_change_and_starts_one_run(
    bugs: FeedbackType, writer: APIClient
) -> None:
    macro = factories.macro(bugs, "https://example.com/")
    factories.trigger(macro)
    bring(writer, *[{"type": bugs.pk, "title": f"No {n}"} for n in range(3)])
    run = Run.objects.get(cause=Cause.TRIGGER)
    assert run.deliveries.count() == 3


def test_a_batch_takes_the_same_queries_however_many_rows_it_has(
    bugs: FeedbackType, ada: Person, writer: APIClient
) -> None:
    def count(rows: list[Any]) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            bring(writer, *rows)
        return len(queries)

    new = {**whole(bugs), "submitter": ada.pk}
    few = [new, {"id": factories.ticket(bugs).pk, "title": "x"}]
    many = [{**new, "submitter": ada.email} for _ in range(20)]
    many += [{"id": each.pk, "title": "x"} for each in factories.tickets(bugs, 20)]
    count(few)
    assert count([new, {"id": factories.ticket(bugs).pk, "title": "x"}]) == count(many)


def test_the_same_key_writes_a_batch_once(
    bugs: FeedbackType, writer: APIClient
) -> None:
    body = {"tickets": [{"type": bugs.pk, "title": "x"}]}
    first, second = (
        writer.post(BATCH, body, headers={"Idempotency-Key": "one"}) for _ in range(2)
    )
    assert first.json() == second.json()
    assert Feedback.objects.count() == 1


def test_a_batch_has_a_size(bugs: FeedbackType, writer: APIClient) -> None:
    too_many = [{}] * (MAX_TICKETS + 1)
    assert pointers(writer.post(BATCH, {"tickets": too_many})) == ["tickets"]
    assert pointers(writer.post(BATCH, {"tickets": []})) == ["tickets"]
    assert pointers(writer.post(BATCH, {"tickets": {}})) == ["tickets"]
    wrong = {"tickets": [{}], "all_or_nothing": "no", "more": 1}
    assert pointers(writer.post(BATCH, wrong)) == ["more"]


def test_a_type_that_is_being_deleted_takes_nothing(
    bugs: FeedbackType, writer: APIClient
) -> None:
    for owner in (bugs, bugs.project, bugs.project.community):
        rows = type(owner).objects.filter(pk=owner.pk)
        rows.update(deleting_since=timezone.now())
        response = writer.post(TICKETS, {"type": bugs.pk, "title": "x"})
        assert pointers(response) == ["type"]
        rows.update(deleting_since=None)


def test_a_change_of_what_was_read_before_is_refused(
    bugs: FeedbackType, writer: APIClient
) -> None:
    url = f"{TICKETS}{factories.ticket(bugs).pk}/"
    tag = writer.get(url)["ETag"]
    match = {"If-Match": tag}
    assert writer.patch(url, {"title": "One"}, headers=match).status_code == 200
    response = writer.patch(url, {"title": "Two"}, headers=match)
    problem(response, 412, "precondition_failed")
    assert Feedback.objects.get().title == "One"


@pytest.mark.sweep
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_row_is_taken_or_refused_with_its_pointer(
    bugs: FeedbackType, writer: APIClient, data: st.DataObject
) -> None:
    anything = json_values | texts | st.just(bugs.pk)
    members = [
        *("id", "type", "title", "description", "status", "visibility"),
        *("submitter", "form_values", "external_data"),
    ]
    form_values = st.dictionaries(
        st.sampled_from(["severity", "impact", "page"]), anything
    )
    row = st.dictionaries(st.sampled_from(members) | texts, anything | form_values)
    fine = st.builds(lambda more: {"type": bugs.pk, "title": "x"} | more, row)
    rows = data.draw(st.lists(fine | row | json_values, min_size=1, max_size=3))
    response = post(writer, BATCH, {"tickets": rows})
    if response.status_code == 200:
        results = response.json()["results"]
        assert [each["index"] for each in results] == [*range(len(rows))]
        for each in results:
            assert (each["outcome"] == "refused") is bool(each["errors"])
            for fault in each["errors"]:
                assert fault["pointer"].startswith(f"#/tickets/{each['index']}")
    else:
        problem(response, 400, response.json()["code"])
    one = data.draw(fine | row)
    response = post(writer, TICKETS, one)
    if response.status_code != 201:
        problem(response, 400, response.json()["code"])
