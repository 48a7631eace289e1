"""How lists are shown: chips, views, columns as each person likes them."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback.access.roles import Role
from feedback.admin.look import MAX_SHOWN, name_of
from feedback.models import FeedbackType, FieldKind, Preference
from tests import factories

TICKETS = reverse("admin:feedback_feedback_changelist")
TESTERS = reverse("admin:feedback_tester_changelist")
MACROS = reverse("admin:macros_macro_changelist")
LOOK = reverse("admin:feedback_feedback_look")


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


def shown(page: Client, url: str, **query: Any) -> str:
    response = page.get(url, query)
    assert response.status_code == 200
    return unescape(response.content.decode())


def chips(html: str) -> list[tuple[str, str]]:
    """The words of each, and the address without it."""
    pattern = r'class="chip"><span>(.*?)</span> <a href="(.*?)"'
    return re.findall(pattern, html)


def columns(page: Client, url: str, **query: Any) -> list[str]:
    response: Any = page.get(url, query)
    return [name_of(each) for each in response.context["cl"].list_display][1:]


def test_what_narrows_the_list_is_a_chip_that_takes_it_back(
    page: Client, bugs: FeedbackType
) -> None:
    factories.ticket(bugs)
    closed = bugs.statuses.get(name="Closed")
    saved = factories.saved_filter(
        bugs, {"field": "title", "qualifier": "contains", "value": "a"}, name="With a"
    )
    query = {
        "type": str(bugs.pk),
        "open": "false",
        "status": str(closed.pk),
        "field_severity": "Minor",
        "has_external_jira": "true",
        "created_after": "2020-01-02",
        "filter": str(saved.pk),
        "created_at__year": "2026",
        "search": "crash",
    }
    html = shown(page, TICKETS, **query)
    taken_back = dict(chips(html))
    assert [words for words, _ in chips(html)] == [
        "Saved filter: With a",
        "Open or closed: Closed",
        "Status: Closed",
        "Severity: Minor",
        "Created: from 2020-01-02",
        "Has jira: yes",
        "Created: 2026",
    ]
    for words, name in [
        ("Severity: Minor", "field_severity"),
        ("Created: 2026", "created_at__year"),
        ("Saved filter: With a", "filter"),
    ]:
        rest = taken_back[words]
        assert f"{name}=" not in rest
        kept = {*query} - {name}
        assert all(f"{each}=" in rest for each in kept), rest


def test_a_chip_holds_what_anybody_writes(page: Client, bugs: FeedbackType) -> None:
    value = "<b>" + "wide \u202e" * 40
    html = page.get(TICKETS, {"type": bugs.pk, "submitter": value}).content.decode()
    assert "<b>wide" not in html
    [(words, _)] = chips(html)
    assert words.startswith("Submitter: &lt;b&gt;wide") and len(words) < 100


def test_what_another_page_leads_to_has_its_name_on_a_chip(
    page: Client, bugs: FeedbackType
) -> None:
    factories.macro(bugs, name="Tell")
    [(words, rest)] = chips(shown(page, MACROS, feedback_type=bugs.pk))
    assert words == "Feedback type: Phone Beta: Bug Report" and rest == "?"
    [(words, _)] = chips(shown(page, MACROS, feedback_type__isnull="True"))
    assert words == "Feedback type: none"
    hidden = Client()
    hidden.force_login(factories.member(bugs, Role.OBSERVER))
    theirs = factories.feedback_type("Secret type", "SEC")
    html = shown(hidden, MACROS, feedback_type=theirs.pk)
    assert chips(html)[0][0] == f"Feedback type: {theirs.pk}"


def test_a_view_is_one_click_and_takes_back_everything_else(
    page: Client, bugs: FeedbackType
) -> None:
    factories.tickets(bugs, 2, title="A crash")
    factories.ticket(bugs, title="Crash", status=bugs.statuses.get(name="Closed"))
    crash = {"field": "title", "qualifier": "contains", "value": "crash"}
    saved = factories.saved_filter(bugs, crash, name="Crashes")
    query = {"type": str(bugs.pk), "open": "true", "field_severity": "Minor"}
    html = shown(page, TICKETS, **query)
    pills = html.split('aria-label="Views"')[1].split("</nav>")[0]
    assert re.findall(r'href="(.*?)#result_list"', pills) == [
        f"?type={bugs.pk}",
        f"?open=true&type={bugs.pk}",
        f"?filter={saved.pk}&type={bugs.pk}",
    ]
    # What it says is what its link opens.
    assert "Crashes <span" in pills and ">3<" in pills


def test_of_many_views_the_chosen_one_is_seen(page: Client, bugs: FeedbackType) -> None:
    for number in range(12):
        factories.saved_filter(bugs, name=f"Filter {number:02}")
    last = bugs.filters.get(name="Filter 11")
    html = shown(page, TICKETS, type=bugs.pk, filter=last.pk)
    pills = html.split('aria-label="Views"')[1].split("</nav>")[0]
    before, after = pills.split("<details")
    assert 'aria-current="true">Filter 11' in before
    assert "Filter 11" not in after and "Filter 10" in after


def choose(page: Client, of: FeedbackType | None, *names: str, **more: str) -> Any:
    query = f"type={of.pk}&open=true&o=2" if of else ""
    return page.post(LOOK, {"query": query, "column": names, **more})


def test_each_person_chooses_columns_for_each_type(
    page: Client, bugs: FeedbackType
) -> None:
    ideas = factories.feedback_type("Idea", "IDEA")
    for each in (bugs, ideas):
        factories.ticket(each)
    standard = columns(page, TICKETS, type=bugs.pk)
    response = choose(page, bugs, "modified_at", "field_platform", "nothing", "\0")
    assert response.url == f"{TICKETS}?type={bugs.pk}&open=true"
    chosen = ["reference", "title", "modified_at", "field_platform"]
    assert columns(page, TICKETS, type=bugs.pk) == chosen
    assert columns(page, TICKETS, type=ideas.pk) == standard
    assert "modified_at" not in columns(page, TICKETS)
    other = Client()
    other.force_login(factories.superuser("oscar"))
    assert columns(other, TICKETS, type=bugs.pk) == standard
    choose(page, bugs, standard="1")
    assert columns(page, TICKETS, type=bugs.pk) == standard


def test_a_list_of_two_hundred_columns_shows_as_many_as_fit(
    page: Client, bugs: FeedbackType
) -> None:
    for number in range(200):
        bugs.form_fields.create(
            label=f"Question {number}",
            key=f"q{number}",
            kind=FieldKind.TEXT,
            position=number,
            in_list=True,
        )
    factories.ticket(bugs)
    assert len(columns(page, TICKETS, type=bugs.pk)) == MAX_SHOWN
    choose(page, bugs, *(f"field_q{number}" for number in range(200)))
    assert len(columns(page, TICKETS, type=bugs.pk)) == MAX_SHOWN
    html = shown(page, TICKETS, type=bugs.pk)
    assert f"shows the first {MAX_SHOWN}" in html


@pytest.mark.parametrize("kept", [False, 1, "x", {}, [1, None, {}], [["a"]], []])
def test_whatever_is_kept_the_list_opens(
    page: Client, bugs: FeedbackType, kept: Any
) -> None:
    factories.ticket(bugs)
    choose(page, bugs, "status")
    Preference.objects.update(value=kept)
    assert columns(page, TICKETS, type=bugs.pk)[:2] == ["reference", "title"]


def test_rows_stand_close_in_all_lists_of_whom_it_pleases(
    page: Client, bugs: FeedbackType
) -> None:
    factories.ticket(bugs)
    factories.macro(bugs)
    choose(page, bugs, "status", density="compact")
    for url in (TICKETS, MACROS, TESTERS):
        assert 'class="list-rows compact"' in shown(page, url)
    choose(page, bugs, "status", density="")
    assert 'class="list-rows"' in shown(page, TICKETS)


def test_an_empty_list_says_what_goes_there_or_how_to_see_more(
    page: Client, bugs: FeedbackType
) -> None:
    html = shown(page, TICKETS, type=bugs.pk)
    assert "No tickets yet" in html and "Add a ticket" in html
    factories.ticket(bugs)
    html = shown(page, TICKETS, type=bugs.pk, search="zzz")
    everything = f'href="?type={bugs.pk}">Show all'
    assert "Nothing matches" in html and everything in html
    html = shown(page, TICKETS, type=bugs.pk, open="false", search="zzz")
    assert everything in html
