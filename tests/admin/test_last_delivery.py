"""The column of what was last sent about a ticket or tester."""

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
from feedback.models import Feedback, FeedbackType
from logs.models import Cause, Delivery, DeliveryState
from macros.models import Macro
from macros.runs import start_run
from tests import factories

TICKETS = reverse("admin:feedback_feedback_changelist")
TESTERS = reverse("admin:feedback_tester_changelist")


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def slack(bugs: FeedbackType) -> Macro:
    return factories.macro(bugs, "https://example.com/", name="Tell Slack")


def sent(macro: Macro, state: str, cause: Cause = Cause.ACTION) -> None:
    """A run on every ticket, whose deliveries all stand so."""
    run = start_run(macro, Feedback.objects.all(), cause=cause)
    Delivery.objects.filter(run=run).update(state=state)


def cells(page: Client, url: str, **query: Any) -> list[str]:
    response = page.get(url, query)
    assert response.status_code == 200
    html = unescape(response.content.decode()).split("<tbody>")[1]
    cells = re.findall(r'class="field-last_delivery[^>]*>(.*?)</td>', html, re.DOTALL)
    return [re.sub(r"<[^>]+>", "", each).strip() for each in cells]


def test_each_row_says_how_its_newest_delivery_stands(
    page: Client, bugs: FeedbackType, slack: Macro
) -> None:
    factories.ticket(bugs, title="Old")
    sent(slack, DeliveryState.FAILED)
    sent(slack, DeliveryState.DELIVERED)
    factories.ticket(bugs, title="New")
    assert sorted(cells(page, TICKETS, type=bugs.pk)) == ["-", "Delivered"]
    sent(slack, DeliveryState.FAILED)
    assert cells(page, TICKETS, type=bugs.pk) == ["Failed", "Failed"]
    html = unescape(page.get(TICKETS, {"type": bugs.pk}).content.decode())
    newest = Delivery.objects.order_by("-pk")[0]
    link = reverse("admin:logs_delivery_change", args=[newest.pk])
    assert f'<a href="{link}" title="Tell Slack, ' in html
    assert 'class="badge bad">Failed' in html


def test_what_was_sent_to_try_a_macro_out_is_none(
    page: Client, bugs: FeedbackType, slack: Macro
) -> None:
    factories.ticket(bugs)
    sent(slack, DeliveryState.DELIVERED)
    sent(slack, DeliveryState.FAILED, Cause.TEST)
    assert cells(page, TICKETS, type=bugs.pk) == ["Delivered"]


def test_testers_have_it_where_it_is_chosen(page: Client, bugs: FeedbackType) -> None:
    ann = factories.tester(bugs)
    factories.ticket(bugs, submitter=ann)
    macro = factories.macro(bugs.project, "https://example.com/", name="Send swag")
    run = start_run(macro, type(ann).objects.filter(pk=ann.pk), cause=Cause.ACTION)
    Delivery.objects.filter(run=run).update(state=DeliveryState.SKIPPED)
    assert cells(page, TESTERS) == []
    chosen = {"query": "", "column": ["email", "last_delivery"]}
    page.post(reverse("admin:feedback_tester_look"), chosen)
    assert cells(page, TESTERS) == ["Skipped"]


def test_one_query_finds_them_however_many_rows_and_deliveries(
    page: Client, bugs: FeedbackType, slack: Macro
) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as seen:
            page.get(TICKETS, {"type": bugs.pk})
        return sum('"logs_delivery"' in each["sql"] for each in seen)

    factories.ticket(bugs)
    sent(slack, DeliveryState.DELIVERED)
    page.get(TICKETS, {"type": bugs.pk})
    before = asked()
    factories.tickets(bugs, 20)
    for _ in range(3):
        sent(slack, DeliveryState.DELIVERED)
    assert asked() == before
    hidden = {"query": f"type={bugs.pk}", "column": ["reference", "title"]}
    page.post(reverse("admin:feedback_feedback_look"), hidden)
    assert asked() == before - 1


def test_every_role_that_sees_the_list_sees_it(
    bugs: FeedbackType, slack: Macro
) -> None:
    factories.ticket(bugs)
    sent(slack, DeliveryState.DELIVERED)
    for role in Role.values:
        client = Client()
        client.force_login(factories.member(bugs, role, role))
        assert cells(client, TICKETS, type=bugs.pk) == ["Delivered"]
