from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests import chromium
from tests.processes.conftest import at_work, start  # noqa: F401


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if chromium.path() is None and "REQUIRE_BROWSER" in os.environ:
        pytest.fail(chromium.MISSING)
    if chromium.path() is None:
        pytest.skip(chromium.MISSING)
    # Playwright keeps an event loop in this thread, which Django would refuse.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def screen(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """A page whose scripts must not fail, in the live server's admin."""
    context = browser.new_context(base_url=live_server.url)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    assert not faults
