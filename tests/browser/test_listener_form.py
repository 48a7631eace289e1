"""The form of a listener in a real browser: its fields, its example, its dry run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from feedback.access.roles import Role
from feedback.models import FeedbackType
from macros.models import InboundCall, Listener
from tests import factories
from tests.browser.signing_in import faultless, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BODY = b'{"items": [{"key": "QA-7", "odd name": "Done"}], "event": "closed"}'


@pytest.fixture
def bugs() -> FeedbackType:
    bugs = factories.feedback_type()
    factories.api_key(bugs.project.community)
    factories.member(bugs, Role.PROJECT_MANAGER, "paul")
    factories.ticket(bugs, external_data={"jira_key": "QA-7"})
    return bugs


@pytest.fixture
def listener(bugs: FeedbackType) -> Listener:
    return factories.listener(
        bugs,
        {"kind": "status", "value": "Closed"},
        allowed_ips="127.0.0.1",
        record_by="external",
        record_external="jira_key",
        record_at="$.wrong",
    )


@pytest.fixture
def form(screen: Page, listener: Listener) -> Iterator[Page]:
    factories.inbound_call(listener, BODY)
    sign_in(screen, "paul")
    with faultless(screen):
        screen.goto(f"/admin/macros/listener/{listener.pk}/change/")
        yield screen


def choose_example(form: Page) -> Locator:
    call = InboundCall.objects.get()
    form.select_option("#example-call", str(call.pk))
    tree = form.locator("#example-tree")
    expect(tree.get_by_role("button", name="items")).to_be_visible()
    return tree


def test_a_row_shows_only_the_fields_of_its_choice(
    screen: Page, bugs: FeedbackType
) -> None:
    sign_in(screen, "paul")
    with faultless(screen):
        screen.goto("/admin/macros/listener/add/")
        screen.select_option("#id_about", f"feedbacktype-{bugs.pk}-feedback")
        screen.get_by_role("button", name="Continue").click()
        secret, header = (f"#id_checks-0-{name}" for name in ("secret", "header"))
        expect(screen.locator(secret)).to_be_hidden()
        screen.select_option("#id_checks-0-scheme", "github")
        expect(screen.locator(secret)).to_be_visible()
        expect(screen.locator(header)).to_be_hidden()
        screen.select_option("#id_checks-0-scheme", "hmac")
        expect(screen.locator(header)).to_be_visible()
        screen.get_by_text("Add another Action").click()
        expect(screen.locator("#id_actions-1-macro")).to_be_hidden()
        screen.select_option("#id_actions-1-kind", "run")
        expect(screen.locator("#id_actions-1-macro")).to_be_visible()
        expect(screen.locator("#id_actions-0-macro")).to_be_hidden()
        expect(screen.locator("#id_record_external")).to_be_hidden()
        screen.select_option("#id_record_by", "external")
        expect(screen.locator("#id_record_external")).to_be_visible()


def test_a_location_is_clicked_into_the_field_last_used(form: Page) -> None:
    tree = choose_example(form)
    tree.get_by_role("button", name="key", exact=True).click()
    expect(form.locator(".example-message")).to_contain_text("Click in the field")
    record_at = form.locator("#id_record_at")
    record_at.click()
    tree.get_by_role("button", name="odd name").click()
    expect(record_at).to_have_value("$.items[0]['odd name']")
    form.locator("#id_events_at").click()
    tree.get_by_role("button", name="items").click()
    expect(form.locator("#id_events_at")).to_have_value("$.items")
    record_at.click()
    tree.get_by_role("button", name="key", exact=True).click()
    expect(record_at).to_have_value("$.key")
    value = form.locator("#id_actions-0-value")
    value.fill("Key: ")
    value.press("End")
    tree.get_by_role("button", name="key", exact=True).click()
    expect(value).to_have_value("Key: ((Payload: $.key))")


def test_the_dry_run_follows_what_is_typed(form: Page, listener: Listener) -> None:
    choose_example(form)
    form.get_by_role("button", name="Dry run").click()
    result = form.locator("#dry-run-result")
    expect(result).to_contain_text("Nothing to act on")
    form.fill("#id_record_at", "$.items[0].key")
    expect(result).to_contain_text("BUG-1")
    expect(result).to_contain_text("Acted")
    form.fill("#id_record_at", "$.items[")
    expect(result).to_contain_text("once the form is correct")
    form.fill("#example-body", "{nonsense")
    form.fill("#id_record_at", "$.key")
    expect(result).to_contain_text("Unreadable")
    listener.refresh_from_db()
    assert listener.record_at == "$.wrong"


def test_the_page_keeps_its_width_on_a_narrow_screen(form: Page) -> None:
    form.set_viewport_size({"width": 400, "height": 800})
    choose_example(form)
    width = form.evaluate("document.documentElement.scrollWidth")
    assert width == 400
