"""The list of tickets: filters, search, columns."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from feedback.admin.look import name_of
from feedback.models import Feedback, FeedbackType, Status
from tests import factories

LIST = reverse("admin:feedback_feedback_changelist")


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


def listed(page: Client, of: FeedbackType | None = None, **query: Any) -> Any:
    """The changelist as it was shown."""
    parameters = {"type": of.pk, **query} if of else query
    response: Any = page.get(LIST, parameters)
    assert response.status_code == 200, response.get("Location")
    return response.context["cl"]


def matches(page: Client, of: FeedbackType | None = None, **query: Any) -> list[str]:
    return sorted(each.title for each in listed(page, of, **query).result_list)


def cells(html: str, column: str) -> list[str]:
    matching = re.findall(f'<td [^>]*class="field-{column}"[^>]*>(.*?)</td>', html)
    return [unescape(each) for each in matching]


def text(response: HttpResponse) -> str:
    return response.content.decode()


def test_a_types_list_holds_its_own_tickets_only(
    page: Client, bugs: FeedbackType
) -> None:
    factories.ticket(bugs, title="Bug")
    factories.ticket(factories.feedback_type("Idea", "IDEA"), title="Idea")
    assert matches(page, bugs) == ["Bug"]
    assert matches(page) == ["Bug", "Idea"]


def test_open_status_and_visibility_can_be_filtered(
    page: Client, bugs: FeedbackType
) -> None:
    new, closed = Status.objects.filter(feedback_type=bugs)
    factories.ticket(bugs, title="New", visibility="private")
    factories.ticket(bugs, title="Closed", status=closed)
    assert matches(page, bugs, open="true") == ["New"]
    assert matches(page, bugs, open="false") == ["Closed"]
    assert matches(page, open="true") == ["New"]
    assert matches(page, bugs, status=new.pk) == ["New"]
    assert matches(page, bugs, status=closed.pk) == ["Closed"]
    assert matches(page, bugs, status=closed.pk, open="true") == []
    assert matches(page, bugs, visibility="private") == ["New"]
    assert matches(page, bugs, visibility="public") == ["Closed"]


def test_each_choice_and_checkbox_of_the_form_can_be_filtered(
    page: Client, bugs: FeedbackType
) -> None:
    answers: dict[str, dict[str, Any]] = {
        "A": {"severity": "Critical", "platform": ["Grün", "iOS"]},
        "B": {"severity": "Minor", "platform": ["Android"], "reproducible": True},
        "C": {"severity": "Critical", "reproducible": False},
        "D": {},
    }
    for title, values in answers.items():
        factories.ticket(bugs, title=title, form_values=values)
    assert matches(page, bugs, field_severity="Critical") == ["A", "C"]
    assert matches(page, bugs, field_severity="Major") == []
    assert matches(page, bugs, field_platform="Grün") == ["A"]
    assert matches(page, bugs, field_platform="iOS") == ["A"]
    assert matches(page, bugs, field_platform="Android") == ["B"]
    assert matches(page, bugs, field_reproducible="true") == ["B"]
    assert matches(page, bugs, field_reproducible="false") == ["A", "C", "D"]
    both = {"field_severity": "Critical", "field_platform": "iOS"}
    assert matches(page, bugs, **both) == ["A"]


@pytest.mark.parametrize(
    "choice",
    [
        '13" screen',
        "100%",
        "a_b",
        "a\\b",
        "C/C++",
        "it's",
        "日本",
        "A, B",
        "<b>",
        "null",
    ],
)
def test_a_choice_of_any_letters_is_found_and_nothing_else(
    page: Client, bugs: FeedbackType, choice: str
) -> None:
    bugs.form_fields.filter(key__in=["platform", "severity"]).update(
        choices=f"{choice}\nab\n{choice}2\naxb"
    )
    for title, value in {"Yes": choice, "No": "ab", "Longer": f"{choice}2"}.items():
        answers = {"platform": ["axb", value], "severity": value}
        factories.ticket(bugs, title=title, form_values=answers)
    assert matches(page, bugs, field_platform=choice) == ["Yes"]
    assert matches(page, bugs, field_severity=choice) == ["Yes"]


def test_the_filters_offer_what_the_type_has(page: Client, bugs: FeedbackType) -> None:
    new, closed = Status.objects.filter(feedback_type=bugs)
    shown = listed(page, bugs)
    offered = {
        spec.title: [choice["display"] for choice in spec.choices(shown)]
        for spec in shown.filter_specs
    }
    dates = ["Any date", "Today", "Past 7 days", "This month", "This year"]
    assert offered == {
        "saved filter": ["All", "Open"],
        "open or closed": ["All", "Open", "Closed"],
        "status": ["All", "New", "Closed"],
        "Severity": ["All", "Minor", "Major", "Critical"],
        "Platform": ["All", "Android", "iOS", "Grün"],
        "Reproducible": ["All", "Yes", "No"],
        "visibility": ["All", "Public", "Private"],
        "submitter": [""],
        "created": dates,
        "modified": dates,
    }
    titles = [spec.title for spec in listed(page).filter_specs]
    always = ["open or closed", "visibility", "submitter", "created", "modified"]
    assert titles == ["saved filter", *always]


def test_submitters_are_found_by_name_or_email(
    page: Client, bugs: FeedbackType
) -> None:
    for first, last, email in [
        ("Ada", "Lovelace", "countess@example.com"),
        ("Grace", "Hopper", "admiral@example.org"),
    ]:
        person = factories.tester(bugs, email)
        person.first_name, person.last_name = first, last
        person.save()
        factories.ticket(bugs, title=first, submitter=person)
    factories.ticket(bugs, title="Nobody")
    assert matches(page, bugs, submitter="lovel") == ["Ada"]
    assert matches(page, bugs, submitter="ADA") == ["Ada"]
    assert matches(page, bugs, submitter="Grace Hopper") == ["Grace"]
    assert matches(page, bugs, submitter="hopper example.org") == ["Grace"]
    assert matches(page, bugs, submitter="Grace Lovelace") == []
    assert matches(page, bugs, submitter="example") == ["Ada", "Grace"]
    assert matches(page, submitter="@example.com") == ["Ada"]
    assert matches(page, bugs, submitter=" ") == ["Ada", "Grace", "Nobody"]


def test_the_submitter_box_keeps_the_other_filters_and_the_search(
    page: Client, bugs: FeedbackType
) -> None:
    query = {"open": "true", "search": "crash", "field_severity": "Minor", "p": "1"}
    factories.tickets(bugs, 60, title="crash", form_values={"severity": "Minor"})
    html = text(page.get(LIST, {"type": bugs.pk, "submitter": 'a"b', **query}))
    box = html.split('class="text-filter">')[1].split("</form>")[0]
    assert 'value="a&quot;b"' in box
    kept = {"type": str(bugs.pk), **query}
    del kept["p"]
    for name, value in kept.items():
        assert f'<input type="hidden" name="{name}" value="{value}">' in box
    assert box.count('type="hidden"') == len(kept)


def test_created_and_modified_can_be_filtered(page: Client, bugs: FeedbackType) -> None:
    long_ago = timezone.now() - timedelta(days=400)
    factories.ticket(bugs, title="Today")
    factories.ticket(bugs, title="Old", created_at=long_ago)
    old = factories.ticket(bugs, title="Untouched", created_at=long_ago)
    Feedback.objects.filter(pk=old.pk).update(modified_at=long_ago)
    shown = listed(page, bugs)
    for title, expected in [("created", ["Today"]), ("modified", ["Old", "Today"])]:
        [spec] = [each for each in shown.filter_specs if each.title == title]
        [week] = [
            choice["query_string"]
            for choice in spec.choices(shown)
            if choice["display"] == "Past 7 days"
        ]
        response: Any = page.get(LIST + week)
        titles = sorted(each.title for each in response.context["cl"].result_list)
        assert titles == expected


def test_the_dates_can_be_narrowed_down(page: Client, bugs: FeedbackType) -> None:
    for year in (2024, 2025):
        created = datetime(year, 3, 9, tzinfo=UTC)
        factories.ticket(bugs, title=str(year), created_at=created)
    html = text(page.get(LIST, {"type": bugs.pk}))
    hierarchy = html.split("change-list-by-month")[0].split('class="toplinks"')[1]
    hierarchy = hierarchy.split("</nav>")[0]
    assert "created_at__year=2024" in hierarchy
    assert "created_at__year=2025" in hierarchy
    assert matches(page, bugs, created_at__year="2024") == ["2024"]


def test_search_finds_reference_title_and_people(
    page: Client, bugs: FeedbackType
) -> None:
    for title in ("Crash on start", "Slow screen"):
        submitter = factories.tester(bugs, f"{title.split()[0].lower()}@example.com")
        factories.ticket(bugs, title=title, submitter=submitter, description="It hurts")
    assert matches(page, bugs, search="BUG-2") == ["Slow screen"]
    assert matches(page, bugs, search="bug-1") == ["Crash on start"]
    assert matches(page, bugs, search="crash start") == ["Crash on start"]
    assert matches(page, bugs, search="slow@example") == ["Slow screen"]
    assert matches(page, bugs, search="hurts") == ["Crash on start", "Slow screen"]
    assert matches(page, bugs, search="no such thing") == []


def test_form_fields_and_external_data_can_be_columns(
    page: Client, bugs: FeedbackType
) -> None:
    bugs.external_columns = "jira_key, url ,,"
    bugs.save()
    bugs.form_fields.filter(key__in=["platform", "reproducible", "impact"]).update(
        in_list=True
    )
    factories.ticket(
        bugs,
        form_values={
            "severity": "<b>Critical</b>",
            "platform": ["iOS", "Grün"],
            "reproducible": True,
            "impact": 0,
        },
        external_data={"jira_key": "ABC-1", "url": None, "hidden": "x"},
    )
    factories.ticket(bugs, form_values={"reproducible": False})

    html = text(page.get(LIST, {"type": bugs.pk}))

    shown = [name_of(each) for each in listed(page, bugs).list_display[1:5]]
    assert shown == ["reference", "title", "status", "submitter"]
    assert cells(html, "field_severity") == ["-", "<b>Critical</b>"]
    assert "<b>Critical" not in html
    assert cells(html, "field_platform") == ["-", "iOS, Grün"]
    assert cells(html, "field_reproducible") == ["No", "Yes"]
    assert cells(html, "field_impact") == ["-", "0"]
    assert cells(html, "external_jira_key") == ["-", "ABC-1"]
    assert cells(html, "external_url") == ["-", "-"]
    assert "column-external_hidden" not in html and "column-field_steps" not in html
    assert cells(text(page.get(LIST)), "field_severity") == []


def test_many_rows_cost_as_many_queries_as_few(
    page: Client, bugs: FeedbackType
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            listed(page, bugs)
            listed(page)
        return len(seen)

    def more(count: int) -> None:
        for _ in range(count):
            factories.ticket(bugs, submitter=factories.tester(bugs))

    more(3)
    few = queries()
    more(40)
    assert queries() == few <= 40


@pytest.mark.parametrize(
    "query",
    [
        {"type": "abc"},
        {"type": "0"},
        {"status": "abc"},
        {"status": "\0"},
        {"open": "maybe"},
        {"open": "\0"},
        {"visibility": "secret"},
        {"visibility": "\0"},
        {"submitter": "\0"},
        {"submitter": "a" * 5000},
        {"field_severity": "Huge"},
        {"field_severity": "\0"},
        {"field_severity": "'"},
        {"field_platform": "\0"},
        {"field_platform": '"'},
        {"field_reproducible": "\0"},
        {"field_nothing": "x"},
        {"search": "\0"},
        {"p": "9999"},
        {"o": "99"},
        {"created_at__gte": "yesterday"},
    ],
)
def test_a_query_that_nobody_offers_ends_in_a_page(
    page: Client, bugs: FeedbackType, query: dict[str, str]
) -> None:
    factories.ticket(bugs, form_values={"severity": "Minor", "platform": ["iOS"]})
    response = page.get(LIST, {"type": bugs.pk, **query}, follow=True)
    assert response.status_code == 200


@pytest.mark.parametrize("name", ["visibility", "field_severity", "field_platform"])
def test_a_filter_on_what_is_not_offered_selects_nothing(
    page: Client, bugs: FeedbackType, name: str
) -> None:
    factories.ticket(bugs, form_values={"severity": "Gone", "platform": ["Gone"]})
    assert matches(page, bugs, **{name: "Gone"}) == []
