"""What is typed when the session has ended is there again after the next sign-in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse
from playwright.sync_api import Page, expect

from feedback.access.roles import Role
from feedback.models import Feedback, FeedbackType
from macros.models import Macro, Secret
from tests import factories
from tests.browser.signing_in import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def bugs() -> FeedbackType:
    made = factories.feedback_type()
    factories.member(made, Role.COMMUNITY_MANAGER, "paul")
    factories.ticket(made, title="Login fails")
    return made


@pytest.fixture
def paul(screen: Page, bugs: FeedbackType) -> Iterator[Page]:
    sign_in(screen, "paul")
    yield screen


def send(page: Page, name: str = "Save") -> None:
    page.get_by_role("main").get_by_role("button", name=name, exact=True).click()


def type_password(page: Page, name: str = "paul") -> None:
    page.fill("#id_username", name)
    page.fill("#id_password", "secret-word")
    page.click("[type=submit]")


def sign_in_again(page: Page) -> None:
    """And wait until the form is there as it was typed."""
    type_password(page)
    page.wait_for_selector("[name=_typed][data-unsaved]", state="attached")


def kept(page: Page) -> Any:
    return json.loads(page.evaluate("sessionStorage.getItem('typed')") or "null")


def add_ticket(bugs: FeedbackType) -> str:
    return f"{reverse('admin:feedback_feedback_add')}?type={bugs.pk}"


def test_a_new_ticket_is_typed_once(paul: Page, bugs: FeedbackType) -> None:
    paul.goto(add_ticket(bugs))
    paul.get_by_label("Title").fill("The app <closes>")
    paul.get_by_label("Severity").select_option("Major")
    Session.objects.all().delete()
    send(paul)
    expect(paul.locator(".typed-note")).to_contain_text("kept in this tab")
    sign_in_again(paul)
    expect(paul.get_by_role("status")).to_contain_text("Nothing of it is saved yet")
    expect(paul.get_by_label("Title")).to_have_value("The app <closes>")
    expect(paul.get_by_label("Severity")).to_have_value("Major")
    assert kept(paul) is None and Feedback.objects.count() == 1
    # It is as good as typed: it outlives the next end of a session, and is saved.
    Session.objects.all().delete()
    send(paul)
    sign_in_again(paul)
    expect(paul.get_by_label("Title")).to_have_value("The app <closes>")
    send(paul)
    expect(paul.locator(".messagelist")).to_contain_text("BUG-2")
    assert Feedback.objects.get(number=2).form_values["severity"] == "Major"
    assert kept(paul) is None


def test_a_macro_comes_back_with_its_new_step(paul: Page, bugs: FeedbackType) -> None:
    macro = factories.macro(bugs, "https://a.example/hook", name="Post")
    paul.goto(reverse("admin:macros_macro_change", args=[macro.pk]))
    paul.get_by_label("Name").first.fill("Post it")
    paul.get_by_text("+ Add a step").click()
    paul.get_by_role("button", name="Add a comment").click()
    expect(paul.locator("#addcomment-0 .cm-content")).to_be_focused()
    paul.keyboard.type("Thanks for it")
    Session.objects.all().delete()
    send(paul)
    sign_in_again(paul)
    expect(paul.get_by_label("Name").first).to_have_value("Post it")
    expect(paul.locator("#addcomment-0 .entry-line")).to_contain_text("Thanks for it")
    assert Macro.objects.get().name == "Post"
    send(paul)
    expect(paul.locator(".messagelist")).to_contain_text("Post it")
    assert [str(step) for step in macro.concrete_steps()] == [
        "POST https://a.example/hook",
        "Add the comment “Thanks for it”",
    ]


def test_a_form_of_no_row_is_filled_in_again_without_its_secrets(
    paul: Page, bugs: FeedbackType
) -> None:
    paul.goto(reverse("admin:macros_macro_new_preset", args=["slack-text"]))
    paul.get_by_label("Macro name").fill("Tell the team")
    paul.get_by_label("Feedback type").select_option(index=1)
    paul.locator("[data-secret]").first.fill("https://hooks.slack.com/services/T0/B0/x")
    Session.objects.all().delete()
    send(paul, "Make the macro")
    expect(paul.locator(".typed-note")).to_be_visible()
    assert "Tell the team" in str(kept(paul)) and "hooks.slack.com" not in str(
        kept(paul)
    )
    type_password(paul)
    expect(paul.locator(".typed-note")).to_contain_text("nothing of it is saved yet")
    expect(paul.get_by_label("Macro name")).to_have_value("Tell the team")
    expect(paul.locator("[data-secret]").first).to_have_value("")
    assert not Secret.objects.exists()


def test_after_a_sign_in_beside_it_the_form_is_a_click_away(
    paul: Page, bugs: FeedbackType
) -> None:
    ticket = bugs.tickets.get()
    url = reverse("admin:feedback_feedback_change", args=[ticket.pk])
    paul.goto(url)
    paul.get_by_label("Description").fill("Since Monday")
    Session.objects.all().delete()
    beside = paul.context.new_page()
    beside.goto("/admin/login/")
    type_password(beside)
    beside.wait_for_url("**/admin/")
    send(paul)
    expect(paul.get_by_role("heading", level=1)).to_contain_text("can't be accepted")
    paul.get_by_role("link", name="Back to the form").click()
    paul.wait_for_selector("[name=_typed][data-unsaved]", state="attached")
    expect(paul.get_by_label("Description")).to_have_value("Since Monday")
    send(paul)
    expect(paul.locator(".messagelist")).to_contain_text("changed successfully")
    assert bugs.tickets.get().description == "Since Monday"


def test_a_form_on_a_page_of_its_own_is_sent_on_as_it_was(
    paul: Page, bugs: FeedbackType
) -> None:
    paul.goto(f"{reverse('admin:feedback_feedback_changelist')}?type={bugs.pk}")
    paul.locator(".action-select").first.check()
    send(paul, "Change fields…")
    paul.get_by_label("Change Severity").check()
    paul.locator("#change-many").get_by_role("combobox").first.wait_for()
    paul.get_by_role("group", name="Severity").get_by_role("combobox").select_option(
        "Minor"
    )
    Session.objects.all().delete()
    send(paul, "See what would change")
    type_password(paul)
    expect(paul.locator(".typed-note")).to_contain_text("its page is closed")
    paul.get_by_role("button", name="Send it as it was").click()
    expect(paul.get_by_role("main")).to_contain_text("1 ticket would change")
    expect(paul.locator(".typed-note")).to_have_count(0)
    assert bugs.tickets.get().form_values.get("severity") != "Minor"
    assert kept(paul) is None


def test_nobody_else_reads_it(paul: Page, bugs: FeedbackType) -> None:
    factories.member(bugs, Role.SUPPORT, "mia")
    paul.goto(add_ticket(bugs))
    paul.get_by_label("Title").fill("For my eyes")
    Session.objects.all().delete()
    send(paul)
    type_password(paul, "mia")
    expect(paul.get_by_label("Title")).to_have_value("")
    assert kept(paul) is None


def test_what_was_saved_or_left_is_not_kept(paul: Page, bugs: FeedbackType) -> None:
    paul.goto(add_ticket(bugs))
    paul.get_by_label("Title").fill("Saved")
    paul.get_by_label("Severity").select_option("Major")
    send(paul)
    expect(paul.locator(".messagelist")).to_contain_text("BUG-2")
    assert kept(paul) is None
    paul.goto(add_ticket(bugs))
    paul.get_by_label("Title").fill("Left")
    paul.get_by_role("button", name="paul").click()
    paul.get_by_role("button", name="Log out").click()
    paul.goto("/admin/login/")
    assert kept(paul) is None


def test_what_is_too_long_says_so(paul: Page, bugs: FeedbackType) -> None:
    paul.goto(add_ticket(bugs))
    text = "long " * 400_001
    paul.evaluate(
        "text => { document.querySelector('#id_description').value = text }", text
    )
    Session.objects.all().delete()
    paul.goto(add_ticket(bugs))
    expect(paul.locator(".typed-note")).to_contain_text("too long to be kept")
    type_password(paul)
    expect(paul.get_by_label("Title")).to_have_value("")
