"""The builder of a filter's conditions, by mouse and by keyboard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from feedback.access.roles import Role
from feedback.models import FeedbackType, Filter
from tests import factories
from tests.browser.signing_in import faultless, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def bugs() -> FeedbackType:
    bugs = factories.feedback_type()
    factories.member(bugs, Role.PROJECT_MANAGER, "paul")
    for severity in ("Critical", "Critical", "Minor"):
        factories.ticket(bugs, title=severity, form_values={"severity": severity})
    factories.ticket(bugs, title="From Jira", external_data={"jira_key": "QA-7"})
    return bugs


@pytest.fixture
def builder(screen: Page, bugs: FeedbackType) -> Iterator[Page]:
    """The page of a new filter; what the console says of scripts or policy fails."""
    sign_in(screen, "paul")
    with faultless(screen):
        screen.goto("/admin/feedback/filter/add/")
        yield screen


def row(builder: Page, number: int) -> Locator:
    return builder.locator("#filter-conditions .condition").nth(number)


def matches(builder: Page) -> Locator:
    return builder.locator("#filter-matches")


def choose_type(builder: Page, bugs: FeedbackType) -> None:
    builder.select_option("#id_selects", f"feedbacktype-{bugs.pk}-feedback")
    expect(matches(builder)).to_contain_text("4 of the tickets")


def test_a_filter_is_built_and_what_matches_is_seen_on_the_way(
    builder: Page, bugs: FeedbackType
) -> None:
    choose_type(builder, bugs)
    builder.fill("#id_name", "Urgent")
    builder.get_by_role("button", name="Add a condition").click()
    row(builder, 0).locator(".condition-field").select_option("field_severity")
    row(builder, 0).locator(".condition-control select").select_option("Critical")
    expect(matches(builder)).to_contain_text("2 of the tickets")
    expect(matches(builder)).to_contain_text("BUG-2")
    builder.get_by_role("button", name="Add a group").click()
    row(builder, 1).locator(".condition-field").select_option("status")
    row(builder, 1).locator(".condition-qualifier").select_option("is_one_of")
    row(builder, 1).get_by_label("Closed").check()
    expect(matches(builder)).to_contain_text("0 of the tickets")
    row(builder, 1).get_by_label("New").check()
    expect(matches(builder)).to_contain_text("2 of the tickets")
    builder.get_by_role("button", name="Add to this group").click()
    row(builder, 2).locator(".condition-field").select_option("created")
    row(builder, 2).locator(".condition-qualifier").select_option("in_last")
    expect(matches(builder)).to_contain_text("is in the last 7 days")
    builder.get_by_role("button", name="Save", exact=True).click()
    builder.wait_for_url("**/filter/")
    new, closed = bugs.statuses.all()
    assert Filter.objects.get().conditions == {
        "match": "all",
        "conditions": [
            {"field": "field_severity", "qualifier": "is", "value": "Critical"},
            {
                "match": "any",
                "conditions": [
                    {
                        "field": "status",
                        "qualifier": "is_one_of",
                        "value": [new.pk, closed.pk],
                    },
                    {"field": "created", "qualifier": "in_last", "value": "7 days"},
                ],
            },
        ],
    }


def test_conditions_are_added_and_removed_by_keyboard_alone(
    builder: Page, bugs: FeedbackType
) -> None:
    choose_type(builder, bugs)
    builder.get_by_role("button", name="Add a condition").focus()
    builder.keyboard.press("Enter")
    expect(row(builder, 0).locator(".condition-field")).to_be_focused()
    builder.keyboard.press("End")
    builder.keyboard.press("Tab")
    builder.keyboard.type("jira_key")
    builder.keyboard.press("Tab")
    builder.keyboard.press("Tab")
    builder.keyboard.type("QA-7")
    expect(matches(builder)).to_contain_text("1 of the tickets")
    builder.keyboard.press("Tab")
    expect(row(builder, 0).get_by_role("button", name="Remove")).to_be_focused()
    builder.keyboard.press("Enter")
    expect(row(builder, 0)).to_have_count(0)
    expect(builder.get_by_role("button", name="Add a condition")).to_be_focused()
    expect(matches(builder)).to_contain_text("4 of the tickets")


def test_what_is_wrong_is_said_beside_its_condition(
    builder: Page, bugs: FeedbackType
) -> None:
    choose_type(builder, bugs)
    builder.get_by_role("button", name="Add a condition").click()
    row(builder, 0).locator(".condition-field").select_option("field_impact")
    row(builder, 0).locator(".condition-control input").fill("many")
    expect(row(builder, 0).locator(".live-problem")).to_contain_text("Give a number")
    row(builder, 0).locator(".condition-control input").fill("3")
    expect(row(builder, 0).locator(".live-problem")).to_have_count(0)


def test_a_late_reply_does_not_undo_a_newer_one(
    screen: Page, bugs: FeedbackType
) -> None:
    """The first question, of no type yet, is answered after the second."""
    late: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if not late:
            late.append(route)
        else:
            route.continue_()

    sign_in(screen, "paul")
    with faultless(screen):
        screen.route("**/filter/**/builder/", hold_the_first)
        screen.goto("/admin/feedback/filter/add/")
        choose_type(screen, bugs)
        late[0].continue_()
        screen.wait_for_load_state("networkidle")
        screen.get_by_role("button", name="Add a condition").click()
        expect(row(screen, 0)).to_have_count(1)


def test_a_broken_filter_can_be_mended(screen: Page, bugs: FeedbackType) -> None:
    closed = bugs.statuses.get(name="Closed")
    lost = {"field": "status", "qualifier": "is", "value": closed.pk}
    kept = {"field": "title", "qualifier": "is", "value": "Minor"}
    broken = factories.saved_filter(bugs, lost, kept, name="Old")
    closed.delete()
    sign_in(screen, "paul")
    with faultless(screen):
        screen.goto(f"/admin/feedback/filter/{broken.pk}/change/")
        expect(matches(screen)).to_contain_text("matches nothing")
        expect(row(screen, 0)).to_contain_text("There is no status of number")
        row(screen, 0).get_by_role("button", name="Remove").click()
        expect(matches(screen)).to_contain_text("1 of the tickets")
        screen.get_by_role("button", name="Save", exact=True).click()
        screen.wait_for_url("**/filter/")
    broken.refresh_from_db()
    assert broken.conditions == {"match": "all", "conditions": [kept]}
