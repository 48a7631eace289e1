"""Lists in a browser: the main path by keyboard, the bar of what is chosen."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, Route, expect

from feedback.access.roles import Role
from feedback.models import ApiKey, Feedback, FeedbackType
from logs.models import Run
from macros.models import Macro
from tests import factories
from tests.browser.signing_in import faultless, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LIST = reverse("admin:feedback_feedback_changelist")
# From the list to the run, with one filter chosen on the way.
MAX_PRESSES = 25


@pytest.fixture
def bugs() -> FeedbackType:
    made = factories.feedback_type()
    factories.member(made, Role.PROJECT_MANAGER, "paul")
    for severity in ("Critical", "Minor"):
        factories.tickets(made, 30, form_values={"severity": severity})
    return made


@pytest.fixture
def slack(bugs: FeedbackType) -> Macro:
    return factories.macro(bugs, "https://hooks.example.com/T1", name="Post to Slack")


class Keys:
    """Somebody without a mouse, who counts."""

    def __init__(self, screen: Page) -> None:
        self.screen = screen
        self.presses = 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self.screen.keyboard.press(key)
            self.presses += 1

    def wait(self) -> None:
        """Until the scripts of a page have made what is one stop into one."""
        self.screen.wait_for_load_state("load")

    def tab_to(self, words: str) -> None:
        """Tab until the focus is on what is called so."""
        for _ in range(MAX_PRESSES):
            self.press("Tab")
            if re.match(words, self.focused()):
                return
        raise AssertionError(f"No way to {words}; the focus is on {self.focused()}.")

    def focused(self) -> str:
        name = """() => {
          const each = document.activeElement;
          return each.getAttribute('aria-label') || each.textContent.trim() ||
            each.id || each.tagName;
        }"""
        return str(self.screen.evaluate(name))


def test_the_main_path_takes_few_key_presses(
    screen: Page, bugs: FeedbackType, slack: Macro
) -> None:
    sign_in(screen, "paul")
    screen.goto(f"{LIST}?type={bugs.pk}&open=true")
    keys = Keys(screen)
    with faultless(screen):
        keys.tab_to("Skip to main")
        keys.press("Enter")
        keys.tab_to("Skip to the list")
        keys.press("Enter")
        keys.tab_to("Filter$")
        keys.press("Enter")
        # Each filter is one stop; arrows and End lead on within it.
        keys.press("Tab", "Tab", "Tab", "End")
        assert keys.focused() == "Critical"
        keys.press("Enter")
        expect(screen.locator(".chip", has_text="Critical")).to_be_visible()
        keys.wait()
        keys.tab_to("action-toggle|Select all")
        keys.press("Space", "Enter", "P")
        keys.press("Tab", "Enter")
        lead = screen.locator("#perform-action .lead")
        expect(lead).to_contain_text("30 tickets")
        keys.wait()
        keys.press("Tab")
        while keys.focused() != "Perform Action":
            keys.press("Tab")
        keys.press("Enter")
        screen.wait_for_url("**/logs/run/*/change/")
    assert Run.objects.get().total == 30
    assert keys.presses < MAX_PRESSES, keys.presses


def test_the_bar_comes_with_the_first_tick_and_says_where_it_sends(
    screen: Page, bugs: FeedbackType, slack: Macro
) -> None:
    sign_in(screen, "paul")
    with faultless(screen):
        screen.goto(f"{LIST}?type={bugs.pk}")
        bar = screen.locator(".selection-bar")
        expect(bar).to_be_hidden()
        screen.locator("input.action-select").nth(1).check()
        expect(bar).to_be_in_viewport()
        expect(bar).to_contain_text("1 of 50 selected")
        bar.get_by_role("button", name="Perform Action").click()
        expect(bar).to_contain_text("Choose a macro first.")
        bar.locator("select").select_option(label="Post to Slack")
        expect(bar).to_contain_text("to hooks.example.com")
        screen.locator("#action-toggle").check()
        bar.get_by_role("button", name="Select all 60").click()
        bar.get_by_role("button", name="Perform Action").click()
        expect(screen.locator(".lead")).to_contain_text("60 tickets")
        screen.get_by_role("link", name="Cancel").click()
        screen.locator("input.action-select").nth(1).check()
        screen.locator("input.action-select").nth(1).uncheck()
        expect(bar).to_be_hidden()


def test_many_tickets_are_changed_by_touching_what_they_become(
    screen: Page, bugs: FeedbackType
) -> None:
    sign_in(screen, "paul")
    with faultless(screen):
        screen.goto(f"{LIST}?type={bugs.pk}")
        for number in (0, 1, 2):
            screen.locator("input.action-select").nth(number).check()
        screen.get_by_role("button", name="Change fields").click()
        screen.select_option("#id_to-status", label="Closed")
        screen.get_by_role("button", name="See what would change").click()
        expect(screen.locator(".lead")).to_contain_text("3 tickets would change")
        screen.get_by_role("button", name="Change 3 tickets").click()
        expect(screen.locator(".messagelist")).to_contain_text("3 tickets were changed")
    assert Feedback.objects.filter(status__name="Closed").count() == 3


@pytest.mark.parametrize("model", ["feedback", "tester"])
def test_what_is_touched_while_a_script_is_late_is_changed(
    screen: Page, bugs: FeedbackType, model: str
) -> None:
    """A row that is touched unheard would stay unticked, and its value be left out."""
    factories.tester(bugs)
    name, value = ("visibility", "private") if model == "feedback" else ("city", "Rome")
    held: list[Route] = []
    sign_in(screen, "paul")
    with faultless(screen):
        screen.goto(reverse(f"admin:feedback_{model}_changelist"))
        screen.locator("input.action-select").nth(0).check()
        screen.route("**/change_many*.js", lambda route: held.append(route))
        with screen.expect_event("requestfinished", lambda each: each.method == "POST"):
            button = screen.get_by_role("button", name="Change fields")
            button.click(no_wait_after=True)
        screen.evaluate("() => new Promise(done => setTimeout(done, 100))")
        touched = screen.locator(f"#id_to-{name}")
        is_early = touched.count() > 0
        if is_early:
            give(touched, value)
        [late] = held
        late.continue_()
        if not is_early:
            give(touched, value)
        expect(screen.locator(f"input[name=change][value={name}]")).to_be_checked()


def give(box: Locator, value: str) -> None:
    if box.evaluate("each => each.localName") == "select":
        box.select_option(value)
    else:
        box.fill(value)


def test_columns_are_moved_by_keyboard_and_by_mouse(
    screen: Page, bugs: FeedbackType
) -> None:
    sign_in(screen, "paul")
    headings = screen.locator("#result_list thead th")
    with faultless(screen):
        screen.goto(f"{LIST}?type={bugs.pk}")
        screen.locator(".look summary").click()
        screen.get_by_role("button", name="Move Created up").focus()
        keys = Keys(screen)
        keys.press("Enter", "Enter")
        status = screen.locator(".look [role=status]")
        expect(status).to_contain_text("Created is at position")
        assert keys.focused() == "Move Created up"
        entries = screen.locator(".look .entry")
        handle = entries.filter(has_text="Status").locator(".entry-handle")
        handle.drag_to(entries.nth(0), target_position={"x": 20, "y": 2})
        expect(status).to_contain_text("Status is at position 1 of")
        screen.get_by_role("button", name="Apply").click()
        expect(headings.nth(1)).to_have_text("Status")
    shown = [text.strip() for text in headings.all_inner_texts()]
    assert shown.index("Created") < shown.index("Last delivery")


def test_a_key_is_made_beside_what_is_being_typed(
    screen: Page, bugs: FeedbackType, slack: Macro
) -> None:
    ApiKey.objects.all().delete()
    factories.member(bugs, Role.COMMUNITY_MANAGER, "mia")
    sign_in(screen, "mia")
    with faultless(screen):
        screen.goto(reverse("admin:macros_macro_new_preset", args=["slack-text"]))
        expect(screen.locator(".lock")).to_contain_text("Web requests are locked.")
        screen.fill("#id_name", "Typed before")
        screen.get_by_role("button", name="Create an API key").click()
        expect(screen.locator("#fresh-token .token")).to_contain_text("ch_")
        expect(screen.locator("#id_name")).to_have_value("Typed before")
    assert ApiKey.objects.valid().count() == 1


@pytest.mark.parametrize("width", [1280, 400])
def test_no_list_of_tickets_is_wider_than_the_screen(
    screen: Page, bugs: FeedbackType, width: int
) -> None:
    """With what people write: long words, another direction, every column."""
    bugs.form_fields.update(in_list=True)
    bugs.external_columns = "jira_key, " + "x" * 60
    bugs.save()
    person = factories.tester(bugs, f"{'wide' * 14}@example.com")
    person.first_name, person.last_name = "عبد الرحمن", "W" * 60
    person.save()
    values = {"severity": "Critical", "steps": "long " * 200, "page": "u" * 400}
    factories.ticket(bugs, title="W" * 250, submitter=person, form_values=values)
    bugs.statuses.filter(name="New").update(name="N" * 60)
    sign_in(screen, "paul")
    screen.set_viewport_size({"width": width, "height": 900})
    for query in ("", "&open=true&submitter=" + "e" * 200, "&search=nothing"):
        screen.goto(f"{LIST}?type={bugs.pk}{query}")
        for box in ("html", ".results"):
            for each in screen.locator(box).all():
                assert each.evaluate("e => e.scrollWidth - e.clientWidth") <= 0
