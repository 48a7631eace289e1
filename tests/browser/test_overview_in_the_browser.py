"""The large chart is looked at closer by dragging over it, and is a picture without."""

from __future__ import annotations

from collections import Counter

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from logs.recording import counts
from tests import factories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def signed_in(screen: Page, live_server: LiveServer) -> None:
    bugs = factories.feedback_type()
    factories.tickets(bugs, 3)
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    about = bugs.project.community_id, bugs.project_id, 1, 1
    tally = Counter(delivered=9, failed=3, ms_100=12)
    counts.add({("hour", hour, *about): tally})
    client = Client()
    client.force_login(factories.superuser())
    for name, cookie in client.cookies.items():
        value = {"name": name, "value": cookie.value, "url": live_server.url}
        screen.context.add_cookies([value])


def test_one_drags_to_look_closer_and_a_button_leads_back(
    screen: Page, signed_in: None
) -> None:
    screen.goto(reverse("admin:index"))
    again = screen.get_by_role("button", name="Show all again")
    expect(screen.locator(".zoom-help")).to_be_visible()
    expect(again).to_be_hidden()
    plot = screen.locator(".u-over")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    screen.mouse.move(box["x"] + box["width"] * 0.3, middle)
    screen.mouse.down()
    screen.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=5)
    screen.mouse.up()
    again.click()
    expect(again).to_be_hidden()


def test_the_table_behind_it_opens_by_keyboard(screen: Page, signed_in: None) -> None:
    screen.goto(reverse("admin:index"))
    summary = screen.locator("figure.large summary")
    summary.focus()
    screen.keyboard.press("Enter")
    row = screen.locator("figure.large tbody tr").first
    expect(row.locator("td")).to_have_text(["9", "3"])


def test_without_javascript_it_is_the_servers_picture(
    screen: Page, signed_in: None, live_server: LiveServer
) -> None:
    browser = screen.context.browser
    assert browser is not None
    context = browser.new_context(java_script_enabled=False, base_url=live_server.url)
    context.add_cookies(screen.context.cookies())  # type: ignore[arg-type]
    plain = context.new_page()
    plain.goto(reverse("admin:index"))
    expect(plain.locator("figure.large .plot svg")).to_be_visible()
    expect(plain.locator("figure.large .plot rect")).to_have_count(2)
    context.close()
