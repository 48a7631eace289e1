"""The editor of steps, as a person writes in it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, Request, Route, expect

from feedback.access.roles import Role
from feedback.models import ApiKey, FeedbackType
from macros.models import Macro
from tests import factories
from tests.browser.signing_in import faultless, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def macro() -> Macro:
    bugs = factories.feedback_type()
    factories.member(bugs, Role.PROJECT_MANAGER, "paul")
    factories.ticket(bugs, title="Older")
    factories.ticket(bugs, title="Newest", external_data={"jira_key": "QA-7"})
    return factories.macro(bugs, "https://a.example/hook", name="Post")


@pytest.fixture
def editor(screen: Page, macro: Macro) -> Iterator[Page]:
    """The macro's page; what the console says of scripts or policy is a fault."""
    sign_in(screen, "paul")
    with faultless(screen):
        screen.goto(f"/admin/macros/macro/{macro.pk}/change/")
        expect(screen.locator("#palette-subject")).to_have_value("BUG-2")
        yield screen


def body_of(screen: Page, number: int = 0) -> Locator:
    return code(screen, f"steps-{number}-body")


def code(screen: Page, name: str) -> Locator:
    """The code editor that stands for a field of the form."""
    return screen.locator(f"#id_{name} + .code-editor .cm-content")


def value_of(screen: Page, name: str = "steps-0-body") -> Locator:
    return screen.locator(f"#id_{name}")


def preview_of(screen: Page, number: int = 0) -> Locator:
    return screen.locator(f"#steps-{number} .request-preview")


def add_step(screen: Page, what: str) -> None:
    screen.get_by_text("+ Add a step").click()
    screen.get_by_role("button", name=what).click()


def write(editor: Locator, text: str) -> None:
    """Over all that is there, as a person does."""
    editor.focus()
    editor.press("Control+a")
    editor.page.keyboard.insert_text(text)


def put_cursor(editor: Locator, offset: int) -> None:
    editor.focus()
    editor.press("Control+Home")
    for _ in range(offset):
        editor.press("ArrowRight")


def test_a_tag_is_found_and_inserted_at_the_cursor_with_the_mouse(editor: Page) -> None:
    put_cursor(body_of(editor), len('{"text": "'))
    editor.fill("#palette-search", "jira_key")
    tags = editor.locator("#tag-palette li:visible")
    expect(tags).to_have_count(1)
    expect(tags).to_contain_text("QA-7")
    tags.get_by_role("button").click()
    expect(value_of(editor)).to_have_value(
        '{"text": "((External: jira_key))((Title))"}'
    )
    expect(body_of(editor)).to_be_focused()
    expect(preview_of(editor)).to_contain_text('"QA-7Newest"')


def test_a_tag_and_a_filter_are_inserted_with_the_keyboard_only(editor: Page) -> None:
    field, value = code(editor, "steps-0-headers"), value_of(editor, "steps-0-headers")
    field.focus()
    editor.keyboard.type("X-About: ")
    editor.keyboard.press("Alt+i")
    expect(editor.locator("#palette-search")).to_be_focused()
    editor.keyboard.type("ticket's title")
    editor.keyboard.press("ArrowDown")
    editor.keyboard.press("Enter")
    expect(value).to_have_value("X-About: ((Title))")
    editor.keyboard.press("Alt+i")
    editor.keyboard.type("upper")
    editor.keyboard.press("Enter")
    expect(value).to_have_value("X-About: ((Title|upper))")
    expect(preview_of(editor)).to_contain_text("X-About: NEWEST")
    editor.keyboard.press("Alt+i")
    editor.keyboard.press("Escape")
    expect(field).to_be_focused()
    editor.keyboard.press("Control+z")
    expect(value).to_have_value("X-About: ((Title))")


def test_a_fault_is_shown_while_typing_and_leads_to_its_place(editor: Page) -> None:
    field = body_of(editor)
    write(field, '{\n  "text": "😀 ((Titel))"\n}')
    fault = editor.locator("#steps-0 .live-problems button")
    expect(fault).to_have_text(
        "Line 2, column 14: unknown tag ((Titel)). Did you mean ((Title))?"
    )
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(editor.locator("#steps-0 .panel-message")).to_contain_text("1 problem")
    fault.click()
    expect(field).to_be_focused()
    editor.keyboard.insert_text("Here: ")
    expect(value_of(editor)).to_have_value('{\n  "text": "😀 Here: ((Titel))"\n}')
    write(field, '{"text": "((Title))"}')
    expect(fault).to_have_count(0)
    expect(preview_of(editor)).to_contain_text('"Newest"')


