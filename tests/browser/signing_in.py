"""What several browser tests do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import ConsoleMessage, Page


def sign_in(screen: Page, name: str) -> None:
    screen.goto("/admin/login/")
    screen.fill("#id_username", name)
    screen.fill("#id_password", "secret-word")
    screen.click("[type=submit]")
    screen.wait_for_url("**/admin/")


def open_list(screen: Page, name: str) -> None:
    """From the menu, until its scripts are there: a tick before that does not last."""
    screen.locator("#menu").get_by_role("link", name=name).click()
    screen.wait_for_url("**/admin/feedback/feedback/**")


@contextmanager
def faultless(screen: Page) -> Iterator[None]:
    """Fails if the console reports a fault of scripts, policy or responses."""
    messages: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            messages.append(message.text)

    screen.on("console", note)
    yield
    assert messages == [], messages
