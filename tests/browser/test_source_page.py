"""The page of an external source in a real browser, and the form that it gives."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from feedback.models import Feedback
from tests import factories
from tests.api.callers import issue_key
from tests.browser.signing_in import faultless, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_what_is_copied_from_the_page_works(
    screen: Page, live_server: LiveServer, settings: object
) -> None:
    settings.BASE_URL = live_server.url  # type: ignore[attr-defined]
    bugs = factories.feedback_type()
    source = factories.source(bugs, name="Web form", makes_testers=True)
    factories.superuser("olivia")
    token = issue_key(bugs, scope_listener=True)
    screen.context.grant_permissions(["clipboard-read", "clipboard-write"])
    sign_in(screen, "olivia")
    with faultless(screen):
        screen.goto(f"/admin/feedback/externalsource/{source.pk}/change/")
        screen.click("[data-copy=source-url]")
        url = screen.evaluate("navigator.clipboard.readText()")
        assert url == f"{live_server.url}/sources/{source.key}/"
        screen.click("summary:has-text('HTML form')")
        screen.click("[data-copy=source-form]")
        form = screen.evaluate("navigator.clipboard.readText()")
    # On somebody else's page, with the key that they were given.
    page = screen.context.new_page()
    page.set_content(form.replace("YOUR-API-KEY", token))
    page.fill("[name=title]", "It breaks")
    page.fill("[name=submitter]", "new@example.com")
    page.select_option("[name=status]", "New")
    page.select_option("[name=platform]", ["iOS", "Grün"])
    page.check("[name=reproducible]")
    page.fill("[name=impact]", "1.5")
    page.fill("[name=found_on]", "2026-11-26")
    page.click("text=Send")
    page.wait_for_url("**/sources/**")
    assert "BUG-1" in page.inner_text("body")
    ticket = Feedback.objects.get()
    assert ticket.form_values["platform"] == ["iOS", "Grün"]
    assert ticket.form_values["reproducible"] is True
    assert ticket.form_values["found_on"] == "2026-11-26"


def test_a_new_key_is_made_after_a_look_at_what_stops(screen: Page) -> None:
    source = factories.source(factories.feedback_type())
    factories.superuser("olivia")
    sign_in(screen, "olivia")
    with faultless(screen):
        screen.goto(f"/admin/feedback/externalsource/{source.pk}/change/")
        screen.click("text=New key")
        assert "stops at once" in screen.inner_text("#content")
        screen.click("text=Make a new key")
        screen.wait_for_url("**/change/")
        assert source.key not in screen.inner_text("#source-url")
