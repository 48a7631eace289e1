"""The main job: bug reports go to Slack, by somebody who has never seen JSON."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

from centerhook.receiver import Receiver
from feedback.access.roles import Role
from logs.models import Cause, Run
from macros.models import Macro
from tests import factories
from tests.browser.signing_in import faultless, open_list, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.usefixtures("at_work")
def test_a_macro_is_made_from_a_preset_tried_saved_and_performed(
    screen: Page, receiver: Receiver
) -> None:
    bugs = factories.feedback_type()
    factories.member(bugs, Role.PROJECT_MANAGER, "paul")
    factories.ticket(bugs, title="Login <fails>", form_values={"severity": "Major"})
    factories.ticket(bugs, title="Crash", form_values={"severity": "Critical"})
    sign_in(screen, "paul")
    with faultless(screen):
        make_from_preset(screen, f"{receiver.url}/ok")
        insert_two_tags(screen)
        try_it(screen)
        assert texts(receiver) == ["CRITICAL Crash"]
        screen.get_by_role("button", name="Save", exact=True).click()
        expect(screen.locator(".messagelist")).to_contain_text("changed successfully")
        perform(screen)
    assert sorted(texts(receiver)[1:]) == [
        "CRITICAL Crash",
        "MAJOR Login &lt;fails&gt;",
    ]
    assert [run.cause for run in Run.objects.order_by("pk")] == [
        Cause.TEST,
        Cause.ACTION,
    ]


def texts(receiver: Receiver) -> list[str]:
    return [json.loads(each.body)["text"] for each in receiver.requests]


def make_from_preset(screen: Page, url: str) -> None:
    screen.goto("/admin/macros/macro/add/")
    screen.get_by_role("link", name="start from a preset").click()
    screen.get_by_role("link", name="Post a message to Slack", exact=True).click()
    screen.select_option("#id_feedback_type", index=1)
    screen.fill("#id_secret_slack_url_value", url)
    screen.get_by_role("button", name="Make the macro").click()
    expect(screen.locator(".messagelist")).to_contain_text("is made")
    assert Macro.objects.get().name == "Post a message to Slack"


def insert_two_tags(screen: Page) -> None:
    """One with the mouse, one with the keyboard, into what the preset had."""
    expect(screen.locator("#palette-subject")).to_have_value("BUG-2")
    value = screen.locator("#id_steps-0-body")
    body = screen.locator("#id_steps-0-body + .code-editor .cm-content")
    body.press("Control+a")
    screen.keyboard.insert_text('{"text": " "}')
    for _ in ' "}':
        body.press("ArrowLeft")
    tags = screen.locator("#tag-palette")
    tags.get_by_role("button", name="Field: Severity").click()
    screen.keyboard.press("Alt+i")
    screen.keyboard.type("in capitals")
    screen.keyboard.press("Enter")
    body.press("Control+End")
    for _ in '"}':
        body.press("ArrowLeft")
    screen.keyboard.press("Alt+i")
    screen.keyboard.type("ticket's title")
    screen.keyboard.press("Enter")
    screen.fill("#palette-search", "slack")
    tags.get_by_role("button", name="slack", exact=True).click()
    expect(value).to_have_value('{"text": "((Field: Severity|upper)) ((Title|slack))"}')


def try_it(screen: Page) -> None:
    preview = screen.locator("#steps-0 .request-preview")
    expect(preview).to_contain_text('"CRITICAL Crash"')
    expect(preview).to_contain_text("Secrets are masked")
    screen.locator(".test-to").select_option("real")
    screen.get_by_role("button", name="Test send").click()
    result = screen.locator("#steps-0 .test-result")
    expect(result).to_contain_text("200: the system accepted", timeout=20_000)
    expect(result).to_contain_text("Request as sent")


def perform(screen: Page) -> None:
    open_list(screen, "Bug Report")
    screen.check("#action-toggle")
    screen.select_option("select[name=action]", label="Post a message to Slack")
    screen.get_by_role("button", name="Perform Action").click()
    expect(screen.locator(".lead")).to_contain_text("2 tickets will be sent")
    screen.get_by_role("button", name="Perform Action").click()
    expect(screen.locator("#progress")).to_contain_text(
        "2 of 2 deliveries ended", timeout=20_000
    )
