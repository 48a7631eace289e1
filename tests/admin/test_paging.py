"""Lists of more rows than are counted: what they say, and the way to their end."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from feedback.access.roles import Role
from feedback.admin.tickets import FeedbackAdmin
from feedback.console import counting, paging
from feedback.console.counting import Count, open_counts
from feedback.models import FeedbackType, Status
from tests import factories

pytestmark = pytest.mark.django_db

TICKETS = reverse("admin:feedback_feedback_changelist")
TESTERS = reverse("admin:feedback_tester_changelist")
_LINK = re.compile(r'<a href="([^"]*)"[^>]*>(First|Previous|Next|Last)</a>')


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def page(client: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Three rows to a page, of a list that is counted to five."""
    monkeypatch.setattr(paging, "MAX_LISTED", 5)
    monkeypatch.setattr(FeedbackAdmin, "list_per_page", 3)
    client.force_login(factories.superuser())
    return client


def turned(page: Client, url: str) -> tuple[list[Any], dict[str, str], str]:
    """The rows of a page, its links to others, and all of it."""
    response: Any = page.get(url)
    assert response.status_code == 200, url
    html = unescape(response.content.decode())
    links = {name: TICKETS + query for query, name in _LINK.findall(html)}
    return list(response.context["cl"].result_list), links, html


def numbers(rows: list[Any]) -> list[int]:
    return [row.number for row in rows]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("", [8, 7, 6, 5, 4, 3, 2, 1]),
        ("&o=2", [8, 6, 4, 2, 7, 5, 3, 1]),  # Several have the same title.
        ("&o=-2", [7, 5, 3, 1, 8, 6, 4, 2]),
    ],
)
def test_a_long_list_is_paged_through_both_ways_and_from_its_end(
    page: Client, bugs: FeedbackType, order: str, expected: list[int]
) -> None:
    for n in range(1, 9):
        factories.ticket(bugs, title="Odd" if n % 2 else "Even")
    first = f"{TICKETS}?type={bugs.pk}{order}"
    rows, links, html = turned(page, first)
    assert numbers(rows) == expected[:3] and {*links} == {"Next", "Last"}
    assert "5+ tickets" in html
    rows, middle, _ = turned(page, links["Next"])
    assert numbers(rows) == expected[3:6]
    assert {*middle} == {"First", "Previous", "Next", "Last"}
    rows, end, _ = turned(page, middle["Next"])
    assert numbers(rows) == expected[6:] and {*end} == {"First", "Previous"}
    rows, end, _ = turned(page, links["Last"])
    assert numbers(rows) == expected[5:] and {*end} == {"First", "Previous"}
    rows, back, _ = turned(page, end["Previous"])
    assert numbers(rows) == expected[2:5]
    rows, _, _ = turned(page, back["Previous"])
    assert numbers(rows) == expected[:2]
    rows, _, _ = turned(page, back["First"])
    assert numbers(rows) == expected[:3]


def test_no_page_of_a_long_list_is_found_by_counting_rows(
    page: Client, bugs: FeedbackType
) -> None:
    factories.tickets(bugs, 8)
    last = bugs.tickets.last()
    assert last is not None
    for number in ("last", f"after-{last.pk + 3}", f"before-{last.pk}"):
        with CaptureQueriesContext(connection) as queries:
            page.get(TICKETS, {"type": bugs.pk, "p": number})
        assert not [each for each in queries if " OFFSET " in each["sql"]]


def test_in_an_order_that_has_gaps_a_long_list_ends_and_says_so(
    page: Client, bugs: FeedbackType
) -> None:
    factories.tickets(bugs, 8)
    rows, links, html = turned(page, f"{TICKETS}?type={bugs.pk}&o=4")  # The submitter.
    assert len(rows) == 3 and not links
    assert "Sorted like this, the list ends after 5." in html
    rows, _, _ = turned(page, f"{TICKETS}?type={bugs.pk}&o=4&p=2")
    assert len(rows) == 2


