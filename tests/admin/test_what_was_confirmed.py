"""What was confirmed is what is sent, though as many are selected by then."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback.models import Feedback, FeedbackType
from feedback.models import Tester as Person
from feedback.selection.confirmed import digest_of, what_changed
from logs.models import Delivery, Run
from tests import factories

pytestmark = pytest.mark.django_db

Change = Callable[[FeedbackType, list[Feedback]], object]


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def page(client: Client) -> Client:
    client.force_login(factories.superuser())
    return client


def hidden_inputs(response: Any) -> dict[str, list[str]]:
    form = response.content.decode().split('method="post">')[-1]
    inputs = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)
    given: dict[str, list[str]] = {}
    for name, value in inputs:
        given.setdefault(name, []).append(unescape(value))
    return given


def one_for_another(bugs: FeedbackType, tickets: list[Feedback]) -> None:
    Feedback.objects.filter(pk=tickets[3].pk).update(title="Solved")
    factories.ticket(bugs, title="Crash that nobody saw")


def one_more(bugs: FeedbackType, tickets: list[Feedback]) -> None:
    factories.ticket(bugs, title="Crash that nobody saw")


def one_fewer(bugs: FeedbackType, tickets: list[Feedback]) -> None:
    tickets[3].delete()


def all_others(bugs: FeedbackType, tickets: list[Feedback]) -> None:
    Feedback.objects.update(title="Solved")
    factories.tickets(bugs, 10, title="Crash that nobody saw")


CHANGES: dict[Change, str] = {
    one_for_another: "It still has 10, but not the same ones.",
    all_others: "It still has 10, but not the same ones.",
    one_more: "It had 10 and has 11 now.",
    one_fewer: "It had 10 and has 9 now.",
}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_run_is_on_what_was_confirmed(
    page: Client, bugs: FeedbackType, change: Change
) -> None:
    tickets = factories.tickets(bugs, 10, title="Crash")
    macro = factories.macro(bugs, "https://example.com/")
    url = reverse("admin:feedback_feedback_changelist")
    url += f"?type={bugs.pk}&search=Crash"
    asked = {"action": f"macro_{macro.pk}", "index": "0", "select_across": "1"}
    shown = page.post(url, {**asked, "_selected_action": [tickets[0].pk]})
    form = hidden_inputs(shown)
    change(bugs, tickets)
    again = page.post(url, form)
    assert CHANGES[change] in again.content.decode()
    assert not Run.objects.exists()
    confirmed = page.post(url, hidden_inputs(again))
    run = Run.objects.get()
    assert confirmed["Location"] == reverse("admin:logs_run_change", args=[run.pk])
    seen = Feedback.objects.filter(title__startswith="Crash")
    assert set(run.deliveries.values_list("feedback", flat=True)) == set(
        seen.values_list("pk", flat=True)
    )


def test_a_run_across_pages_needs_its_digest(page: Client, bugs: FeedbackType) -> None:
    factories.tickets(bugs, 2)
    macro = factories.macro(bugs, "https://example.com/")
    url = f"{reverse('admin:feedback_feedback_changelist')}?type={bugs.pk}"
    form = {"action": f"macro_{macro.pk}", "index": "0", "select_across": "1"}
    form |= {"_selected_action": "1", "confirmed_count": "2"}
    for digest in ({}, {"confirmed_selection": ""}, {"confirmed_selection": "é"}):
        assert page.post(url, form | digest).status_code == 200
    assert not Run.objects.exists()


def test_testers_are_those_that_were_confirmed(
    page: Client, bugs: FeedbackType
) -> None:
    community = bugs.project.community
    testers = [factories.tester(bugs) for _ in range(3)]
    macro = factories.macro(community, "https://example.com/")
    url = reverse("admin:feedback_tester_changelist") + "?search=Tara"
    asked = {"action": f"macro_{macro.pk}", "index": "0", "select_across": "1"}
    form = hidden_inputs(page.post(url, {**asked, "_selected_action": "1"}))
    Person.objects.filter(pk=testers[0].pk).update(
        first_name="Ada", email="a@example.com"
    )
    factories.tester(bugs)
    again = page.post(url, form)
    assert "not the same ones" in again.content.decode()
    assert not Run.objects.exists()


def test_a_resend_is_of_what_was_confirmed(page: Client, bugs: FeedbackType) -> None:
    factories.tickets(bugs, 6)
    run = factories.run(factories.macro(bugs, "https://example.com/"))
    rows = run.deliveries.order_by("pk")
    rows.update(state="failed", attempts=1, next_attempt_at=None)
    *_, last = rows
    Delivery.objects.filter(pk=last.pk).update(state="delivered")
    Run.objects.update(failed=5, delivered=1, state="finished")
    url = reverse("admin:logs_delivery_changelist") + "?state__exact=failed"
    asked = {"action": "resend_anew", "index": "0", "select_across": "1"}
    form = hidden_inputs(page.post(url, {**asked, "_selected_action": [last.pk]}))
    first = rows.first()
    assert first is not None
    Delivery.objects.filter(pk=first.pk).update(state="delivered")
    Delivery.objects.filter(pk=last.pk).update(state="failed")
    again = page.post(url, form)
    assert "It still has 5, but not the same ones." in again.content.decode()
    assert not Delivery.objects.filter(state="pending").exists()
    page.post(url, hidden_inputs(again))
    due = Delivery.objects.filter(state="pending").values_list("pk", flat=True)
    assert set(due) == set(rows.values_list("pk", flat=True)) - {first.pk}


def test_a_digest_is_of_the_rows_in_any_order(bugs: FeedbackType) -> None:
    tickets = factories.tickets(bugs, 5)
    rows = Feedback.objects.all()
    whole = digest_of(rows.order_by("-pk"))
    assert whole == digest_of(rows.order_by("title"))
    others = {whole} | {digest_of(rows.exclude(pk=each.pk)) for each in tickets}
    assert len(others) == 6
    assert digest_of(rows.none()) not in others


@pytest.mark.parametrize("odd", ["", "-1", "²", "1" * 5_000, "ten", "1,000"])
def test_an_odd_count_is_not_read(odd: str) -> None:
    assert what_changed(odd, 3) == (
        "The selection has changed meanwhile. Please check it again."
    )
