"""The search in the header: what matches, in which order, and by whom."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from feedback.access.roles import Role
from feedback.models import FeedbackType
from tests import factories

SEARCH = reverse("admin:search")


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


def matches(page: Client, text: str) -> list[str]:
    """The names of the matches, in their order."""
    html = page.get(SEARCH, {"q": text}).content.decode()
    content = html.split('<div class="search-results">')[1].split("</main>")[0]
    links = re.findall(r"<li>\s*<a href=\"([^\"]*)\">(.*?)</a>", content, re.DOTALL)
    return [unescape(name) for _, name in links]


def test_the_ticket_of_the_reference_comes_first(
    page: Client, bugs: FeedbackType
) -> None:
    tickets = factories.tickets(bugs, 12)
    tickets[11].title = "The same as bug-1"
    tickets[11].save()
    assert matches(page, "bug-1")[0] == f"BUG-1 {tickets[0].title}"
    assert "BUG-12 The same as bug-1" in matches(page, "bug-1")


def test_tickets_testers_macros_and_runs_match(
    page: Client, bugs: FeedbackType
) -> None:
    ticket = factories.ticket(bugs, title="Zebra stripes")
    tester = factories.tester(bugs, "zebra@example.com")
    macro = factories.macro(bugs, "https://example.com/", name="Zebra to Slack")
    run = factories.run(macro)
    assert matches(page, "zebra") == [
        f"{ticket.reference} Zebra stripes",
        str(tester),
        "Zebra to Slack",
        str(run),
    ]
    assert matches(page, f"run {run.pk}") == [str(run)]


def test_all_words_have_to_be_there(page: Client, bugs: FeedbackType) -> None:
    factories.ticket(bugs, title="Zebra stripes")
    assert len(matches(page, "zebra stripes")) == 1
    assert matches(page, "zebra dots") == []


def test_of_many_a_few_are_shown_with_a_link_to_their_list(
    page: Client, bugs: FeedbackType
) -> None:
    factories.tickets(bugs, 12, title="Zebra stripes")
    html = page.get(SEARCH, {"q": "zebra"}).content.decode()
    assert html.count("Zebra stripes</a>") == 8
    url = f"{reverse('admin:feedback_feedback_changelist')}?search=zebra"
    assert f'<a href="{url}">All tickets that match</a>' in html
    assert page.get(url).content.decode().count("Zebra stripes</a>") == 12


def test_nobody_finds_what_is_not_theirs(client: Client, bugs: FeedbackType) -> None:
    other = factories.feedback_type("Question", "ASK")
    factories.ticket(other, title="Zebra of another community")
    mine = factories.ticket(bugs, title="Zebra of mine")
    client.force_login(factories.member(bugs, Role.OBSERVER.value, "olga"))
    assert matches(client, "zebra") == [f"{mine.reference} Zebra of mine"]
    assert matches(client, "ASK-1") == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "What are you looking for?"),
        ("   ", "What are you looking for?"),
        ("nothing like it", "Nothing matches"),
        ("a " * 31, "Search for at most 30 words"),
        ("x" * 5_000, "Search for at most 30 words"),
        ("a\0b", "There is a character that can&#x27;t be searched for."),
        ("<b>'\"%_\\", "Nothing matches"),
        ("9" * 40, "Nothing matches"),
    ],
)
def test_a_search_that_finds_nothing_says_why(
    page: Client, bugs: FeedbackType, text: str, sentence: str
) -> None:
    response = page.get(SEARCH, {"q": text})
    assert response.status_code == 200
    assert sentence in response.content.decode()


def test_a_search_asks_for_as_much_however_much_there_is(
    page: Client, bugs: FeedbackType
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            page.get(SEARCH, {"q": "zebra"})
        return len(seen)

    factories.tickets(bugs, 2, title="Zebra")
    before = queries()
    factories.tickets(bugs, 30, title="Zebra")
    for number in range(5):
        factories.tester(bugs, f"zebra{number}@example.com")
    assert queries() == before
