"""The ten things that people do most, each as a person does it: by what pages say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from centerhook.receiver import Receiver
from feedback.access.roles import Role
from feedback.models import ApiKey, Feedback, FeedbackType, Grant
from logs.models import Cause, Run
from macros.models import Trigger
from tests import factories
from tests.browser.signing_in import faultless, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# What a worker does on a busy machine may take as long, in milliseconds.
SOON = 40_000


@pytest.fixture
def bugs() -> FeedbackType:
    """Three bug reports, and a manager named paul."""
    made = factories.feedback_type()
    factories.member(made, Role.COMMUNITY_MANAGER, "paul")
    for title, severity in [
        ("Login fails", "Critical"),
        ("Map is empty", "Critical"),
        ("Typo in the help", "Minor"),
    ]:
        factories.ticket(made, title=title, form_values={"severity": severity})
    return made


@pytest.fixture
def paul(screen: Page, bugs: FeedbackType) -> Iterator[Page]:
    """Signed in, on the overview; no page's console may report a fault."""
    sign_in(screen, "paul")
    with faultless(screen):
        yield screen


def content(screen: Page) -> Locator:
    return screen.get_by_role("main")


def menu(screen: Page, name: str) -> None:
    menu = screen.get_by_role("navigation", name="Main")
    menu.get_by_role("link", name=re.compile(f"^{name}")).click()


def press(screen: Page, name: str) -> None:
    content(screen).get_by_role("button", name=name, exact=True).click()


def says(screen: Page, text: str) -> None:
    expect(screen.locator(".messagelist")).to_contain_text(text)


def test_find_a_ticket_by_its_number(paul: Page) -> None:
    menu(paul, "Bug Report")
    paul.get_by_label("Search this list").fill("BUG-2")
    paul.keyboard.press("Enter")
    content(paul).get_by_role("link", name="Map is empty").click()
    expect(paul.get_by_label("Title")).to_have_value("Map is empty")


def test_narrow_the_list_and_keep_it_as_a_filter(paul: Page) -> None:
    menu(paul, "Bug Report")
    rows = content(paul).get_by_role("row")
    expect(rows).to_have_count(4)
    content(paul).get_by_text("Filter", exact=True).first.click()
    content(paul).get_by_role("link", name="Critical", exact=True).click()
    expect(rows).to_have_count(3)
    content(paul).get_by_text("Save as filter", exact=True).click()
    paul.get_by_label("Name of the filter").fill("Critical bugs")
    press(paul, "Save")
    says(paul, "The list is saved as the filter Critical bugs")
    menu(paul, "Bug Report")
    content(paul).get_by_role("link", name="Critical bugs").click()
    expect(rows).to_have_count(3)


@pytest.mark.usefixtures("at_work")
def test_send_two_tickets_with_a_macro(
    paul: Page, bugs: FeedbackType, receiver: Receiver
) -> None:
    factories.macro(bugs, f"{receiver.url}/slack/", name="Post to Slack")
    menu(paul, "Bug Report")
    for reference in ("BUG-1", "BUG-3"):
        row = content(paul).get_by_role("row").filter(has_text=reference)
        row.get_by_role("checkbox").check()
    content(paul).get_by_label("Macro", exact=True).select_option("Post to Slack")
    press(paul, "Perform Action")
    expect(content(paul)).to_contain_text("2 tickets")
    expect(content(paul)).to_contain_text('"Login fails"')
    press(paul, "Perform Action")
    expect(content(paul)).to_contain_text("Finished", timeout=SOON)
    texts = [json.loads(each.body)["text"] for each in receiver.requests]
    assert sorted(texts) == ["Login fails", "Typo in the help"]


def test_write_a_ticket(paul: Page, bugs: FeedbackType) -> None:
    menu(paul, "Bug Report")
    content(paul).get_by_role("link", name=re.compile("Add ticket")).click()
    paul.get_by_label("Title").fill("The app <closes>")
    paul.get_by_label("Severity").select_option("Major")
    paul.get_by_label("Steps").fill("1. Open it")
    press(paul, "Save")
    says(paul, "BUG-4")
    made = Feedback.objects.get(number=4)
    assert made.title == "The app <closes>"
    assert made.form_values == {"severity": "Major", "steps": "1. Open it"}


