"""Many tickets changed at once: chosen, looked at, done through the one door."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback.access.roles import Role
from feedback.models import Feedback, FeedbackType
from logs.models import AuditEntry, Run
from macros.models import Event, Trigger
from tests import factories

LIST = reverse("admin:feedback_feedback_changelist")


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


def sent(page: Client, tickets: list[Feedback], **more: Any) -> Any:
    of = tickets[0].feedback_type_id
    data = {
        "action": "change_many",
        "_selected_action": [ticket.pk for ticket in tickets],
        **more,
    }
    return page.post(f"{LIST}?type={of}", data, follow=True)


def text(response: Any) -> str:
    assert response.status_code == 200
    return unescape(response.content.decode())


def hidden_inputs(response: Any) -> dict[str, Any]:
    form = text(response).split('<form id="change-many"')[1]
    fields: dict[str, Any] = {}
    for name, value in re.findall(
        r'type="hidden" name="([^"]+)" value="([^"]*)"', form
    ):
        fields.setdefault(name, []).append(unescape(value))
    return fields


def table(response: Any) -> list[list[str]]:
    rows = text(response).split("<tbody>")[1].split("</tbody>")[0].split("<tr>")[1:]
    return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows]


def messages_of(response: Any) -> list[str]:
    return [str(each) for each in response.context["messages"]]


def test_a_choice_is_shown_as_it_would_be_and_then_made(
    page: Client, bugs: FeedbackType
) -> None:
    closed = bugs.statuses.get(name="Closed")
    minor = {"severity": "Minor", "platform": ["iOS"]}
    tickets = factories.tickets(bugs, 2, form_values=minor)
    tickets.append(factories.ticket(bugs, status=closed, visibility="private"))
    tickets.append(
        factories.ticket(bugs, status=closed, form_values={"severity": "Critical"})
    )
    other = factories.ticket(bugs)

    form = text(sent(page, tickets))
    assert 'name="to-status"' in form and 'name="to-field_severity"' in form

    chosen = {
        "step": "preview",
        "change": ["status", "field_severity"],
        "to-status": closed.pk,
        "to-field_severity": "Critical",
        "to-visibility": "private",
        "to-field_platform": ["Android"],
    }
    shown = sent(page, tickets, **chosen)
    assert "<strong>3 tickets</strong> would change. 1 is so already." in text(shown)
    assert sorted(table(shown)) == [
        ["Severity", "-", "Critical", "1"],
        ["Severity", "Minor", "Critical", "2"],
        ["Status", "New", "Closed", "2"],
    ]
    assert set(Feedback.objects.values_list("status__name", flat=True)) == {
        "New",
        "Closed",
    }

    done = page.post(f"{LIST}?type={bugs.pk}", hidden_inputs(shown), follow=True)
    assert messages_of(done) == ["3 tickets were changed. 1 were so already."]
    for ticket in Feedback.objects.exclude(pk=other.pk):
        assert (ticket.status, ticket.form_values["severity"]) == (closed, "Critical")
    kept = Feedback.objects.filter(visibility="public").count()
    assert kept == 4 and Feedback.objects.get(pk=other.pk).status != closed
    assert Feedback.objects.get(pk=tickets[0].pk).form_values["platform"] == ["iOS"]
    entries = AuditEntry.objects.filter(object_type="feedback.feedback")
    assert {entry.actor_name for entry in entries} == {"olivia"}
    assert entries.exists()


def test_an_answer_is_taken_away_by_choosing_it_and_giving_none(
    page: Client, bugs: FeedbackType
) -> None:
    given = {"severity": "Minor", "reproducible": True, "impact": 3}
    ticket = factories.ticket(bugs, form_values=given)
    chosen = {
        "step": "preview",
        "change": ["field_severity", "field_reproducible", "field_impact"],
        "to-field_severity": "",
        "to-field_impact": "2.50",
    }
    shown = sent(page, [ticket], **chosen)
    assert sorted(table(shown)) == [
        ["Impact", "3", "2.5", "1"],
        ["Reproducible", "Yes", "No", "1"],
        ["Severity", "Minor", "-", "1"],
    ]
    page.post(f"{LIST}?type={bugs.pk}", hidden_inputs(shown))
    ticket.refresh_from_db()
    assert "severity" not in ticket.form_values
    assert ticket.form_values["reproducible"] is False
    assert str(ticket.form_values["impact"]) == "2.5"


@pytest.mark.parametrize(
    ("chosen", "problem"),
    [
        ({}, "Choose at least one thing to change"),
        ({"change": "title", "to-title": "x"}, "Choose at least one thing to change"),
        ({"change": "status", "to-status": "99999"}, "Select a valid choice"),
        ({"change": "status"}, "This field is required"),
        ({"change": "visibility", "to-visibility": "x"}, "Select a valid choice"),
        (
            {"change": "field_impact", "to-field_impact": "many"},
            "Enter a number",
        ),
        (
            {"change": "field_severity", "to-field_severity": "Huge"},
            "Select a valid choice",
        ),
    ],
)
def test_what_can_t_be_is_said_beside_it_and_nothing_typed_is_lost(
    page: Client, bugs: FeedbackType, chosen: dict[str, str], problem: str
) -> None:
    ticket = factories.ticket(bugs)
    more = {"step": "preview", "to-field_app_version": "7.1 beta", **chosen}
    html = text(sent(page, [ticket], **more))
    assert problem in html
    assert 'value="7.1 beta"' in html and 'name="step" value="preview"' in html
    confirmed = text(sent(page, [ticket], **{**more, "step": "change"}))
    assert problem in confirmed
    before = Feedback.objects.values().get()
    assert before["visibility"] == "public" and before["form_values"] == {}


def test_another_selection_than_was_looked_at_is_shown_again(
    page: Client, bugs: FeedbackType
) -> None:
    tickets = factories.tickets(bugs, 2)
    chosen = {"step": "preview", "change": "visibility", "to-visibility": "private"}
    shown = sent(page, tickets, select_across="1", **chosen)
    factories.ticket(bugs)
    again = page.post(f"{LIST}?type={bugs.pk}", hidden_inputs(shown), follow=True)
    assert messages_of(again) == [
        "The selection has changed meanwhile. It had 2 and has 3 now."
        " Please check it again."
    ]
    assert not Feedback.objects.filter(visibility="private").exists()
    page.post(f"{LIST}?type={bugs.pk}", hidden_inputs(again))
    assert Feedback.objects.filter(visibility="private").count() == 3


def test_more_than_change_at_once_are_refused_by_a_sentence(
    page: Client, bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feedback.admin.change_many.MOST", 2)
    tickets = factories.tickets(bugs, 3)
    assert messages_of(sent(page, tickets)) == [
        "3 tickets are selected, and at most 2 change at once. Narrow the list, and"
        " change them in several turns."
    ]


def test_tickets_of_several_types_change_in_what_all_have(
    page: Client, bugs: FeedbackType
) -> None:
    tickets = [
        factories.ticket(bugs),
        factories.ticket(factories.feedback_type("Idea", "IDEA")),
    ]
    data = {
        "action": "change_many",
        "_selected_action": [ticket.pk for ticket in tickets],
    }
    html = text(page.post(LIST, data))
    assert 'name="to-visibility"' in html and 'name="to-status"' not in html
    data |= {"step": "preview", "change": "visibility", "to-visibility": "private"}
    page.post(LIST, hidden_inputs(page.post(LIST, data)))
    assert Feedback.objects.filter(visibility="private").count() == 2


def test_who_may_not_change_is_not_offered_it_and_changes_nothing(
    bugs: FeedbackType,
) -> None:
    ticket = factories.ticket(bugs)
    elsewhere = factories.feedback_type("Idea", "IDEA")
    theirs = factories.ticket(elsewhere)
    otto = factories.member(bugs, Role.OBSERVER, "otto")
    factories.member(elsewhere, Role.SUPPORT, "otto")
    client = Client()
    client.force_login(otto)
    url = f"{LIST}?type={bugs.pk}"
    assert "change_many" not in text(client.get(url))
    assert "change_many" in text(client.get(f"{LIST}?type={elsewhere.pk}"))
    chosen = {"step": "preview", "change": "visibility", "to-visibility": "private"}
    sent(client, [ticket], **chosen)
    # The list of all types is where a role elsewhere offers it.
    data = {"action": "change_many", "_selected_action": [ticket.pk]}
    response: Any = client.post(LIST, {**data, **chosen}, follow=True)
    assert messages_of(response) == ["You may change none of these tickets."]
    data["_selected_action"] = [ticket.pk, theirs.pk]
    html = text(client.post(LIST, data))
    assert "1 of the selection is left out: you may not change it." in html
    assert not Feedback.objects.filter(visibility="private").exists()


def test_triggers_are_named_before_and_run_as_for_other_changes(
    page: Client, bugs: FeedbackType
) -> None:
    macro = factories.macro(bugs, "https://example.com/", name="Tell Slack")
    Trigger.objects.create(
        macro=macro,
        name="On closing",
        event=Event.STATUS_CHANGED,
        is_active=True,
    )
    tickets = factories.tickets(bugs, 3)
    closed = bugs.statuses.get(name="Closed")
    chosen = {"step": "preview", "change": "status", "to-status": closed.pk}
    shown = sent(page, tickets, **chosen)
    assert "On closing" in text(shown) and "Tell Slack" in text(shown)
    assert not Run.objects.exists()
    page.post(f"{LIST}?type={bugs.pk}", hidden_inputs(shown))
    assert sum(Run.objects.values_list("total", flat=True)) == 3


def test_deleting_stands_apart_and_is_for_managers(bugs: FeedbackType) -> None:
    factories.ticket(bugs)
    factories.macro(bugs, "https://example.com/", name="Tell Slack")
    for role, may_delete in [(Role.SUPPORT, False), (Role.PROJECT_MANAGER, True)]:
        client = Client()
        client.force_login(factories.member(bugs, role))
        bar = text(client.get(f"{LIST}?type={bugs.pk}")).split('selection-bar"')[1]
        bar = bar.split("</form>")[0]
        assert ("delete_selected" in bar) is may_delete
        order = [bar.index("macro_"), bar.index("change_many")]
        order += [bar.index("delete_selected")] if may_delete else []
        assert order == sorted(order)


def test_of_many_actions_in_one_form_the_one_is_done_whose_button_was_pressed(
    page: Client, bugs: FeedbackType
) -> None:
    """The form holds the list of macros, then each other action by its name."""
    ticket = factories.ticket(bugs)
    macro = factories.macro(bugs, "https://example.com/", name="Tell Slack")
    offered = [f"macro_{macro.pk}", "change_many", "delete_selected"]
    titles = ["Perform Action", "Change 1 ticket", "This can't be undone"]
    for number, title in enumerate(titles):
        data = {"action": offered, "index": number, "_selected_action": ticket.pk}
        response = page.post(f"{LIST}?type={bugs.pk}", data)
        assert title in text(response)
        form = text(response).split("<form")[-1]
        assert f'name="action" value="{offered[number]}"' in form
        assert form.count('name="action"') == 1