def test_a_short_list_has_numbers(page: Client, bugs: FeedbackType) -> None:
    factories.tickets(bugs, 5)
    rows, links, html = turned(page, f"{TICKETS}?type={bugs.pk}&p=2")
    assert len(rows) == 2 and not links and "5 tickets" in html
    assert '<span class="this-page" aria-current="page">2</span>' in html


@pytest.mark.parametrize(
    "nonsense", ["after-", "after-x", "before-999999999999999999", "last9", "-1", "0"]
)
def test_a_page_that_there_is_not_is_refused_or_empty(
    page: Client, bugs: FeedbackType, nonsense: str
) -> None:
    factories.tickets(bugs, 8)
    for order in ("", "2"):
        query = {"type": bugs.pk, "p": nonsense, "o": order}
        assert page.get(TICKETS, query).status_code in (200, 302)


def test_nobody_pages_from_a_row_of_others(page: Client, bugs: FeedbackType) -> None:
    """Which order a hidden row has would say what is in it."""
    factories.tickets(bugs, 8)
    factories.macro(bugs, "https://example.com/")  # So that rows have boxes to tick.
    hidden = factories.ticket(factories.feedback_type(), title="Secret")
    page.force_login(factories.member(bugs, Role.SUPPORT))
    query = {"type": bugs.pk, "o": "2", "p": f"after-{hidden.pk}"}
    assert page.get(TICKETS, query).status_code == 302


def test_all_rows_are_meant_where_not_all_were_counted(
    page: Client, bugs: FeedbackType
) -> None:
    macro = factories.macro(bugs, "https://example.com/")
    picked = factories.tickets(bugs, 8)[0]
    form = {"action": f"macro_{macro.pk}", "select_across": "1", "index": "0"}
    form["_selected_action"] = str(picked.pk)
    confirmation: Any = page.post(f"{TICKETS}?type={bugs.pk}", form)
    assert confirmation.context["preview"].count == 8


def test_the_menu_counts_up_to_a_limit(
    page: Client, bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "MAX_IN_MENU", 3)
    Status.objects.create(feedback_type=bugs, name="Seen", is_open=True, position=3)
    factories.tickets(bugs, 2)
    few = factories.feedback_type("Idea", "IDEA")
    factories.ticket(few)
    factories.ticket(few, status=few.statuses.get(name="Closed"))
    counts = open_counts(FeedbackType.objects.all())
    assert {pk: str(each) for pk, each in counts.items()} == {bugs.pk: "2", few.pk: "1"}
    factories.tickets(bugs, 2, status=bugs.statuses.get(name="Seen"))
    with CaptureQueriesContext(connection) as queries:
        html = page.get(TESTERS).content.decode()
    assert ">3+<" in html
    [counted] = [
        each["sql"]
        for each in queries
        if "COUNT(*)" in each["sql"] and "is_open" in each["sql"]
    ]
    assert "LIMIT 4" in counted


def test_a_count_says_whether_there_are_more() -> None:
    assert [str(Count.up_to(1000, n)) for n in (7, 1000, 1001)] == [
        "7",
        "1,000",
        "1,000+",
    ]


def test_the_row_whose_reference_is_searched_for_comes_first(
    page: Client, bugs: FeedbackType
) -> None:
    factories.tickets(bugs, 30)
    rows, links, _ = turned(page, f"{TICKETS}?type={bugs.pk}&search=bug-2")
    assert numbers(rows) == [2, 29, 28, 27] and "Next" in links
    rows, _, _ = turned(page, links["Next"])
    assert numbers(rows) == [26, 25, 24]
    rows, _, _ = turned(page, f"{TICKETS}?type={bugs.pk}&search=BUG-22")
    assert numbers(rows) == [22]
    rows, _, _ = turned(page, f"{TICKETS}?type={bugs.pk}&search=bug-3&open=true")
    assert numbers(rows) == [3, 30]
    other = factories.feedback_type()
    rows, _, _ = turned(page, f"{TICKETS}?type={other.pk}&search=bug-3")
    assert rows == []
