"""From an empty installation to the first delivered message, click by click."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from centerhook.receiver import Receiver
from macros.first_steps.samples import add_samples
from macros.first_steps.way import FirstStep
from tests import factories
from tests.browser.signing_in import faultless, sign_in
from tests.browser.test_accessibility import look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Signing in included.
MAX_CLICKS = 10
MAX_FIELDS = 5


@dataclass
class Counting:
    """A person's hands: what is clicked and typed."""

    screen: Page
    clicks: int = 0
    fields: int = 0

    def click(self, role: Any, name: str) -> None:
        self.clicks += 1
        self.screen.get_by_role(role, name=name, exact=True).click()

    def fill(self, field: Locator, value: str) -> None:
        self.fields += 1
        field.fill(value)


@pytest.mark.usefixtures("at_work")
def test_the_first_message_takes_ten_clicks_and_five_fields(
    screen: Page, receiver: Receiver
) -> None:
    factories.superuser("olivia")
    hands = Counting(screen)
    screen.goto("/admin/login/")
    with faultless(screen):
        hands.fill(screen.get_by_label("Username"), "olivia")
        hands.fill(screen.get_by_label("Password"), "secret-word")
        hands.click("button", "Log in")
        hands.fill(screen.get_by_label("Name of the community"), "Northwind Beta")
        hands.click("button", "Create the community")
        hands.click("button", "Create the API key")
        expect(screen.get_by_text("The API key is there.")).to_be_visible()
        hands.fill(screen.get_by_label("Name of the project"), "Spring Beta")
        hands.click("button", "Create the project")
        hands.click("button", "Start with Bug report")
        hands.click("button", "Add sample tickets")
        hands.click("link", "Post a message to Slack")
        hands.fill(screen.get_by_label("Webhook URL"), f"{receiver.url}/slack/")
        hands.click("button", "Make the macro")
        hands.click("button", "Test send")
        expect(screen.get_by_text("The test of BUG-5")).to_contain_text(
            "Delivered", timeout=20_000
        )
        assert receiver.requests == []
        hands.click("button", "Perform Action")
        expect(screen.locator("#progress")).to_contain_text("5 of 5", timeout=20_000)
    texts = [json.loads(each.body)["text"] for each in receiver.requests]
    assert len(texts) == 5
    assert all("Sample: " in text for text in texts)
    assert hands.clicks <= MAX_CLICKS
    assert hands.fields <= MAX_FIELDS
    screen.goto("/admin/first-steps/")
    screen.get_by_role("button", name="Remove them").click()
    expect(screen.locator(".messagelist")).to_contain_text(
        "5 sample tickets are removed"
    )


@pytest.mark.sweep
def test_each_screen_is_open_to_everybody_and_fits(screen: Page) -> None:
    factories.superuser("olivia")
    sign_in(screen, "olivia")
    assert look(screen, "/admin/") == []
    bugs = factories.feedback_type()
    add_samples(bugs)
    factories.macro(bugs, "https://example.com/")
    for step in FirstStep:
        assert look(screen, f"/admin/first-steps/{step}/") == [], step
    assert look(screen, "/admin/") == []
