"""Return values on the pages: written in a table, read on ticket and delivery."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback.models import Feedback, FeedbackType
from logs.models import Attempt, Delivery
from macros import deliveries
from macros.steps.kinds.web_request import WebRequest
from tests import factories
from tests.http.hostile import Peer, Server

ADD = reverse("admin:macros_macro_add")
LIST = reverse("admin:feedback_feedback_changelist")
ROW = {"name": "Jira key", "source": "json", "expression": "$.key"}
CHOICES = {"type": "text", "when": "success"}
STORED = {**ROW, **CHOICES, "name": "jira_key", "required": False}


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


def form(bugs: FeedbackType, *rows: dict[str, str]) -> dict[str, str]:
    data = {
        "feedback_type": str(bugs.pk),
        "name": "Create issue",
        "is_active": "on",
        "steps-TOTAL_FORMS": "1",
        "steps-INITIAL_FORMS": "0",
        "steps-0-position": "0",
        "steps-0-method": "POST",
        "steps-0-url": "https://a.example/",
        "steps-0-body_kind": "none",
    }
    for number, row in enumerate(rows):
        for member, value in {"name": "", "expression": "", **CHOICES, **row}.items():
            data[f"steps-0-return_values-{number}-{member}"] = value
    return data


def changed(macro_step: WebRequest, data: dict[str, str]) -> dict[str, str]:
    return {
        **data,
        "steps-INITIAL_FORMS": "1",
        "steps-0-step_ptr": str(macro_step.pk),
        "steps-0-macro": str(macro_step.macro_id),
    }


def fields_in(html: str) -> dict[str, str]:
    """The texts in the table of the first web request."""
    inputs = re.findall(r'name="(steps-0-return_values-[^"]+)" value="([^"]*)"', html)
    return dict(inputs)


def test_rows_are_saved_and_empty_ones_are_not(
    page: Client, bugs: FeedbackType
) -> None:
    required = {**ROW, "name": "url", "type": "list", "required": "on"}
    data = form(bugs, {"source": "json"}, ROW, {"source": "status"}, required)
    assert page.post(ADD, data).status_code == 302
    assert WebRequest.objects.get().return_values == [
        STORED,
        {**STORED, "name": "url", "type": "list", "required": True},
    ]


def test_the_form_shows_the_rows_and_some_empty_ones(
    page: Client, bugs: FeedbackType
) -> None:
    macro = factories.macro(
        bugs, "https://a.example/", return_values=[{**STORED, "expression": "$['<b>']"}]
    )
    url = reverse("admin:macros_macro_change", args=[macro.pk])
    html = page.get(url).content.decode()
    assert fields_in(html) == {
        "steps-0-return_values-0-name": "jira_key",
        "steps-0-return_values-0-expression": "$[&#x27;&lt;b&gt;&#x27;]",
        **{
            f"steps-0-return_values-{number}-{member}": ""
            for number in (1, 2, 3)
            for member in ("name", "expression")
        },
    }
    assert 'name="steps-__prefix__-return_values-2-name"' in html


def test_a_fault_is_shown_with_its_row_and_what_was_typed_stays(
    page: Client, bugs: FeedbackType
) -> None:
    bad = {**ROW, "name": "other", "expression": "key[", "type": "number"}
    response = page.post(ADD, form(bugs, ROW, bad))
    html = response.content.decode()
    assert "Row 2, path: A JSONPath begins with $, such as $.key;" in html
    assert fields_in(html)["steps-0-return_values-1-expression"] == "key["
    assert html.count('<option value="number" selected>') == 1
    assert not WebRequest.objects.exists()


def test_a_row_is_removed_by_clearing_it(page: Client, bugs: FeedbackType) -> None:
    macro = factories.macro(bugs, "https://a.example/", return_values=[STORED])
    url = reverse("admin:macros_macro_change", args=[macro.pk])
    step = WebRequest.objects.get()
    # A form without the table, such as a script's, says nothing about it.
    assert page.post(url, changed(step, form(bugs))).status_code == 302
    assert WebRequest.objects.get().return_values == [STORED]

    assert page.post(url, changed(step, form(bugs, {}))).status_code == 302
    assert WebRequest.objects.get().return_values == []


def captured_by_a_run(bugs: FeedbackType, serve: Callable[..., Server]) -> Delivery:
    def behave(peer: Peer) -> None:
        while peer.request():
            body = b'{"key": "<i>ABC-1</i>"}'
            peer.say(
                b"HTTP/1.1 201 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            )

    server = serve(behave)
    rows = [STORED, {**STORED, "name": "owner", "expression": "$.owner"}]
    run = factories.run(factories.macro(bugs, server.url("/"), return_values=rows))
    deliveries.work(run.pk)
    return Delivery.objects.get()


def test_the_ticket_says_where_a_value_came_from(
    page: Client, bugs: FeedbackType, serve: Callable[..., Server]
) -> None:
    ticket = factories.ticket(bugs, external_data={"score": 5})
    delivery = captured_by_a_run(bugs, serve)
    log = reverse("admin:logs_delivery_change", args=[delivery.pk])
    url = reverse("admin:feedback_feedback_change", args=[ticket.pk])

    html = page.get(url).content.decode()

    assert "<td>&lt;i&gt;ABC-1&lt;/i&gt;</td>" in html
    origin = f"from run {delivery.run_id}, attempt 1, body $.key, "
    assert f'<a href="{log}">{origin}' in html
    assert '<tr><th>score</th><td>5</td><td class="quiet"></td></tr>' in html

    delivery.run.delete()
    html = page.get(url).content.decode()
    assert origin in html and log not in html


def test_the_delivery_says_what_was_stored_and_what_was_not(
    page: Client, bugs: FeedbackType, serve: Callable[..., Server]
) -> None:
    factories.ticket(bugs)
    delivery = captured_by_a_run(bugs, serve)
    url = reverse("admin:logs_delivery_change", args=[delivery.pk])
    html = page.get(url).content.decode()
    assert (
        "<li>Not stored: owner, since body $.owner matches nothing.</li>"
        "<li>Stored: jira_key = &lt;i&gt;ABC-1&lt;/i&gt; (body $.key)</li>"
    ) in html


def test_an_accepted_request_with_a_problem_is_not_called_refused(
    page: Client, bugs: FeedbackType, serve: Callable[..., Server]
) -> None:
    factories.ticket(bugs)
    delivery = captured_by_a_run(bugs, serve)
    Delivery.objects.update(last_error="value", last_status=201)
    html = page.get(reverse("admin:logs_delivery_changelist")).content.decode()
    assert ">Return value missing</span>" in html
    Delivery.objects.update(last_error="http", last_status=404)
    html = page.get(reverse("admin:logs_delivery_changelist")).content.decode()
    assert ">Return value missing</span>" not in html
    assert Attempt.objects.get(delivery=delivery).status == 201


def test_a_ticket_edited_while_a_response_comes_keeps_what_was_captured(
    page: Client, bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = factories.ticket(bugs)
    full_clean = Feedback.full_clean

    def capture_then_clean(self: Feedback, *args: Any, **kwargs: Any) -> None:
        Feedback.objects.update(external_data={"key": "A"})
        full_clean(self, *args, **kwargs)

    monkeypatch.setattr(Feedback, "full_clean", capture_then_clean)
    url = reverse("admin:feedback_feedback_change", args=[ticket.pk])
    data = {
        "title": "Edited",
        "visibility": "public",
        "comments-TOTAL_FORMS": "0",
        "comments-INITIAL_FORMS": "0",
    }
    assert page.post(url, data).status_code == 302
    ticket.refresh_from_db()
    assert (ticket.title, ticket.external_data) == ("Edited", {"key": "A"})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", ["text", "number", "yes", "list", "none", "other"]),
        ("ABC-1", ["text"]),
        (" ABC-1 ", ["text"]),
        ("42", ["number"]),
        ("true", ["yes"]),
        ("ABC", []),
        ("%", []),
        ('{"a": 1}', []),
    ],
)
def test_tickets_are_filtered_by_external_data(
    page: Client, bugs: FeedbackType, value: str, expected: list[str]
) -> None:
    bugs.external_columns = "Jira key"
    bugs.save()
    for title, data in {
        "text": {"jira_key": "ABC-1"},
        "number": {"jira_key": 42},
        "yes": {"Jira key": True},
        "list": {"jira_key": ["ABC-1"]},
        "none": {},
        "other": {"key": "ABC-1"},
    }.items():
        factories.ticket(bugs, title=title, external_data=data)

    query = {"type": bugs.pk, "external_Jira key": value}
    response = page.get(LIST, query)

    rows = response.context["cl"].queryset.order_by("pk")
    assert [row.title for row in rows] == expected


def test_a_filter_by_external_data_selects_for_an_action(
    page: Client, bugs: FeedbackType
) -> None:
    bugs.external_columns = "jira_key"
    bugs.save()
    factories.ticket(bugs, external_data={"jira_key": "A"})
    factories.ticket(bugs)
    macro = factories.macro(bugs, "https://a.example/")
    url = f"{LIST}?type={bugs.pk}&has_external_jira_key=false"
    html = page.get(url).content.decode()
    assert 'class="selected"><a href="?has_external_jira_key=false' in html

    response = page.post(
        url,
        {
            "action": f"macro_{macro.pk}",
            "index": "0",
            "select_across": "1",
            "_selected_action": [row.pk for row in Feedback.objects.all()],
        },
    )

    assert "1 ticket will be sent" in re.sub(r"<[^>]+>", "", response.content.decode())