def test_the_preview_follows_the_text_and_the_ticket(editor: Page) -> None:
    expect(preview_of(editor)).to_contain_text("POST https://a.example/hook")
    write(code(editor, "steps-0-url"), "https://b.example/((Number))")
    expect(preview_of(editor)).to_contain_text("POST https://b.example/2")
    editor.fill("#palette-subject", "old")
    expect(editor.locator("#palette-subjects option")).to_have_count(1)
    editor.fill("#palette-subject", "BUG-1")
    expect(preview_of(editor)).to_contain_text("POST https://b.example/1")
    expect(preview_of(editor)).to_contain_text('"Older"')
    editor.fill("#palette-subject", "BUG-99")
    editor.locator("#palette-search").focus()
    expect(editor.locator(".palette-message")).to_contain_text("There is no ticket")


def test_json_is_formatted_and_a_faulty_one_is_left(editor: Page) -> None:
    write(body_of(editor), '{"a":[((Number)),"((Title))"]}')
    format_json = editor.get_by_role("button", name="Format JSON")
    format_json.click()
    formatted = '{\n  "a": [\n    ((Number)),\n    "((Title))"\n  ]\n}'
    expect(value_of(editor)).to_have_value(formatted)
    write(body_of(editor), '{"a"')
    format_json.click()
    expect(editor.locator("#steps-0 .live-problems li")).to_have_count(1)
    expect(editor.locator("#steps-0 .panel-message")).to_contain_text("left as it is")
    expect(value_of(editor)).to_have_value('{"a"')
    editor.select_option("#id_steps-0-body_kind", "text")
    expect(format_json).to_be_hidden()


def test_a_web_request_that_is_added_has_an_editor_too(editor: Page) -> None:
    add_step(editor, "Send a web request")
    expect(editor.locator("#steps-1 .request-panel")).to_be_visible()
    expect(editor.locator("#steps-1 .live-problems")).to_have_count(0)
    write(code(editor, "steps-1-url"), "https://second.example/")
    write(body_of(editor, 1), '{"n": ((Number))}')
    expect(preview_of(editor, 1)).to_contain_text("POST https://second.example/")
    expect(preview_of(editor, 1)).to_contain_text('{"n": 2}')


def test_a_macro_that_is_not_saved_yet_has_the_tags_of_its_type(
    editor: Page, macro: Macro
) -> None:
    editor.goto("/admin/macros/macro/add/")
    expect(editor.locator(".palette-message")).to_contain_text("Choose first")
    editor.click(".field-feedback_type .select2-selection")
    editor.keyboard.type("Bug")
    editor.locator(".select2-results__option", has_text="Bug").click()
    expect(editor.locator("#palette-subject")).to_have_value("BUG-2")
    expect(editor.locator("#tag-palette")).to_contain_text("Field: Severity")


def test_without_scripts_the_form_is_plain_and_lists_the_tags(
    editor: Page, macro: Macro
) -> None:
    browser = editor.context.browser
    assert browser
    state: str = json.dumps(editor.context.storage_state())
    context = browser.new_context(
        java_script_enabled=False, storage_state=json.loads(state)
    )
    plain = context.new_page()
    plain.goto(editor.url)
    expect(plain.locator(".request-panel")).to_have_count(0)
    expect(plain.locator("#palette-search")).to_be_hidden()
    plain.locator("#tag-palette summary").click()
    expect(plain.locator("#tag-palette")).to_contain_text("Field: Severity")
    plain.fill("#id_steps-0-body", '{"plain": "((Title))"}')
    plain.get_by_role("button", name="Save", exact=True).click()
    context.close()
    assert macro.steps.get().concrete.body == '{"plain": "((Title))"}'


def test_who_may_only_look_has_no_editor(editor: Page, macro: Macro) -> None:
    of: FeedbackType | None = macro.feedback_type
    assert of
    factories.member(of, Role.OBSERVER, "owen")
    editor.context.clear_cookies()
    sign_in(editor, "owen")
    editor.goto(f"/admin/macros/macro/{macro.pk}/change/")
    expect(editor.locator("#content")).to_contain_text("Post")
    expect(editor.locator("#macro-editor")).to_have_count(0)


