"""The API's pages under a strict policy, on this server alone."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import ConsoleMessage, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from tests import factories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'"


def test_an_operation_is_tried_with_the_admins_session(
    screen: Page, live_server: LiveServer
) -> None:
    factories.superuser("olivia")
    factories.ticket(factories.feedback_type(), title="It breaks")
    asked: list[str] = []
    complaints: list[str] = []

    def with_policy(route: Route) -> None:
        asked.append(route.request.url)
        response = route.fetch()
        headers = {**response.headers, "content-security-policy": POLICY}
        route.fulfill(response=response, headers=headers)

    def listen(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            complaints.append(message.text)

    screen.goto("/admin/login/")
    screen.fill("#id_username", "olivia")
    screen.fill("#id_password", "secret-word")
    screen.click("[type=submit]")
    screen.on("console", listen)
    screen.route("**/*", with_policy)
    # Operations that are out of sight are not drawn.
    screen.goto("/api/v1/docs/#/feedback/feedback_list")
    screen.get_by_role("button", name="Try it out").click()
    screen.get_by_role("button", name="Execute").click()
    expect(screen.get_by_text('"It breaks"')).to_be_visible()
    assert all(url.startswith((live_server.url, "data:")) for url in asked)
    assert complaints == []


@pytest.mark.sweep
def test_the_reference_is_read_in_both_themes_and_widths(
    screen: Page, live_server: LiveServer
) -> None:
    """Redoc: nothing from elsewhere, and nothing on the console."""
    asked: list[str] = []
    messages: list[str] = []
    screen.on("request", lambda request: asked.append(request.url))
    screen.on("console", lambda message: messages.append(message.text))
    schemes: list[Literal["light", "dark"]] = ["light", "dark"]
    for scheme in schemes:
        for width in (1280, 400):
            screen.emulate_media(color_scheme=scheme)
            screen.set_viewport_size({"width": width, "height": 800})
            screen.goto("/api/v1/redoc/")
            heading = screen.get_by_role("heading", name="Find tickets").first
            expect(heading).to_be_visible(timeout=30_000)
            assert screen.evaluate("document.documentElement.scrollWidth") == width
    assert all(url.startswith((live_server.url, "data:")) for url in asked)
    assert messages == []
