"""When Perform Action asks, and what it asks for."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback.access.roles import Role
from feedback.models import Feedback, FeedbackType
from logs.models import Run
from macros.models import Macro
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def page(bugs: FeedbackType, client: Client) -> Client:
    client.force_login(factories.member(bugs, Role.SUPPORT, "sam"))
    return client


def perform(page: Client, macro: Macro, **form: str) -> Any:
    kind = macro.feedback_type_id
    url = f"{reverse('admin:feedback_feedback_changelist')}?type={kind}"
    first = Feedback.objects.filter(feedback_type=kind).earliest("pk")
    asked = {
        "action": f"macro_{macro.pk}",
        "index": "0",
        "select_across": "1",
        "_selected_action": str(first.pk),
    }
    return page.post(url, asked | form)


def confirm(page: Client, macro: Macro, count: int, typed: str = "") -> Any:
    form = {"confirmed_count": str(count), "run_key": uuid.uuid4().hex}
    form["confirmed_selection"] = perform(page, macro).context["digest"]
    return perform(page, macro, typed_count=typed, **form)


def test_it_asks_unless_told_otherwise(bugs: FeedbackType, page: Client) -> None:
    factories.ticket(bugs)
    macro = factories.macro(bugs, "https://example.com/")
    assert perform(page, macro).status_code == 200
    assert not Run.objects.exists()
    Macro.objects.update(asks_confirmation=False)
    response = perform(page, macro)
    run = Run.objects.get()
    assert response["Location"] == reverse("admin:logs_run_change", args=[run.pk])


def test_a_double_click_makes_one_run_also_where_nobody_is_asked(
    bugs: FeedbackType, page: Client
) -> None:
    factories.tickets(bugs, 2)
    macro = factories.macro(bugs, "https://example.com/")
    Macro.objects.update(asks_confirmation=False)
    shown = {"csrfmiddlewaretoken": "a" * 64}
    first = perform(page, macro, **shown)
    assert perform(page, macro, **shown)["Location"] == first["Location"]
    assert Run.objects.count() == 1
    # Another selection on that page is meant, and so is the same on a new one.
    perform(page, macro, **shown, select_across="0")
    perform(page, macro, csrfmiddlewaretoken="b" * 64)
    assert [run.total for run in Run.objects.order_by("pk")] == [2, 1, 2]


def test_without_asking_a_refusal_is_still_told(
    bugs: FeedbackType, page: Client
) -> None:
    factories.ticket(bugs)
    macro = factories.macro(bugs, "https://example.com/")
    Macro.objects.update(asks_confirmation=False, paused_reason="Too hot.")
    response = perform(page, macro)
    html = page.get(response["Location"]).content.decode()
    assert "paused: Too hot." in html
    assert not Run.objects.exists()


@pytest.mark.parametrize("asks", [True, False])
def test_more_than_a_thousand_are_typed(
    bugs: FeedbackType, page: Client, asks: bool
) -> None:
    factories.tickets(bugs, 1001)
    macro = factories.macro(bugs, "https://example.com/")
    Macro.objects.update(asks_confirmation=asks)
    first = perform(page, macro).content.decode()
    assert 'name="typed_count"' in first
    for typed in ("", "1000", "1001x", "1,0011", "\0"):
        again = confirm(page, macro, 1001, typed).content.decode()
        assert "Type 1,001 below to confirm" in again, typed
    assert not Run.objects.exists()
    assert confirm(page, macro, 1001, " 1.001 ").status_code == 302
    assert Run.objects.get().total == 1001


def test_a_thousand_are_not_typed(bugs: FeedbackType, page: Client) -> None:
    factories.tickets(bugs, 1000)
    macro = factories.macro(bugs, "https://example.com/")
    assert 'name="typed_count"' not in perform(page, macro).content.decode()
    assert confirm(page, macro, 1000).status_code == 302


def test_what_a_macro_has_run_on_is_counted_and_left_out(
    bugs: FeedbackType, page: Client
) -> None:
    factories.tickets(bugs, 2)
    macro = factories.macro(bugs, "https://example.com/")
    Macro.objects.update(once_per_subject=True)
    factories.run(macro)
    Macro.objects.update(once_per_subject=True)
    html = perform(page, macro).content.decode()
    assert "runs once per ticket, and has run on all" in html
    factories.ticket(bugs)
    html = perform(page, macro).content.decode()
    assert "2 of the selection are left out" in html
    response = confirm(page, macro, 1)
    html = page.get(response["Location"]).content.decode()
    assert "2 of it were left out" in html
