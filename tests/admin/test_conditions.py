"""Conditions have the same names, meanings and refusals in the lists and in the API."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from feedback.models import Feedback, FeedbackType, Status
from feedback.models import Tester as Person
from feedback.selection.testers import TesterFilterSet as PeopleFilterSet
from feedback.selection.tickets import FeedbackFilterSet
from logs.models import Run
from tests import factories
from tests.api.callers import person

TICKETS = reverse("admin:feedback_feedback_changelist")
TESTERS = reverse("admin:feedback_tester_changelist")

Both = Callable[..., list[int]]


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


def listed(page: Client, url: str, query: dict[str, Any]) -> Any:
    response: Any = page.get(url, query)
    assert response.status_code == 200
    return response.context["cl"]


def messages(page: Client, url: str, query: dict[str, Any]) -> list[str]:
    response: Any = page.get(url, query)
    assert response.status_code == 200
    return [str(each) for each in response.context["messages"]]


@pytest.fixture
def both(page: Client, olivia: User) -> Both:
    """The numbers of the rows in the list, which the API's rows are as well."""
    caller = person(olivia)

    def numbers(name: str, **query: Any) -> list[int]:
        url = {"feedback": TICKETS, "testers": TESTERS}[name]
        rows = [row.pk for row in listed(page, url, query).queryset.order_by("-pk")]
        results = caller.get(f"/api/v1/{name}/", query).json()["results"]
        assert rows == [row["id"] for row in results]
        return rows

    return numbers


@pytest.mark.sweep
def test_every_condition_on_tickets_selects_the_same_rows(
    bugs: FeedbackType, both: Both
) -> None:
    closed = bugs.statuses.get(name="Closed")
    ada = factories.tester(bugs, "ada@example.com")
    ticket = factories.ticket(
        bugs,
        title="Crash",
        submitter=ada,
        status=closed,
        visibility="private",
        form_values={"severity": "Critical", "platform": ["iOS"], "impact": 7},
        external_data={"score": 3, "Jira key": "NW-1"},
        created_at="2026-01-02T12:00:00Z",
    )
    Feedback.objects.update(modified_at="2026-01-02T12:00:00Z")
    other = factories.ticket(bugs)
    crash = {"field": "title", "qualifier": "is", "value": "Crash"}
    conditions: dict[str, Any] = {
        "filter": factories.saved_filter(bugs, crash).name,
        "status": ["Closed", "Closed"],
        "open": "false",
        "type": bugs.pk,
        "project": bugs.project.name,
        "visibility": "private",
        "submitter": "tester ADA",
        "submitter_email": " ADA@example.com ",
        "reference": "bug-1",
        "search": "crash bug-1",
        "created_after": "2026-01-02",
        "created_before": "2026-01-03",
        "modified_after": "2026-01-02",
        "modified_before": "2026-01-03T00:00:00Z",
        "field_severity": "Critical",
        "field_platform": "iOS",
        "field_impact": "7.0",
        "external_score": "3.0",
        "external_jira_key": "NW-1",
        "has_external_Jira key": "true",
    }
    assert set(FeedbackFilterSet.base_filters) <= set(conditions)
    everything = {"type", "project", "created_after", "modified_after"}
    for name, value in conditions.items():
        expected = [other.pk, ticket.pk] if name in everything else [ticket.pk]
        if name == "external_jira_key":
            expected = []
        assert both("feedback", **{name: value}) == expected, name
    assert both("feedback", status=closed.pk) == [ticket.pk]
    assert both("feedback", status=["New", closed.pk]) == [other.pk, ticket.pk]
    del conditions["external_jira_key"]
    assert both("feedback", **conditions) == [ticket.pk]


@pytest.mark.sweep
def test_every_condition_on_testers_selects_the_same_rows(
    bugs: FeedbackType, both: Both
) -> None:
    ada = factories.tester(bugs, "ada@example.com")
    Person.objects.update(
        country="DE", score=5, company="Acme", external_data={"valid": True}
    )
    factories.ticket(bugs, submitter=ada)
    far = factories.feedback_type("Idea", "IDEA")
    grace = factories.tester(far, "grace@example.com")
    Person.objects.filter(pk=grace.pk).update(erased_at="2026-01-01T00:00:00Z")
    from_acme = {"field": "company", "qualifier": "is", "value": "acme"}
    conditions: dict[str, Any] = {
        "filter": factories.saved_filter(bugs.project, from_acme).pk,
        "community": bugs.project.community_id,
        "email": "ADA@example.com",
        "country": "de",
        "project": bugs.project_id,
        "search": "ada acme",
        "score_at_least": "5",
        "erased": "false",
        "created_after": "2020-01-01",
        "created_before": "2999-01-01",
        "external_valid": "true",
        "has_external_valid": "true",
    }
    assert set(PeopleFilterSet.base_filters) <= set(conditions)
    for name, value in conditions.items():
        everybody = name.startswith("created")
        expected = [grace.pk, ada.pk] if everybody else [ada.pk]
        assert both("testers", **{name: value}) == expected, name
    assert both("testers", has_external_valid="false") == [grace.pk]
    assert both("testers", **conditions) == [ada.pk]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("status", "Nwe"), ("status", "99999"), ("status", "a\0b"), ("open", "yes")],
        *[("type", "Bugs"), ("visibility", "secret"), ("created_after", "yesterday")],
        *[("search", "x" * 501), ("reference", "\0"), ("has_external_x", "1")],
        *[("field_severity", "Huge"), ("field_impact", "1e999"), ("field_no", "x")],
        *[("status__name", "New"), ("q", "x"), ("feedback_type", "1"), ("", "x")],
        *[("external_0", "x"), ("community", "1"), ("open", ["true", "false"])],
    ],
)
def test_a_refusal_is_the_same_sentence_and_nothing_is_listed(
    page: Client, olivia: User, bugs: FeedbackType, name: str, value: Any
) -> None:
    factories.ticket(bugs)
    refused = person(olivia).get("/api/v1/feedback/", {name: value}).json()["errors"]
    [sentence] = [each["detail"] for each in refused]
    assert messages(page, TICKETS, {name: value}) == [f"Filter {name}: {sentence}"]
    assert list(listed(page, TICKETS, {name: value}).result_list) == []


