"""The left-hand menu: projects, their feedback types, and what is open in each."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.staticfiles import finders
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from centerhook.menu import GROUPS
from feedback.access.roles import Role
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
    for block in html.split('<details class="feedback-menu"')[1:]:
        block = block.split("</details>")[0]
        [caption] = re.findall(r"<summary.*?<span>(.*?)</span>", block, re.DOTALL)
        names = re.sub(r"<.*?>", "", caption)
        types = re.findall(
            r'<a href="([^"]*)".*?><span>(.*?)</span>.*?open-count".*?>(.*?)<',
            block,
            re.DOTALL,
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
                (f"{LIST}?type={bugs.pk}&amp;open=true", "Bug Report", "3"),
                (f"{LIST}?type={ideas.pk}&amp;open=true", "Idea &lt;1&gt;", "0"),
            ],
        ),
        (
            f"Phone Beta {other.project.community}",
            [(f"{LIST}?type={other.pk}&amp;open=true", "Question", "1")],
        ),
    ]


def test_the_type_whose_list_is_open_is_marked(
    page: Client, bugs: FeedbackType
) -> None:
    ideas = FeedbackType.objects.create(project=bugs.project, name="Idea", prefix="I")

    def marked(url: str) -> list[str]:
        html = page.get(url).content.decode()
        return re.findall(r'type=(\d+)&amp;open=true" aria-current="page"', html)

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


def test_lists_stand_in_groups_and_only_those_that_one_may_see(
    client: Client, bugs: FeedbackType
) -> None:
    client.force_login(factories.member(bugs, Role.OBSERVER.value, "olga"))
    html = client.get(reverse("admin:logs_run_changelist")).content.decode()
    menu = html.split('<nav id="menu"')[1].split("</nav>")[0]
    assert re.findall(r'<p class="menu-title".*?>(.*?)</p>', menu) == [
        "Work",
        "People",
        "Set-up",
    ]
    assert f'<a href="{reverse("admin:logs_run_changelist")}" aria-current' in menu
    assert menu.count('aria-current="page"') == 1
    assert reverse("admin:feedback_apikey_changelist") not in menu


def test_every_model_of_the_admin_has_a_place_in_the_menu() -> None:
    placed = [label for icons in GROUPS.values() for label in icons]
    registered = {model._meta.label_lower for model in admin.site._registry}
    assert sorted(placed) == sorted(registered)
    assert {
        icon for icons in GROUPS.values() for icon in icons.values()
    } <= icon_names()


def test_a_menu_folded_away_stays_away(page: Client, bugs: FeedbackType) -> None:
    index = reverse("admin:index")
    assert 'id="menu" class="menu"' in page.get(index).content.decode()
    page.cookies["menu"] = "folded"
    assert 'id="menu" class="menu folded"' in page.get(index).content.decode()


def icon_names() -> set[str]:
    path = finders.find("centerhook/icons.svg")
    return set(re.findall(r'<symbol id="(.*?)"', Path(path).read_text()))


def test_no_template_asks_for_an_icon_that_is_not_there() -> None:
    asked = set()
    for path in (settings.BASE_DIR / "templates").rglob("*.html"):
        asked |= set(re.findall(r'{% icon "([^"]+)" %}', path.read_text()))
    assert asked <= icon_names()