def test_change_the_status_and_say_why(paul: Page) -> None:
    menu(paul, "Bug Report")
    content(paul).get_by_role("link", name="BUG-1", exact=True).click()
    paul.get_by_label("Status").select_option("Closed")
    paul.get_by_label("Add a comment").fill("It is fixed in 5.2.")
    press(paul, "Save and continue editing")
    says(paul, "changed successfully")
    expect(content(paul)).to_contain_text("It is fixed in 5.2.")
    closed = Feedback.objects.get(number=1)
    assert closed.status is not None and closed.status.name == "Closed"
    assert [each.text for each in closed.comments.all()] == ["It is fixed in 5.2."]


def test_make_a_macro_from_a_preset(paul: Page, receiver: Receiver) -> None:
    menu(paul, "Macros")
    content(paul).get_by_role("link", name=re.compile("Start from")).click()
    content(paul).get_by_role(
        "link", name="Post a message to Slack", exact=True
    ).click()
    paul.get_by_label("Feedback type").select_option(index=1)
    paul.get_by_label("Webhook URL").fill(f"{receiver.url}/slack/")
    press(paul, "Make the macro")
    says(paul, "The macro Post a message to Slack is made")
    assert receiver.requests == []


@pytest.mark.usefixtures("at_work")
def test_read_why_a_delivery_failed_and_send_it_again(
    paul: Page, bugs: FeedbackType, receiver: Receiver
) -> None:
    macro = factories.macro(bugs, f"{receiver.url}/status/422", name="To the tracker")
    factories.run(macro)
    menu(paul, "Runs")
    content(paul).get_by_role("link", name=re.compile("To the tracker")).first.click()
    expect(content(paul)).to_contain_text("3 of 3 failed", timeout=SOON)
    content(paul).get_by_role("link", name="BUG-1", exact=True).click()
    expect(content(paul)).to_contain_text("the system refuses a value in the request")
    press(paul, "Build anew")
    expect(content(paul)).to_contain_text("1 delivery")
    press(paul, "Resend")
    expect(content(paul)).to_contain_text("Resent", timeout=SOON)
    expect(content(paul)).to_contain_text("Attempt 2", timeout=SOON)
    assert len(receiver.requests) == 4


def test_let_a_macro_run_by_itself(paul: Page, bugs: FeedbackType) -> None:
    factories.macro(bugs, "https://example.com/", name="Post to Slack")
    menu(paul, "Triggers")
    content(paul).get_by_role("link", name=re.compile("Add trigger")).click()
    content(paul).get_by_role("link", name="Post to Slack").first.click()
    paul.get_by_label("Name").fill("New bugs")
    paul.get_by_label("Event", exact=False).first.select_option("A ticket is submitted")
    press(paul, "Save")
    says(paul, "New bugs")
    assert Trigger.objects.get().macro.name == "Post to Slack"
    factories.ticket(bugs, title="One more")
    assert Run.objects.get().cause == Cause.TRIGGER


def test_give_a_colleague_a_role(paul: Page, bugs: FeedbackType) -> None:
    newcomer = factories.member(factories.feedback_type(), Role.OBSERVER, "nina")
    menu(paul, "Members")
    content(paul).get_by_role("link", name=re.compile("Add member")).click()
    paul.get_by_label("Community").select_option(index=1)
    paul.get_by_label("User name").fill("nina")
    row = content(paul).get_by_role("table").get_by_role("combobox").first
    row.select_option("Support")
    press(paul, "Save")
    says(paul, "nina")
    given = Grant.objects.get(member__user=newcomer, role=Role.SUPPORT)
    assert given.member.community == bugs.project.community


def test_create_an_api_key_and_copy_its_token(paul: Page, bugs: FeedbackType) -> None:
    menu(paul, "API keys")
    content(paul).get_by_role("link", name=re.compile("Add API key")).click()
    paul.get_by_label("Community").select_option(index=1)
    paul.get_by_label("Name", exact=False).first.fill("Reports")
    press(paul, "Save")
    token = paul.get_by_text(re.compile("^ch_[0-9a-f]+_")).inner_text()
    content(paul).get_by_role("link", name="I have copied it").click()
    expect(content(paul)).not_to_contain_text(token)
    key = ApiKey.objects.get(name="Reports")
    assert token.startswith(key.prefix) and key.community == bugs.project.community