def test_a_late_reply_about_subjects_does_not_replace_a_newer_one(
    editor: Page,
) -> None:
    late: list[Route] = []

    def is_search(request: Request) -> bool:
        return 'name="do"\r\n\r\nsubjects' in (request.post_data or "")

    def hold_the_first(route: Route) -> None:
        if is_search(route.request) and not late:
            late.append(route)
        else:
            route.continue_()

    editor.route("**/editor/", hold_the_first)
    subject, offered = editor.locator("#palette-subject"), "#palette-subjects option"
    with editor.expect_request(is_search):
        subject.fill("BUG")
    with editor.expect_response("**/editor/"):
        subject.fill("Older")
    expect(editor.locator(offered)).to_have_count(1)
    late[0].fulfill(json={"subjects": [{"value": "BUG-1", "label": "Late"}] * 3})
    for _ in range(3):
        editor.evaluate("new Promise((done) => requestAnimationFrame(done))")
    expect(editor.locator(offered)).to_have_count(1)


def test_two_parentheses_offer_tags_and_a_bar_offers_filters(editor: Page) -> None:
    body = body_of(editor)
    write(body, '{"text": ""}')
    put_cursor(body, len('{"text": "'))
    editor.keyboard.type("((submitter em")
    offered = editor.locator(".cm-tooltip-autocomplete li")
    expect(offered.first).to_have_text("Submitter Email")
    editor.keyboard.press("Enter")
    expect(value_of(editor)).to_have_value('{"text": "((Submitter Email))"}')
    editor.keyboard.press("ArrowLeft")
    editor.keyboard.press("ArrowLeft")
    editor.keyboard.type("|trun")
    expect(offered).to_have_count(1)
    editor.keyboard.press("Enter")
    chosen = '{"text": "((Submitter Email|truncate:200))"}'
    expect(value_of(editor)).to_have_value(chosen)
    editor.keyboard.press("Control+z")
    expect(value_of(editor)).not_to_have_value(chosen)


@pytest.mark.parametrize(
    ("kind", "text", "tokens"),
    [
        (
            "json",
            '{"a ((Title))": ((Number)), "b": [true, -1.5e3,'
            ' "((Field: Severity|map:X=Y))!"]}',
            {
                "macroName": ["((Title))", "((Number))", "((Field: Severity|map:X=Y))"],
                "bool": ["true"],
                "number": ["-1.5e3"],
            },
        ),
        (
            "json",
            '{"a": "((never closed"',
            {"macroName": [], "string": ['"((never closed"']},
        ),
        ("form", "a=((Title))&b=1", {"macroName": ["((Title))"], "number": []}),
    ],
)
def test_tags_keep_their_colour_in_whatever_stands_around_them(
    editor: Page, kind: str, text: str, tokens: dict[str, list[str]]
) -> None:
    editor.select_option("#id_steps-0-body_kind", kind)
    write(body_of(editor), text)
    expect(value_of(editor)).to_have_value(text)
    for name, expected in tokens.items():
        spans = body_of(editor).locator(f".tok-{name}")
        assert "".join(spans.all_inner_texts()) == "".join(expected)


def test_a_url_stays_one_line_whatever_is_pasted(editor: Page) -> None:
    url = code(editor, "steps-0-url")
    write(url, "")
    url.focus()
    editor.keyboard.type("https://b.example/")
    editor.keyboard.press("Enter")
    url.evaluate(
        """each => { const data = new DataTransfer();
        data.setData("text/plain", "x\\n y");
        each.dispatchEvent(new ClipboardEvent("paste",
          { clipboardData: data, bubbles: true, cancelable: true })) }"""
    )
    expect(value_of(editor, "steps-0-url")).to_have_value("https://b.example/xy")


def test_a_click_on_a_label_leads_into_its_code_editor(editor: Page) -> None:
    editor.locator("label[for=id_steps-0-headers]").click()
    expect(code(editor, "steps-0-headers")).to_be_focused()
    expect(code(editor, "steps-0-headers")).to_have_attribute("aria-label", "Headers")


def test_without_a_key_the_other_steps_are_written_with_tags_and_checks(
    screen: Page, macro: Macro
) -> None:
    factories.steps(macro, {"kind": "add_comment", "text": "Hi"})
    ApiKey.objects.all().delete()
    sign_in(screen, "paul")
    with faultless(screen):
        screen.goto(f"/admin/macros/macro/{macro.pk}/change/")
        expect(screen.locator("#palette-subject")).to_have_value("BUG-2")
        screen.locator("#addcomment-0 summary").first.click()
        write(code(screen, "addcomment-0-text"), "Hi ((Titel))")
        problem = screen.locator("#addcomment-0 .live-problems")
        expect(problem).to_contain_text("Did you mean ((Title))?")