def test_a_refusal_on_testers_is_the_same_sentence(
    page: Client, olivia: User, bugs: FeedbackType
) -> None:
    factories.tester(bugs)
    for name, value in {
        "score_at_least": "x",
        "community": "0",
        "open": "true",
    }.items():
        url = "/api/v1/testers/"
        [refused] = person(olivia).get(url, {name: value}).json()["errors"]
        assert messages(page, TESTERS, {name: value}) == [
            f"Filter {name}: {refused['detail']}"
        ]
        assert list(listed(page, TESTERS, {name: value}).result_list) == []


def test_nothing_is_done_with_all_of_a_list_whose_condition_is_refused(
    page: Client, bugs: FeedbackType
) -> None:
    macro = factories.macro(bugs, "https://example.com/")
    ticket = factories.ticket(bugs)
    for query in ("open=maybe", "opne=true"):
        data = {
            "action": f"macro_{macro.pk}",
            "_selected_action": ticket.pk,
            "select_across": "1",
        }
        response = page.post(f"{TICKETS}?type={bugs.pk}&{query}", data)
        html = response.content.decode()
        assert "Nothing of the selection is what it runs on" in html
        assert f"Filter {query.split('=')[0]}: " in html
    assert not Run.objects.exists()


def test_a_box_that_was_left_empty_gives_no_condition(
    page: Client, bugs: FeedbackType
) -> None:
    factories.ticket(bugs)
    for query in ({"submitter": ""}, {"search": " "}, {"external_x": "", "open": ""}):
        shown = listed(page, TICKETS, query)
        assert len(shown.result_list) == 1 and not shown.has_active_filters


def test_what_the_list_is_narrowed_to_is_shown_and_can_be_taken_back(
    page: Client, bugs: FeedbackType
) -> None:
    """Also where nothing beside the list offers it."""
    query = {
        **{"type": bugs.pk, "search": "x", "reference": "BUG-1"},
        **{"external_crm": "7", "visibility": "public"},
        **{"created_after": "2026-01-02", "created_before": "2026-01-03"},
    }
    shown = listed(page, TICKETS, query)
    chosen = {
        spec.title: choice["display"]
        for spec in shown.filter_specs
        for choice in spec.choices(shown)
        if choice["selected"] and choice["display"] not in ("All", "Any date")
    }
    assert chosen == {
        "visibility": "Public",
        "created": "from 2026-01-02 before 2026-01-03",
        "reference": "BUG-1",
        "crm": "7",
    }
    assert shown.has_active_filters
    kept = {f"type={bugs.pk}", "search=x"}
    assert set(shown.clear_all_filters_qs.removeprefix("?").split("&")) == kept


def test_filters_say_how_many_rows_each_value_would_leave(
    page: Client, bugs: FeedbackType
) -> None:
    closed = bugs.statuses.get(name="Closed")
    factories.tickets(bugs, 2, form_values={"severity": "Minor"})
    factories.ticket(bugs, status=closed, form_values={"severity": "Major"})
    factories.ticket(factories.feedback_type("Idea", "IDEA"))
    factories.ticket(
        bugs, form_values={"severity": "Minor"}, created_at="2020-01-02T12:00:00Z"
    )
    query = {"type": bugs.pk, "_facets": "1", "field_severity": "Minor"}
    query |= {"created_at__year": timezone.now().year}
    shown = listed(page, TICKETS, query)
    clear = shown.clear_all_filters_qs
    offered = {
        spec.title: [choice["display"] for choice in spec.choices(shown)]
        for spec in shown.filter_specs
    }
    assert offered["status"] == ["All", "New (2)", "Closed (0)"]
    assert offered["open or closed"] == ["All", "Open (2)", "Closed (0)"]
    severities = ["All", "Minor (2)", "Major (1)", "Critical (0)"]
    assert offered["Severity"] == severities
    assert shown.clear_all_filters_qs == clear == f"?_facets=1&type={bugs.pk}"


