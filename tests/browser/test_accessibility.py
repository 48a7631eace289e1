"""What axe-core finds on every page, light and dark; and that no page is too wide.

Each page is loaded once: its colours follow the browser's wish, and its layout the
width of the window, without another load.
"""

from __future__ import annotations

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from cryptography.fernet import Fernet
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from centerhook import installation
from feedback.models import Mode
from tests import factories
from tests.walk.addresses import whole_pages
from tests.walk.world import World

pytestmark = [pytest.mark.browser, pytest.mark.sweep]

# What the colours of the dark page can break.
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
# What a narrow page hides: the words beside an icon.
NAMES = {"runOnly": {"type": "rule", "values": ["button-name", "link-name"]}}
RUN_AXE = """async options => {
    const results = await axe.run({resultTypes: ["violations"], ...options});
    return results.violations.flatMap(rule => rule.nodes.map(
        node => `${rule.id}: ${node.html.slice(0, 200)} ${node.failureSummary}`));
}"""
TOO_WIDE = """() => [...document.querySelectorAll(SCROLLED)]
    .filter(each => each.scrollWidth > each.clientWidth + 1)
    .map(each => `${each.tagName} ${each.id || each.className}`
        + ` ${each.scrollWidth} > ${each.clientWidth}`)"""
PAGE_TOO_WIDE = TOO_WIDE.replace("SCROLLED", "'html'")
LIST_TOO_WIDE = TOO_WIDE.replace("SCROLLED", "'html, .results'")


@pytest.fixture
def world(transactional_db: None) -> World:
    return World.build()


@pytest.fixture
def signed_in(screen: Page, live_server: LiveServer, world: World) -> Client:
    client = Client()
    client.force_login(factories.superuser("olivia"))
    for name, cookie in client.cookies.items():
        value = {"name": name, "value": cookie.value, "url": live_server.url}
        screen.context.add_cookies([value])
    return client


def look(screen: Page, url: str) -> list[str]:
    """One line for each element that breaks a rule, or is wider than its room."""
    screen.emulate_media(color_scheme="light", reduced_motion="reduce")
    screen.set_viewport_size({"width": 1280, "height": 800})
    screen.goto(url)
    screen.evaluate(AXE_SCRIPT)
    seen: list[str] = screen.evaluate(RUN_AXE, {})
    seen += [f"at 1280 px: {each}" for each in screen.evaluate(LIST_TOO_WIDE)]
    screen.emulate_media(color_scheme="dark", reduced_motion="reduce")
    seen += [f"dark, {each}" for each in screen.evaluate(RUN_AXE, CONTRAST)]
    screen.set_viewport_size({"width": 400, "height": 800})
    seen += [f"at 400 px, {each}" for each in screen.evaluate(RUN_AXE, NAMES)]
    return seen + [f"at 400 px: {each}" for each in screen.evaluate(PAGE_TOO_WIDE)]


def test_every_page_is_open_to_everybody_and_fits(
    screen: Page, signed_in: Client, world: World
) -> None:
    pages = whole_pages(signed_in, world, world.mine)
    # One of those that are all one page.
    deleting = [name for name in pages if name.endswith("_delete")]
    for name in deleting[1:]:
        del pages[name]
    assert len(pages) > 80
    faults = {name: seen for name, url in pages.items() if (seen := look(screen, url))}
    assert faults == {}


def test_so_are_the_pages_for_those_who_are_not_signed_in(
    screen: Page, live_server: LiveServer
) -> None:
    for url in (reverse("admin:login"), "/nothing/here/"):
        assert look(screen, url) == [], url


@pytest.mark.parametrize("new", [Mode.PAUSED, Mode.READ_ONLY])
def test_so_are_pages_with_the_banner_of_a_mode(
    screen: Page, signed_in: Client, settings: Settings, new: Mode
) -> None:
    installation.note_first_use()
    installation.set_mode(new, "olivia")
    settings.SECRETS_KEYS = [Fernet.generate_key().decode()]
    for name in ("admin:index", "admin:mode", "admin:doctor"):
        assert look(screen, reverse(name)) == [], name
