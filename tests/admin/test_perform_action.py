"""The list's action: a confirmation with a real request in it, then one run."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from feedback.models import Feedback, FeedbackType
from logs.models import Delivery, Run
from macros.models import Macro
from macros.steps.kinds.web_request import WebRequest
from tests import factories

LIST = reverse("admin:feedback_feedback_changelist")


def perform(
    page: Client, macro: Macro, tickets: list[Feedback], query: str = "", **more: Any
) -> HttpResponse:
    data = {
        "action": f"macro_{macro.pk}",
        "index": "0",
        "select_across": "0",
        "_selected_action": [ticket.pk for ticket in tickets],
        **more,
    }
    url = f"{LIST}?type={macro.feedback_type_id}{query}"
    return page.post(url, data)  # type: ignore[return-value]


def hidden_inputs(response: HttpResponse) -> dict[str, Any]:
    form = response.content.decode().split('<form id="perform-action"')[1]
    fields: dict[str, Any] = {}
    for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form):
        fields.setdefault(name, []).append(unescape(value))
    return fields


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def slack(bugs: FeedbackType) -> Macro:
    return factories.macro(
        bugs,
        "https://hooks.example.com/T1?token=abcdefgh",
        name="Post to Slack",
        body='{"text": "((Title)) / ((Field: Severity))"}',
        headers="Authorization: Bearer very-secret-1",
    )


def test_the_action_box_lists_the_types_own_macros(
    page: Client, bugs: FeedbackType, slack: Macro
) -> None:
    factories.ticket(bugs)
    off = factories.macro(bugs, "https://example.com/", name="Switched off")
    Macro.objects.filter(pk=off.pk).update(is_active=False)
    other = factories.feedback_type("Idea", "IDEA")
    factories.macro(other, "https://example.com/", name="Of another type")

    html = page.get(f"{LIST}?type={bugs.pk}").content.decode()

    host = 'data-host="hooks.example.com"'
    assert f'<option value="macro_{slack.pk}" {host}>Post to Slack</option>' in html
    assert "Switched off" not in html and "Of another type" not in html
    assert ">Perform Action</button>" in html


def test_the_confirmation_shows_what_will_be_sent_and_where(
    page: Client, bugs: FeedbackType, slack: Macro
) -> None:
    tickets = [
        factories.ticket(bugs, title="First", form_values={"severity": "Critical"}),
        factories.ticket(bugs, title="Second"),
    ]

    html = unescape(perform(page, slack, tickets).content.decode())

    assert "<strong>2 tickets</strong> will be sent" in html
    assert "hooks.example.com" in html
    assert '{"text": "First / Critical"}' in html
    assert "POST https://hooks.example.com/T1?token=••••••" in html
    assert "Authorization: Bearer ••••••" in html
    assert "very-secret-1" not in html and "abcdefgh" not in html
    assert "((Field: Severity))" in html and "1: BUG-2" in html
    assert Run.objects.count() == 0


def test_confirming_starts_one_run_and_opens_its_page(
    page: Client, olivia: User, bugs: FeedbackType, slack: Macro
) -> None:
    tickets = factories.tickets(bugs, 3)
    form = hidden_inputs(perform(page, slack, tickets[:2]))

    response = page.post(f"{LIST}?type={bugs.pk}", form)

    run = Run.objects.get()
    assert response.url == reverse("admin:logs_run_change", args=[run.pk])
    assert (run.total, run.actor, run.actor_name) == (2, olivia, "olivia")
    assert run.selection == "Type: Bug Report; picked by hand"
    subjects = Delivery.objects.values_list("feedback", "subject_label", "state")
    assert sorted(subjects) == [
        (ticket.pk, ticket.reference, "pending") for ticket in tickets[:2]
    ]


def test_a_double_click_makes_one_run(
    page: Client, bugs: FeedbackType, slack: Macro
) -> None:
    tickets = factories.tickets(bugs, 2)
    form = hidden_inputs(perform(page, slack, tickets))

    urls = [page.post(f"{LIST}?type={bugs.pk}", form).url for _ in range(2)]

    assert urls[0] == urls[1]
    assert (Run.objects.count(), Delivery.objects.count()) == (1, 2)


def test_all_matching_means_what_the_filters_say(
    page: Client, bugs: FeedbackType, slack: Macro
) -> None:
    for severity in ("Critical", "Minor"):
        factories.tickets(bugs, 60, form_values={"severity": severity})
    query = "&field_severity=Critical&open=true"
    first = list(Feedback.objects.filter(form_values__severity="Critical")[:1])
    confirmation = perform(page, slack, first, query, select_across="1")
    assert "<strong>60 tickets</strong>" in confirmation.content.decode()

    form = hidden_inputs(confirmation)
    page.post(f"{LIST}?type={bugs.pk}{query}", form)

    run = Run.objects.get()
    assert run.total == 60
    assert run.selection == "Type: Bug Report; Severity: Critical; Open: yes"
    sent = Delivery.objects.values_list("feedback__form_values__severity", flat=True)
    assert set(sent) == {"Critical"}


def test_a_selection_that_changed_is_confirmed_again(
    page: Client, bugs: FeedbackType, slack: Macro
) -> None:
    first = factories.tickets(bugs, 2)
    form = hidden_inputs(perform(page, slack, first[:1], select_across="1"))
    factories.ticket(bugs)

    response = page.post(f"{LIST}?type={bugs.pk}", form)

    html = response.content.decode()
    assert "The selection has changed meanwhile" in html
    assert "<strong>3 tickets</strong>" in html
    assert Run.objects.count() == 0


def test_the_same_action_works_for_one_ticket_from_its_form(
    page: Client, bugs: FeedbackType, slack: Macro
) -> None:
    ticket = factories.ticket(bugs)
    url = reverse("admin:feedback_feedback_change", args=[ticket.pk])

    html = page.get(url).content.decode()

    assert 'class="perform-one"' in html
    box = html.split('id="perform-one-action"')[1].split("</select>")[0]
    first, second = box.split("<option")[1:]
    assert first.startswith(' value="">Choose a macro')
    assert second.startswith(f' value="macro_{slack.pk}">Post to Slack')
    assert f'action="{LIST}?type={bugs.pk}"' in html
    confirmation = perform(page, slack, [ticket]).content.decode()
    assert "<strong>1 ticket</strong> will be sent" in confirmation


def test_a_macro_without_a_web_request_says_so_and_offers_no_button(
    page: Client, bugs: FeedbackType, slack: Macro
) -> None:
    WebRequest.objects.all().delete()
    ticket = factories.ticket(bugs)

    html = perform(page, slack, [ticket]).content.decode()

    assert "This macro has no step. Add one to run it." in html
    assert 'value="Perform Action"' not in html
    form = {"confirmed_count": "1", "run_key": "0" * 32}
    after = page.get(perform(page, slack, [ticket], **form).url)
    assert "has no step. Add one to run it." in after.content.decode()
    assert Run.objects.count() == 0


def test_without_a_worker_both_pages_say_so(
    page: Client, bugs: FeedbackType, slack: Macro
) -> None:
    ticket = factories.ticket(bugs)
    confirmation = perform(page, slack, [ticket])
    assert "No worker is running" in confirmation.content.decode()

    to_run = page.post(f"{LIST}?type={bugs.pk}", hidden_inputs(confirmation))

    assert "No worker is running" in page.get(to_run.url).content.decode()


def test_a_key_that_somebody_made_up_starts_a_run_of_its_own(
    page: Client, bugs: FeedbackType, slack: Macro
) -> None:
    ticket = factories.ticket(bugs)
    perform(page, slack, [ticket], confirmed_count="1", run_key="'; DROP TABLE")
    assert len(Run.objects.get().key) == 32


def test_another_types_ticket_is_not_sent(
    page: Client, bugs: FeedbackType, slack: Macro
) -> None:
    other = factories.ticket(factories.feedback_type("Idea", "IDEA"))
    mine = factories.ticket(bugs)
    form = {"confirmed_count": "1", "run_key": ""}
    perform(page, slack, [mine, other], **form)
    assert list(Delivery.objects.values_list("feedback", flat=True)) == [mine.pk]
