"""The steps of a macro, and the statuses and questions of a type, as lists in order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Dialog, Locator, Page, expect

from feedback.access.roles import Role
from feedback.models import FeedbackType
from macros.models import Macro
from tests import factories
from tests.browser.signing_in import faultless, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
STEPS = [
    "POST to a.example",
    "Change the status to Closed",
    "Add the comment “Hi”",
]


@pytest.fixture
def macro() -> Macro:
    bugs = factories.feedback_type()
    factories.member(bugs, Role.PROJECT_MANAGER, "paul")
    factories.ticket(bugs)
    made = factories.macro(bugs, "https://a.example/hook", name="Post")
    return factories.steps(
        made,
        {"kind": "change_status", "status": "Closed"},
        {"kind": "add_comment", "text": "Hi"},
    )


@pytest.fixture
def page(screen: Page, macro: Macro) -> Iterator[Page]:
    sign_in(screen, "paul")
    with faultless(screen):
        screen.goto(f"/admin/macros/macro/{macro.pk}/change/")
        expect(screen.locator("#palette-subject")).to_have_value("BUG-1")
        yield screen


def entry(page: Page, line: str) -> Locator:
    return page.locator(".entry").filter(has=page.get_by_text(line, exact=True))


def lines(page: Page) -> Locator:
    return page.locator(".entry:visible .entry-line")


def save(page: Page) -> None:
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.locator(".messagelist")).to_contain_text("changed successfully")


def test_steps_are_moved_with_buttons_keys_and_the_mouse(page: Page) -> None:
    expect(lines(page)).to_have_text(STEPS)
    entry(page, STEPS[2]).get_by_role("button", name="Move up").click()
    expect(lines(page)).to_have_text([STEPS[0], STEPS[2], STEPS[1]])
    expect(page.locator(".ordered-message")).to_have_text(
        f"{STEPS[2]} is at position 2 of 3 now."
    )
    entry(page, STEPS[0]).locator("summary").first.focus()
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("Alt+ArrowDown")
    expect(lines(page)).to_have_text([STEPS[2], STEPS[1], STEPS[0]])
    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator(".ordered-message")).to_contain_text("is last already")
    handle = entry(page, STEPS[0]).locator(".entry-handle")
    handle.drag_to(entry(page, STEPS[2]), target_position={"x": 100, "y": 2})
    expect(lines(page)).to_have_text([STEPS[0], STEPS[2], STEPS[1]])
    save(page)
    expect(lines(page)).to_have_text([STEPS[0], STEPS[2], STEPS[1]])


def test_a_step_is_added_filled_in_doubled_and_removed(
    page: Page, macro: Macro
) -> None:
    page.get_by_text("+ Add a step").click()
    page.get_by_role("button", name="Add a comment").click()
    new = page.locator("#addcomment-1")
    expect(new.locator(".cm-content")).to_be_focused()
    page.keyboard.type("Thanks ((tit")
    expect(page.locator(".cm-tooltip-autocomplete")).to_be_visible()
    page.keyboard.press("Enter")
    expect(new.locator(".entry-line")).to_have_text(
        "Add the comment “Thanks ((Title))”"
    )
    new.get_by_role("button", name="Duplicate").click()
    double = page.locator("#addcomment-2")
    expect(double.locator(".cm-content")).to_have_text("Thanks ((Title))")
    page.keyboard.press("Control+End")
    page.keyboard.type("!")
    entry(page, STEPS[1]).get_by_role("button", name="Remove").click()
    expect(lines(page)).to_have_count(4)
    entry(page, STEPS[2]).get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Undo").click()
    expect(lines(page)).to_have_count(4)
    save(page)
    assert [str(step) for step in macro.concrete_steps()] == [
        "POST https://a.example/hook",
        "Add the comment “Hi”",
        "Add the comment “Thanks ((Title))”",
        "Add the comment “Thanks ((Title))!”",
    ]


def test_a_web_request_is_doubled_with_all_that_is_typed_in_it(
    page: Page, macro: Macro
) -> None:
    request = page.locator("#steps-0")
    request.locator(".entry-line").click()
    expect(request.locator(".request-preview")).to_contain_text(
        "POST https://a.example"
    )
    request.get_by_label("Method").select_option("PUT")
    request.get_by_role("heading", name="Return values").click()
    request.get_by_label("Row 1, name").fill("key")
    request.get_by_label("Row 1, path, header or expression").fill("$.key")
    request.get_by_role("button", name="Duplicate").click()
    double = page.locator("#steps-1")
    expect(double.locator(".request-preview")).to_contain_text("PUT https://a.example")
    expect(double.locator(".request-panel")).to_have_count(1)
    expect(double.locator(".code-editor")).to_have_count(3)
    save(page)
    first, second, *_ = macro.concrete_steps()
    assert first.settings() == second.settings()
    assert second.settings()["return_values"][0]["name"] == "key"


def test_a_step_is_switched_off_in_its_line(page: Page, macro: Macro) -> None:
    comment = entry(page, STEPS[2])
    comment.get_by_label("On", exact=True).uncheck()
    expect(comment.get_by_text("Off")).to_be_visible()
    save(page)
    expect(entry(page, STEPS[2]).get_by_text("Off")).to_be_visible()
    assert [step.is_active for step in macro.concrete_steps()] == [True, True, False]


def test_leaving_with_unsaved_changes_asks(page: Page) -> None:
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", stay)
    page.get_by_role("link", name="Versions").click()
    page.wait_for_url("**/versions/")
    page.go_back()
    assert asked == []
    entry(page, STEPS[2]).get_by_role("button", name="Move up").click()
    page.get_by_role("link", name="Versions").click()
    page.wait_for_url("**/versions/")
    assert asked == ["beforeunload"]
    page.go_back()
    page.locator("#id_name").fill("Renamed")
    save(page)
    assert asked == ["beforeunload"]


def test_a_step_with_a_fault_comes_back_open_and_says_so(page: Page) -> None:
    comment = page.locator("#addcomment-0")
    comment.locator(".entry-line").click()
    comment.locator(".cm-content").focus()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("((Titel))")
    expect(comment.locator(".live-problems")).to_contain_text("Did you mean ((Title))?")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".errornote")).to_be_visible()
    expect(comment.locator(".errorlist").first).to_contain_text("unknown tag ((Titel))")
    expect(comment.locator("summary .badge.bad")).to_have_text("1 problem")
    expect(page.locator("#changestatus-0 details")).not_to_have_attribute("open", "")


def test_a_new_type_has_statuses_and_asks_for_choices_only_where_there_are_some(
    page: Page, macro: Macro
) -> None:
    page.goto("/admin/feedback/feedbacktype/add/")
    names = page.locator("#statuses-list input[name$=-name]:visible")
    assert [each.input_value() for each in names.all()] == [
        "New",
        "In progress",
        "Closed",
    ]
    page.get_by_label("Project").select_option(index=1)
    page.locator("#id_name").fill("Idea")
    page.locator("#id_prefix").fill("IDEA")
    page.locator("#statuses-1").get_by_role("button", name="Move down").click()
    page.get_by_role("button", name="Add a question").click()
    question = page.locator("#form_fields-0")
    question.get_by_label("Label").fill("Area")
    choices = question.locator(".field-choices")
    expect(choices).to_be_hidden()
    question.get_by_label("Kind").select_option("choice")
    choices.locator("textarea").fill("App\nWeb")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("added successfully")
    made = FeedbackType.objects.get(name="Idea")
    rows = made.statuses.values_list("name", "colour", "is_open")
    assert list(rows) == [
        ("New", "blue", True),
        ("Closed", "green", False),
        ("In progress", "amber", True),
    ]
    assert made.form_fields.get().choice_list == ["App", "Web"]


def test_without_scripts_positions_are_numbers_and_a_link_adds_a_form(
    page: Page, macro: Macro
) -> None:
    browser = page.context.browser
    assert browser
    context = browser.new_context(
        java_script_enabled=False, storage_state=page.context.storage_state()
    )
    plain = context.new_page()
    plain.goto(page.url)
    plain.get_by_role("link", name="Add a comment").click()
    plain.fill("#id_addcomment-1-text", "Last")
    plain.fill("#id_steps-0-position", "5")
    plain.get_by_role("button", name="Save", exact=True).click()
    context.close()
    kinds = [step.kind for step in macro.concrete_steps()]
    assert kinds == ["change_status", "add_comment", "web_request", "add_comment"]
