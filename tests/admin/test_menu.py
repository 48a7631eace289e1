"""The left-hand menu: projects, their feedback types, and what is open in each."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from feedback.models import FeedbackType, Project, Status
from tests import factories

LIST = reverse("admin:feedback_feedback_changelist")


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


def menu(page: Client, url: str) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Each project with its types: where they lead, their names, their counts."""
    html = page.get(url).content.decode()
    shown = []
    for block in html.split('<div class="module feedback-menu">')[1:]:
        block = block.split("</div>")[0]
        [caption] = re.findall(r'<span class="section">(.*?)</span>', block, re.DOTALL)
        names = re.sub(r"<.*?>", "", caption)
        types = re.findall(
            r'<a href="([^"]*)".*?>(.*?)</a>.*?open-count".*?>(.*?)<', block, re.DOTALL
        )
        shown.append((unescape(names), types))
    return shown


def test_types_stand_under_their_projects_with_their_open_tickets(
    page: Client, bugs: FeedbackType
) -> None:
    closed = Status.objects.get(feedback_type=bugs, name="Closed")
    factories.tickets(bugs, 3)
    factories.ticket(bugs, status=closed)
    ideas = FeedbackType.objects.create(
        project=bugs.project, name="Idea <1>", prefix="IDEA"
    )
    other = factories.feedback_type("Question", "ASK")
    factories.ticket(other)
    Project.objects.create(community=other.project.community, name="Without types")

    assert menu(page, reverse("admin:index")) == [
        (
            f"Phone Beta {bugs.project.community}",
            [
                (f"{LIST}?type={bugs.pk}", "Bug Report", "3"),
                (f"{LIST}?type={ideas.pk}", "Idea &lt;1&gt;", "0"),
            ],
        ),
        (
            f"Phone Beta {other.project.community}",
            [(f"{LIST}?type={other.pk}", "Question", "1")],
        ),
    ]


def test_the_type_whose_list_is_open_is_marked(
    page: Client, bugs: FeedbackType
) -> None:
    ideas = FeedbackType.objects.create(project=bugs.project, name="Idea", prefix="I")

    def marked(url: str) -> list[str]:
        html = page.get(url).content.decode()
        return re.findall(r'type=(\d+)" aria-current="page"', html)

    assert marked(f"{LIST}?type={ideas.pk}") == [str(ideas.pk)]
    assert marked(f"{LIST}?type={bugs.pk}&open=true") == [str(bugs.pk)]
    assert marked(LIST) == marked(reverse("admin:index")) == []


def test_many_types_cost_as_many_queries_as_one(
    page: Client, bugs: FeedbackType
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            page.get(reverse("admin:feedback_tester_changelist"))
        return len(seen)

    before = queries()
    for number in range(15):
        kind = factories.feedback_type(f"Type {number}", f"T{number}")
        factories.ticket(kind)
    assert queries() == before


def test_the_page_of_a_login_shows_no_menu(client: Client, bugs: FeedbackType) -> None:
    html = client.get(reverse("admin:login")).content.decode()
    assert "Bug Report" not in html
