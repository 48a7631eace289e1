"""A command is pasted, becomes a macro, and comes back by the Copy button."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from macros.models import Secret
from macros.steps.kinds.web_request import WebRequest
from tests import factories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_command_goes_in_and_comes_out(screen: Page) -> None:
    factories.superuser("olivia")
    bugs = factories.feedback_type()
    factories.ticket(bugs, title="It's <b>")
    screen.context.grant_permissions(["clipboard-read", "clipboard-write"])
    screen.goto(reverse("admin:macros_macro_new") + f"?feedback_type={bugs.pk}")
    screen.fill("#id_username", "olivia")
    screen.fill("#id_password", "secret-word")
    screen.click("[type=submit]")

    screen.fill("#id_command", "curl http://127.0.0.1:9/ -u al:s3cr3t -d t='((Title))'")
    screen.get_by_role("button", name="Continue").click()
    expect(screen.locator("pre.wire")).to_contain_text("with the secret password")
    screen.fill("#id_name", "Pasted")
    screen.get_by_role("button", name="Make the macro").click()
    expect(screen.locator(".messagelist")).to_contain_text("The macro Pasted is made.")
    assert WebRequest.objects.get().body == "t=((Title))"
    assert Secret.objects.get().reveal() == "s3cr3t"

    screen.goto(reverse("admin:feedback_feedback_changelist") + f"?type={bugs.pk}")
    screen.check("#action-toggle")
    screen.select_option("select[name=action]", label="Pasted")
    screen.get_by_role("button", name="Perform Action").click()
    screen.get_by_text("Copy as curl").click()
    screen.get_by_role("button", name="Copy").click()
    expect(screen.locator(".as-curl button")).to_have_text("Copied")
    copied = screen.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("curl -X POST --url http://127.0.0.1:9/ \\\n")
    assert copied.endswith("--data-raw t=It%27s+%3Cb%3E")
    assert "'Authorization: Basic '\"$SECRET_1\"" in copied
