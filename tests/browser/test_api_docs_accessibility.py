"""What axe-core finds on the pages of the API, which are made by vendors.

What can't be mended from here is listed, and docs/design.md has the same list.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.test import Client
from playwright.sync_api import Page, Route
from pytest_django.live_server_helper import LiveServer

from tests import factories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[2]
DOCS = {"Swagger UI": "/api/v1/docs/", "Redoc": "/api/v1/redoc/"}
# Made by the vendor's script, each with what axe-core says of it.
VENDORS = {
    "Swagger UI": {
        "heading-order",
        "nested-interactive",
        "region",
        "scrollable-region-focusable",
        "select-name",
    },
    "Redoc": {"color-contrast", "heading-order"},
}
BROKEN = """async () => {
    const results = await axe.run({resultTypes: ["violations"]});
    return results.violations.map(rule => [rule.id, rule.nodes.map(
        node => `${node.html.slice(0, 200)} ${node.failureSummary}`)]);
}"""


def tickets_only(route: Route) -> None:
    """The operations on tickets alone: the many others are drawn alike."""
    response = route.fetch(url=f"{route.request.url}?format=json")
    schema = response.json()
    path = "/api/v1/feedback/"
    route.fulfill(json={**schema, "paths": {path: schema["paths"][path]}})


@pytest.mark.parametrize("name", DOCS)
def test_only_what_the_vendor_makes_is_found(
    screen: Page, live_server: LiveServer, name: str
) -> None:
    client = Client()
    client.force_login(factories.superuser("olivia"))
    for key, cookie in client.cookies.items():
        value = {"name": key, "value": cookie.value, "url": live_server.url}
        screen.context.add_cookies([value])
    screen.route("**/api/v1/schema/", tickets_only)
    broken: dict[str, list[str]] = {}
    for scheme in ("light", "dark"):
        screen.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        screen.goto(DOCS[name])
        if name == "Swagger UI":
            screen.get_by_text("Find tickets").click()
            screen.get_by_role("button", name="Try it out").wait_for()
        else:
            screen.get_by_role("heading", name="Find tickets").wait_for()
        screen.evaluate(AXE_SCRIPT)
        for rule, nodes in screen.evaluate(BROKEN):
            broken[rule] = [
                *broken.get(rule, []),
                *(f"{scheme}: {each}" for each in nodes),
            ]
    others = {
        rule: nodes for rule, nodes in broken.items() if rule not in VENDORS[name]
    }
    assert others == {}
    assert {*broken} == VENDORS[name]


def test_the_design_lists_the_same() -> None:
    text = (ROOT / "docs" / "design.md").read_text()
    for name, rules in VENDORS.items():
        [row] = re.findall(rf"^\| {name} \| (.*?) \|$", text, re.MULTILINE)
        assert set(re.findall(r"`([a-z-]+)`", row)) == rules
