"""A lookup answers with the chosen fields of the one record that is named."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from feedback.access.roles import Role
from feedback.models import Feedback, FeedbackType, Project, RecordLookup
from tests import factories
from tests.api.callers import person, problem

VALUES = {
    "severity": "Critical",
    "platform": ["iOS", "Grün"],
    "reproducible": False,
    "impact": Decimal("2.50"),
    "found_on": "2026-11-26",
    "app_version": "007",
}
COLUMNS = (
    *("reference", "title", "description", "open", "created", "submitter_email"),
    *(f"field_{key}" for key in (*VALUES, "steps")),
    "external_jira_key",
)


def url_of(lookup: RecordLookup, value: object = None, form: str = "") -> str:
    asked = [f"{lookup.parameter}={value}"] if value is not None else []
    asked += [f"format={form}"] if form else []
    return f"/lookups/{lookup.community_id}/{lookup.key}/?{'&'.join(asked)}"


@pytest.fixture
def ticket(bugs: FeedbackType) -> Feedback:
    made = factories.ticket(
        bugs,
        title='=1+1, "quoted"',
        description="One\nTwo \U0001f600",
        form_values=VALUES,
        external_data={"jira_key": "NW-41"},
        submitter=factories.tester(bugs, "ada@example.com"),
    )
    moment = datetime(2026, 11, 26, 9, 30, 0, 5, tzinfo=UTC)
    Feedback.objects.filter(pk=made.pk).update(created_at=moment)
    return made


def test_json_has_each_value_by_its_type(
    caller: APIClient, bugs: FeedbackType, ticket: Feedback
) -> None:
    lookup = factories.lookup(bugs, *COLUMNS)
    response = caller.get(url_of(lookup, ticket.reference))
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store, private"
    assert '"field_impact":2.5' in response.content.decode()
    assert response.json() == {
        "reference": "BUG-1",
        "title": '=1+1, "quoted"',
        "description": "One\nTwo \U0001f600",
        "open": True,
        "created": "2026-11-26T09:30:00.000005Z",
        "submitter_email": "ada@example.com",
        **{f"field_{key}": value for key, value in VALUES.items()},
        "field_impact": 2.5,
        "field_steps": None,
        "external_jira_key": "NW-41",
    }


def test_csv_is_a_header_and_a_row_that_no_spreadsheet_calculates(
    caller: APIClient, bugs: FeedbackType, ticket: Feedback
) -> None:
    lookup = factories.lookup(bugs, *COLUMNS)
    response = caller.get(url_of(lookup, "bug-1", "csv"))
    assert response["Content-Type"].startswith("text/csv; charset=utf-8")
    [header, row] = csv.reader(io.StringIO(response.content.decode(), newline=""))
    assert tuple(header) == COLUMNS
    assert row == [
        *("BUG-1", '\'=1+1, "quoted"', "One\nTwo \U0001f600", "true"),
        *("2026-11-26T09:30:00.000005Z", "ada@example.com"),
        *("Critical", '["iOS", "Grün"]', "false", "2.5", "2026-11-26", "007", ""),
        "NW-41",
    ]


WAYS: list[tuple[str, dict[str, Any], str]] = [
    ("feedback", {"found_by": "id"}, "ticket"),
    ("feedback", {"found_by": "reference"}, "reference"),
    ("feedback", {"found_by": "external", "external_name": "jira_key"}, "NW-41"),
    ("tester", {"found_by": "id"}, "tester"),
    ("tester", {"found_by": "email"}, "ADA@Example.com"),
    ("tester", {"found_by": "external", "external_name": "crm"}, "77"),
    ("project", {"found_by": "id"}, "project"),
    ("project", {"found_by": "name"}, "phone beta"),
]


@pytest.mark.parametrize("owner", ["type", "project", "community"])
@pytest.mark.parametrize(("kind", "way", "value"), WAYS)
def test_each_owner_is_looked_into_in_each_way(
    caller: APIClient,
    bugs: FeedbackType,
    ticket: Feedback,
    owner: str,
    kind: str,
    way: dict[str, Any],
    value: str,
) -> None:
    possible = {"feedback": 3, "tester": 2, "project": 1}[kind]
    owners = [bugs.project.community, bugs.project, bugs]
    of = owners[["community", "project", "type"].index(owner)]
    if owners.index(of) >= possible:
        return
    tester = ticket.submitter
    assert tester is not None
    tester.external_data = {"crm": 77}
    tester.save()
    rows = {"ticket": ticket.pk, "tester": tester.pk, "project": bugs.project_id}
    named = {"reference": ticket.reference, **rows}.get(value, value)
    expected = rows[{"feedback": "ticket"}.get(kind, kind)]
    lookup = factories.lookup(of, "id", subject_kind=kind, **way)
    response = caller.get(url_of(lookup, named))
    assert response.json() == {"id": expected}
    nobody = caller.get(url_of(lookup, "987654" if way["found_by"] == "id" else "zz"))
    assert problem(nobody, 404, "record_not_found")["detail"].startswith("There is no ")


def test_what_is_beside_the_owner_is_not_found(
    caller: APIClient, bugs: FeedbackType, ticket: Feedback
) -> None:
    community = bugs.project.community
    project = Project.objects.create(community=community, name="Watch Beta")
    other = project.feedback_types.create(name="Bug Report", prefix="BUG")
    for of, kind, by, value in (
        (other, "feedback", "reference", ticket.reference),
        (project, "feedback", "id", ticket.pk),
        (project, "tester", "email", "ada@example.com"),
    ):
        lookup = factories.lookup(of, "id", subject_kind=kind, found_by=by)
        problem(caller.get(url_of(lookup, value)), 404, "record_not_found")


def test_several_records_are_none(
    caller: APIClient, bugs: FeedbackType, ticket: Feedback
) -> None:
    factories.ticket(bugs, external_data={"jira_key": "NW-41"})
    by = {"found_by": "external", "external_name": "jira_key"}
    lookup = factories.lookup(bugs, **by)
    message = problem(caller.get(url_of(lookup, "NW-41")), 409, "several_records")
    sentence = "Several tickets have this external_jira_key: one is needed."
    assert message["detail"] == sentence


def test_an_erased_person_is_not_found(
    caller: APIClient, bugs: FeedbackType, ticket: Feedback
) -> None:
    assert ticket.submitter is not None
    community = bugs.project.community
    lookup = factories.lookup(community, "id", subject_kind="tester", found_by="id")
    assert caller.get(url_of(lookup, ticket.submitter_id)).status_code == 200
    type(ticket.submitter).objects.update(erased_at=datetime.now(UTC))
    problem(caller.get(url_of(lookup, ticket.submitter_id)), 404, "record_not_found")


def test_a_person_looks_up_in_a_browser_what_they_may_see(
    bugs: FeedbackType, ticket: Feedback
) -> None:
    lookup = factories.lookup(bugs, "reference")
    otto = person(factories.member(bugs, Role.OBSERVER, "otto"))
    assert otto.get(url_of(lookup, "BUG-1")).json() == {"reference": "BUG-1"}
    stranger = factories.member(factories.feedback_type("Ideas", "IDEA"), Role.OBSERVER)
    problem(person(stranger).get(url_of(lookup, "BUG-1")), 404, "not_found")


def test_a_project_says_how_many_there_are(
    caller: APIClient, bugs: FeedbackType, ticket: Feedback
) -> None:
    closed = bugs.statuses.get(name="Closed")
    factories.tickets(bugs, 2, status=closed, submitter=ticket.submitter)
    columns = ("name", "tickets", "open_tickets", "testers", "template")
    of = bugs.project.community
    lookup = factories.lookup(of, *columns, subject_kind="project", found_by="name")
    assert caller.get(url_of(lookup, "Phone Beta")).json() == {
        "name": "Phone Beta",
        "tickets": 3,
        "open_tickets": 1,
        "testers": 1,
        "template": False,
    }