def offered(page: Client, query: dict[str, Any]) -> dict[str, list[Any]]:
    shown = listed(page, TICKETS, query)
    return {
        spec.title: [choice["display"] for choice in spec.choices(shown)]
        for spec in shown.filter_specs
        if spec.title in ("open or closed", "status", "visibility", "Severity")
    }


def test_of_too_many_rows_some_are_counted_and_each_count_says_so(
    page: Client, bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feedback.admin.facets.MAX_COUNTED", 2)
    closed = bugs.statuses.get(name="Closed")
    factories.tickets(bugs, 2)
    query = {"type": bugs.pk, "_facets": "1"}
    assert offered(page, query)["open or closed"] == ["All", "Open (2)", "Closed (0)"]
    factories.ticket(bugs, status=closed)
    words = offered(page, query)["open or closed"]
    assert words in (
        ["All", "Open (2+)", "Closed (1+)"],
        ["All", "Open (1+)", "Closed (1+)"],
        ["All", "Open (2+)", "Closed (0+)"],
    )
    # What narrows the list is counted without itself, all else with it.
    narrowed = offered(page, query | {"open": "true"})
    assert narrowed["visibility"] == ["All", "Public (2)", "Private (0)"]
    assert narrowed["open or closed"] == words


def test_all_values_of_all_filters_are_counted_by_one_query(
    page: Client, bugs: FeedbackType
) -> None:
    factories.tickets(bugs, 2)
    query = {"type": bugs.pk, "_facets": "1"}
    with CaptureQueriesContext(connection) as queries:
        words = offered(page, query)
    assert words["Severity"] == ["All", "Minor (0)", "Major (0)", "Critical (0)"]
    assert words["status"] == ["All", "New (2)", "Closed (0)"]
    counting = [each["sql"] for each in queries if "FILTER (WHERE" in each["sql"]]
    assert len(counting) == 1


def test_counts_that_take_too_long_are_left_out_and_say_so(
    page: Client, bugs: FeedbackType
) -> None:
    factories.ticket(bugs)
    query = {"type": bugs.pk, "_facets": "1"}
    slow = "SELECT pg_sleep(60)"
    if connection.vendor != "postgresql":
        return  # SQLite ends no query by itself.

    def instead(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "FILTER (WHERE" in sql:
            sql, params = slow, None
        return execute(sql, params, many, context)

    with connection.execute_wrapper(instead):
        words = offered(page, query)
    too_many = "All (too many to count: narrow the list by another filter)"
    assert words["open or closed"] == [too_many, "Open", "Closed"]
    assert words["visibility"] == [too_many, "Public", "Private"]


def test_the_days_of_too_many_rows_are_not_looked_up(
    page: Client, bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.tickets(bugs, 3)
    for most, is_offered in ((3, True), (2, False)):
        monkeypatch.setattr("feedback.console.paging.MAX_LISTED", most)
        html = page.get(TICKETS, {"type": bugs.pk}).content.decode()
        assert ('class="toplinks"' in html) is is_offered
        assert ("too many to look up their days" in html) is not is_offered
        assert "created_after" in html


def test_the_days_of_no_rows_are_not_looked_up(
    page: Client, bugs: FeedbackType
) -> None:
    query = {"type": bugs.pk, "search": "nothing"}
    with CaptureQueriesContext(connection) as queries:
        page.get(TICKETS, query)
    assert not any("MIN(" in each["sql"] for each in queries.captured_queries)


def test_a_types_list_opens_by_name_as_well(page: Client, bugs: FeedbackType) -> None:
    far = factories.feedback_type("Idea", "IDEA")
    macro = factories.macro(bugs, "https://example.com/")
    factories.ticket(bugs)
    html = page.get(TICKETS, {"type": bugs.name}).content.decode()
    assert f'value="macro_{macro.pk}"' in html and f"<h1>{bugs}</h1>" in unescape(html)
    # Two types are no type's list: each has its own macros.
    for query in ({"type": [bugs.pk, far.pk]}, {"type": "Nothing"}, {}):
        html = page.get(TICKETS, query).content.decode()
        assert f'value="macro_{macro.pk}"' not in html and "<h1>All tickets" in html


def test_a_run_says_what_was_selected_in_words(
    page: Client, bugs: FeedbackType
) -> None:
    macro = factories.macro(bugs, "https://example.com/")
    macro.asks_confirmation = False
    macro.save()
    new = Status.objects.get(feedback_type=bugs, name="New")
    for _ in range(2):
        factories.ticket(bugs, title="Crash", created_at="2026-01-02T12:00:00Z")
    query = {
        **{"type": bugs.pk, "status": new.pk, "search": "crash", "o": "1"},
        **{"created_at__year": 2026, "created_at__month": 1},
    }
    data = {
        "action": f"macro_{macro.pk}",
        "_selected_action": Feedback.objects.first().pk,  # type: ignore[union-attr]
        "select_across": "1",
    }
    page.post(TICKETS, data, query_params=query)
    run = Run.objects.get()
    assert run.total == 2
    assert run.selection == (
        "Type: Bug Report; Status: New; Search: crash; Created: 2026-1"
    )
