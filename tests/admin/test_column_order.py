"""Columns in the order that each person gives them."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback.admin.look import MAX_SHOWN, name_of
from feedback.models import FeedbackType, FieldKind
from tests import factories

TICKETS = reverse("admin:feedback_feedback_changelist")
TESTERS = reverse("admin:feedback_tester_changelist")
POSITION = re.compile(r'name="position-([^"]+)" value="(\d+)"')


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


def columns(page: Client, url: str, **query: Any) -> list[str]:
    response: Any = page.get(url, query)
    return [name_of(each) for each in response.context["cl"].list_display][1:]


def form(page: Client, url: str, **query: Any) -> dict[str, Any]:
    """What the form sends that nobody has touched."""
    html = unescape(page.get(url, query).content.decode()).split('class="fold look"')[1]
    html = html.split("</form>")[0]
    entries = html.split('<li class="entry">')[1:]
    data: dict[str, Any] = {"query": f"type={query['type']}" if query else ""}
    for entry in entries:
        name, position = POSITION.search(entry).groups()  # type: ignore[union-attr]
        data[f"position-{name}"] = position
        if " checked" in entry.split("</li>")[0]:
            data.setdefault("column", []).append(name)
    return data


def look(model: str) -> str:
    return reverse(f"admin:feedback_{model}_look")


def test_what_is_sent_untouched_changes_nothing(
    page: Client, bugs: FeedbackType
) -> None:
    for url, model, query in (
        (TICKETS, "feedback", {"type": bugs.pk}),
        (TICKETS, "feedback", {}),
        (TESTERS, "tester", {}),
    ):
        before = columns(page, url, **query)
        page.post(look(model), form(page, url, **query))
        assert columns(page, url, **query) == before


def test_columns_stand_in_the_order_of_their_positions(
    page: Client, bugs: FeedbackType
) -> None:
    factories.ticket(bugs)
    data = form(page, TICKETS, type=bugs.pk)
    data |= {"position-created_at": 0, "position-title": "99", "position-status": "x"}
    page.post(look("feedback"), data)
    shown = columns(page, TICKETS, type=bugs.pk)
    assert shown[:2] == ["created_at", "reference"]
    assert shown[-2:] == ["title", "status"]
    # What is shown stands first in the form, and keeps its order.
    again = form(page, TICKETS, type=bugs.pk)
    assert again["column"] == shown
    page.post(look("feedback"), again)
    assert columns(page, TICKETS, type=bugs.pk) == shown


def test_a_browser_that_moved_them_sends_them_in_order(
    page: Client, bugs: FeedbackType
) -> None:
    order = ["status", "title", "modified_at", "reference"]
    data = {"query": f"type={bugs.pk}", "column": order}
    page.post(look("feedback"), data)
    assert columns(page, TICKETS, type=bugs.pk) == order


@pytest.mark.parametrize("url", [TICKETS, TESTERS])
def test_a_row_is_opened_by_its_name_wherever_that_stands(
    page: Client, bugs: FeedbackType, url: str
) -> None:
    ticket = factories.ticket(bugs, submitter=factories.tester(bugs))
    row, model = (
        (ticket, "feedback") if url == TICKETS else (ticket.submitter, "tester")
    )
    data = form(page, url)
    last = ["status"] if url == TICKETS else ["company"]
    others = [each for each in data["column"] if each not in last]
    page.post(look(model), {"query": "", "column": [*last, *others]})
    assert columns(page, url)[0] == last[0]
    html = page.get(url).content.decode().split("<tbody>")[1]
    opened = reverse(f"admin:feedback_{model}_change", args=[row.pk])  # type: ignore[union-attr]
    name = ticket.reference if url == TICKETS else ticket.submitter.email  # type: ignore[union-attr]
    assert re.search(rf'<a href="{opened}[^"]*">{re.escape(name)}</a>', html)


def test_what_every_row_is_known_by_is_shown_however_late_it_comes(
    page: Client, bugs: FeedbackType
) -> None:
    for number in range(20):
        bugs.form_fields.create(
            label=f"Q {number}", key=f"q{number}", kind=FieldKind.TEXT, position=number
        )
    names = [f"field_q{number}" for number in range(20)]
    order = [*names, "title", "reference"]
    page.post(look("feedback"), {"query": f"type={bugs.pk}", "column": order})
    shown = columns(page, TICKETS, type=bugs.pk)
    assert shown == [*names[: MAX_SHOWN - 2], "title", "reference"]


@pytest.mark.parametrize("position", ["", "-1", "1e9", "9" * 400, "٣", "\0", "null"])
def test_whatever_stands_as_a_position_the_columns_are_kept(
    page: Client, bugs: FeedbackType, position: str
) -> None:
    data = form(page, TICKETS, type=bugs.pk)
    names = {*data["column"]}
    page.post(look("feedback"), {**data, "position-title": position})
    assert {*columns(page, TICKETS, type=bugs.pk)} == names
