"""No page of ours needs what the Content-Security-Policy forbids."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from playwright.sync_api import ConsoleMessage, Page, expect
from pytest_django.live_server_helper import LiveServer

from feedback.models import Feedback
from macros.models import Macro
from tests import factories
from tests.security import pages

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def violations(screen: Page, live_server: LiveServer) -> list[str]:
    """What the browser complains of on its console, with somebody signed in."""
    factories.one_of_everything(factories.feedback_type())
    client = Client()
    client.force_login(factories.superuser("olivia"))
    for name, cookie in client.cookies.items():
        value = {"name": name, "value": cookie.value, "url": live_server.url}
        screen.context.add_cookies([value])
    violations: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            violations.append(f"{screen.url}: {message.text}")

    screen.on("console", note)
    return violations


def test_the_browser_says_when_the_policy_is_violated(
    screen: Page, violations: list[str]
) -> None:
    screen.goto(reverse("admin:index"))
    screen.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=x:y>')")
    screen.evaluate("document.body.insertAdjacentHTML('beforeend', '<p onclick=x>')")
    assert len(violations) == 2
    assert all("Content Security Policy" in each for each in violations)


@pytest.mark.sweep
def test_every_page_keeps_to_it(screen: Page, violations: list[str]) -> None:
    for url in pages.urls():
        response = screen.goto(url)
        assert response is not None and response.ok, url
    for url, form in pages.confirmations():
        screen.goto(url)
        screen.check(f'[name=_selected_action][value="{form["_selected_action"]}"]')
        choose(screen, form["action"])
        expect(screen.locator("#changelist-form")).to_have_count(0)
    assert violations == []


def choose(screen: Page, action: str) -> None:
    """A macro from the select, or whatever has a button of its own."""
    if action.startswith("macro_"):
        screen.select_option("select[name=action]", action)
        screen.get_by_role("button", name="Perform Action").click()
    else:
        screen.locator(f"input[value={action}] + button").click()


def test_so_do_login_and_error_pages(screen: Page, violations: list[str]) -> None:
    screen.goto("/nothing/")
    assert violations.pop().endswith("status of 404 (Not Found)")
    expect(screen.locator("h1")).to_have_text("There is nothing here")
    screen.context.clear_cookies()
    screen.goto(reverse("admin:login"))
    assert violations == []


def test_what_the_admins_scripts_add_keeps_to_it(
    screen: Page, violations: list[str]
) -> None:
    """Dates, pickers, inlines, the theme, popups, and selecting on all pages."""
    ticket, macro = Feedback.objects.get(), Macro.objects.get()
    olivia = User.objects.get(username="olivia")
    screen.goto(reverse("admin:auth_user_change", args=[olivia.pk]))
    # A link that holds it, or a button, by version.
    screen.locator(".date-icon").first.click()
    expect(screen.locator(".calendarbox").first).to_be_visible()
    screen.goto(reverse("admin:feedback_feedback_change", args=[ticket.pk]))
    screen.locator(".field-submitter .select2-selection").click()
    expect(screen.locator(".select2-results__option").first).to_have_text(
        "Everything Tester"
    )
    screen.keyboard.press("Escape")
    screen.locator(".theme-toggle").first.click()
    with screen.expect_popup() as popup:
        screen.locator("#change_id_submitter").click()
    popup.value.close()
    screen.goto(reverse("admin:macros_macro_change", args=[macro.pk]))
    screen.get_by_text("+ Add a step").click()
    screen.get_by_role("button", name="Web request").click()
    screen.locator("summary:visible", has_text="Authentication").last.click()
    screen.goto(reverse("admin:feedback_feedback_changelist"))
    screen.check("#action-toggle")
    screen.locator("#fold-menu").click()
    expect(screen.locator("#menu")).to_be_hidden()
    screen.reload()
    expect(screen.locator("#menu")).to_be_hidden()
    screen.locator("#fold-menu").click()
    expect(screen.locator("#menu")).to_be_visible()
    screen.locator(".who").click()
    expect(screen.get_by_role("button", name="Log out")).to_be_visible()
    assert violations == []
