"""Perform Action as a person does it: tick, choose, read, confirm, watch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from centerhook.receiver import Receiver
from logs.models import Run
from tests import factories
from tests.browser.signing_in import open_list

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_run_is_started_watched_and_read_without_a_reload(
    screen: Page, start: Callable[..., Any], receiver: Receiver
) -> None:
    factories.superuser("olivia")
    bugs = factories.feedback_type()
    factories.tickets(bugs, 60, title="It <b>breaks</b>")
    factories.macro(bugs, f"{receiver.url}/delay/100", name="Post to Slack")

    screen.goto("/admin/login/")
    screen.fill("#id_username", "olivia")
    screen.fill("#id_password", "secret-word")
    screen.click("[type=submit]")
    open_list(screen, "Bug Report")
    screen.check("#action-toggle")
    screen.get_by_role("button", name="Select all 60").click()
    screen.select_option("select[name=action]", label="Post to Slack")
    screen.get_by_role("button", name="Perform Action").click()

    expect(screen.locator(".lead")).to_contain_text("60 tickets will be sent")
    expect(screen.locator("pre.wire").first).to_contain_text('"It <b>breaks</b>"')
    screen.get_by_role("button", name="Perform Action").click()

    expect(screen.locator("#progress")).to_contain_text("No worker is running")
    start("worker")
    start("clock")
    progress = screen.locator("#progress")
    expect(progress).to_contain_text("60 of 60 deliveries ended", timeout=20_000)
    screen.locator("#progress table a").first.click()
    expect(screen.locator(".diagnosis")).to_contain_text("the system accepted")
    assert Run.objects.get().delivered == 60
    assert len(receiver.ids) == 60
