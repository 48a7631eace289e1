"""The log of calls: its list, a call's page, dry runs and replay."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback.access.roles import Role
from feedback.console import paging
from feedback.models import FeedbackType
from logs.models import Action, AuditEntry
from macros.admin import call_filters, replaying
from macros.models import InboundCall, InboundEvent, Listener
from tests import factories

LIST = reverse("admin:macros_inboundcall_changelist")
JIRA = b'{"issue": {"key": "QA-7", "odd name\'s": [1, 2]}, "event": "closed"}'


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    bugs = factories.feedback_type()
    factories.api_key(bugs.project.community)
    return bugs


@pytest.fixture
def listener(bugs: FeedbackType) -> Listener:
    return factories.listener(
        bugs,
        {"kind": "status", "value": "Closed"},
        name="Jira",
        allowed_ips="127.0.0.1",
        record_by="external",
        record_external="jira_key",
        record_at="$.issue.key",
        name_at="$.event",
    )


def page_of(call: InboundCall) -> str:
    return reverse("admin:macros_inboundcall_change", args=[call.pk])


def url(page: str, row: Listener) -> str:
    return reverse(f"admin:macros_listener_{page}", args=[row.pk])


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


def listed(page: Client, query: str) -> set[int]:
    response: Any = page.get(f"{LIST}?{query}")
    assert response.status_code == 200
    return {row.pk for row in response.context["cl"].result_list}


def test_the_list_says_what_became_of_each_call_in_a_few_queries(
    page: Client,
    bugs: FeedbackType,
    listener: Listener,
    django_assert_max_num_queries: Any,
) -> None:
    ticket = factories.ticket(bugs)
    run = factories.run(factories.macro(bugs, "https://a.example/"))
    for _ in range(20):
        call = factories.inbound_call(listener, JIRA)
        event = factories.inbound_event(call, "acted", feedback=ticket)
        factories.inbound_event(call, "failed", position=1)
    type(run).objects.filter(pk=run.pk).update(event=event, listener=listener)
    with django_assert_max_num_queries(16):
        html = page.get(LIST).content.decode()
    assert html.count('outcome-good">Acted') == 20
    assert html.count('outcome-bad">Failed') == 20
    assert html.count(f">{ticket.reference}</a>") == 20
    assert f">run {run.pk}</a>" in html


def test_it_is_narrowed_by_listener_outcome_and_record(
    page: Client, bugs: FeedbackType, listener: Listener
) -> None:
    ticket, other = factories.ticket(bugs), factories.listener(bugs)
    acted = factories.inbound_call(listener)
    factories.inbound_event(acted, "acted", feedback=ticket)
    failed = factories.inbound_call(other)
    factories.inbound_event(failed, "failed")
    waiting = factories.inbound_call(listener)
    assert listed(page, "outcome=acted") == {acted.pk}
    assert listed(page, "outcome=waiting") == {waiting.pk}
    assert listed(page, f"listener={listener.pk}") == {acted.pk, waiting.pk}
    assert listed(page, f"listener={listener.pk}&outcome=failed") == set()
    assert listed(page, f"feedback={ticket.pk}") == {acted.pk}
    assert listed(page, "tester=1") == set()
    for nonsense in ("outcome=x", "listener=x", "feedback=x%00", "tester=9" + "9" * 30):
        assert listed(page, nonsense) == set()


def test_a_long_log_is_neither_counted_nor_read_whole(
    page: Client, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "MAX_LISTED", 2)
    monkeypatch.setattr(call_filters, "MAX_LISTED", 2)
    calls = [factories.inbound_call(listener) for _ in range(5)]
    for call in calls:
        factories.inbound_event(call, "ignored")
    response: Any = page.get(LIST)
    assert response.context["cl"].result_count == 2
    newest = {call.pk for call in calls[-2:]}
    assert listed(page, "outcome=ignored") == newest


HOSTILE = [
    b"",
    b"\x00\xff\xfe",
    b"<script>alert(1)</script>",
    b'{"a": NaN}',
    b"[" * 200_000,
    b'{"a": "\\ud800"}',
    b"9" * 5_000,
    "‮evil".encode(),
    b'{"x": "' + b"y" * 300_000 + b'"}',
    json.dumps({f"k{number}": [number] * 20 for number in range(2_000)}).encode(),
]


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_came_in_has_a_page(
    page: Client, listener: Listener, body: bytes
) -> None:
    headers = {"x-odd": "</pre><b>\u202e", "user-agent": "x" * 3_000}
    call = factories.inbound_call(listener, body, headers=headers, query="a=<b>")
    factories.inbound_event(call, "unreadable", detail="<i>" * 50, name="\u202e" * 9)
    response = page.get(page_of(call))
    html = response.content.decode()
    assert response.status_code == 200
    assert "<script>alert" not in html and "<i>" not in html and "</pre><b>" not in html
    assert "\u202e" not in html
    assert len(html) < 400_000
    tree = page.get(url("example", listener), {"call": call.pk}).json()["html"]
    assert "<script>alert" not in tree and len(tree) < 200_000


def test_the_tree_has_a_location_for_each_member(
    page: Client, listener: Listener
) -> None:
    call = factories.inbound_call(
        listener, JIRA, headers={"x-event": "closed"}, query="id=7"
    )
    tree = page.get(url("example", listener), {"call": call.pk}).json()["html"]
    for location in (
        "$.issue.key",
        "$.issue[&#x27;odd name\\&#x27;s&#x27;][1]",
        "header: x-event",
        "query: id",
    ):
        assert f'data-location="{location}"' in tree
    other = factories.inbound_call(factories.listener(listener.feedback_type))
    for wrong in (str(other.pk), "x", ""):
        reply = page.get(url("example", listener), {"call": wrong}).json()
        assert "no such call" in reply["html"]


def form_of(page: Client, row: Listener, **values: Any) -> dict[str, Any]:
    """The form of a listener as a browser sends it back."""
    context: Any = page.get(url("change", row)).context
    forms = [context["adminform"].form]
    data: dict[str, Any] = {}
    for each in context["inline_admin_formsets"]:
        forms += [each.formset.management_form, *each.formset.forms]
    for form in forms:
        for field in form:
            value = field.value()
            data[field.html_name] = "" if value is None else value
    return data | values


def test_a_dry_run_goes_by_the_form_as_it_is_and_changes_nothing(
    page: Client, bugs: FeedbackType, listener: Listener
) -> None:
    ticket = factories.ticket(bugs, external_data={"jira_key": "QA-7"})
    call = factories.inbound_call(listener, JIRA)
    data = form_of(page, listener, **{"try-call": call.pk})
    accept = {"HTTP_ACCEPT": "application/json"}
    html = page.post(url("try", listener), data, **accept).json()["html"]
    assert "outcome-good" in html and ticket.reference in html and "closed" in html
    edited = data | {"record_external": "other_key"}
    html = page.post(url("try", listener), edited, **accept).json()["html"]
    assert "Nothing to act on" in html and "other_key" in html
    faulty = data | {"record_at": "$["}
    html = page.post(url("try", listener), faulty, **accept).json()["html"]
    assert "once the form is correct" in html
    pasted = data | {"try-call": "", "try-body": "{nonsense"}
    html = text_of(page.post(url("try", listener), pasted))
    assert "Unreadable" in html
    assert "Choose a call" in text_of(page.post(url("try", listener), {}))
    assert page.get(url("try", listener)).status_code == 302
    ticket.refresh_from_db()
    listener.refresh_from_db()
    assert (ticket.status.name, listener.record_external) == ("New", "jira_key")
    assert InboundCall.objects.count() == 1
    assert not InboundEvent.objects.exists()


def replay(page: Client, *calls: InboundCall, **values: Any) -> Any:
    data = {
        "action": "replay",
        "index": "0",
        "select_across": "0",
        "_selected_action": [call.pk for call in calls],
        **values,
    }
    return page.post(LIST, data)


def confirmed(response: Any) -> dict[str, Any]:
    context = response.context
    return {
        "confirmed_count": context["preview"]["count"],
        "confirmed_selection": context["digest"],
    }


def test_calls_are_counted_confirmed_and_replayed(
    page: Client, listener: Listener
) -> None:
    acted, other = (factories.inbound_call(listener, JIRA) for _ in range(2))
    factories.inbound_event(acted, "acted")
    asked = replay(page, acted, other)
    words = text_of(asked)
    assert "<strong>2 calls</strong> will be processed again" in words
    assert "1 of them was acted on before" in words
    assert InboundCall.objects.count() == 2
    changed = replay(page, acted, **confirmed(asked))
    assert "has changed meanwhile" in text_of(changed)
    assert InboundCall.objects.count() == 2
    assert replay(page, acted, other, **confirmed(asked)).status_code == 302
    made = InboundCall.objects.filter(replay_of__isnull=False).order_by("pk")
    assert [each.replay_of_id for each in made] == [acted.pk, other.pk]
    assert {each.replayed_by for each in made} == {"olivia"}
    entry = AuditEntry.objects.get(action=Action.RESENT)
    assert (entry.object_name, entry.detail) == ("Jira", "Replayed 2 calls.")
    html = text_of(page.get(page_of(made[0])))
    assert f">Call {acted.pk}</a>, by olivia" in html


def test_a_filter_is_replayed_as_it_was_confirmed(
    page: Client, listener: Listener
) -> None:
    failed = [factories.inbound_call(listener) for _ in range(3)]
    for call in failed:
        factories.inbound_event(call, "failed")
    fine = factories.inbound_call(listener)
    factories.inbound_event(fine, "acted")
    data = {
        "action": "replay",
        "index": "0",
        "select_across": "1",
        "_selected_action": [failed[0].pk],
    }
    where = f"{LIST}?outcome=failed"
    asked: Any = page.post(where, data)
    assert asked.context["preview"]["count"] == 3
    page.post(where, data | confirmed(asked))
    replays = InboundCall.objects.filter(replay_of__isnull=False)
    assert {each.replay_of_id for each in replays} == {each.pk for each in failed}


def test_more_than_can_be_replayed_at_once_is_refused(
    page: Client, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "MAX_REPLAYED", 2)
    calls = [factories.inbound_call(listener) for _ in range(3)]
    replay(page, *calls)
    assert "More than 2 calls are selected" in text_of(page.get(LIST))
    assert InboundCall.objects.count() == 3


def test_support_replays_and_observers_look(
    bugs: FeedbackType, listener: Listener
) -> None:
    call = factories.inbound_call(listener, JIRA)
    for role, may in ((Role.SUPPORT, True), (Role.OBSERVER, False)):
        client = Client()
        client.force_login(factories.member(bugs, role))
        assert ('value="replay"' in text_of(client.get(page_of(call)))) is may
        asked: Any = replay(client, call)
        assert bool(asked.context and "preview" in asked.context) is may


def test_a_run_and_a_ticket_lead_to_the_call(
    page: Client, bugs: FeedbackType, listener: Listener
) -> None:
    ticket = factories.ticket(bugs)
    call = factories.inbound_call(listener)
    event = factories.inbound_event(call, "acted", feedback=ticket)
    run = factories.run(factories.macro(bugs, "https://a.example/"))
    type(run).objects.filter(pk=run.pk).update(
        event=event, listener=listener, cause="listener", cause_name="Jira"
    )
    html = text_of(page.get(reverse("admin:logs_run_change", args=[run.pk])))
    assert f'<a href="{page_of(call)}">call {call.pk}</a>' in html
    shown = page.get(reverse("admin:feedback_feedback_change", args=[ticket.pk]))
    assert f"{LIST}?feedback={ticket.pk}" in text_of(shown)


def test_what_is_under_way_is_shown_again(page: Client, listener: Listener) -> None:
    call = factories.inbound_call(listener)
    progress = reverse("admin:macros_inboundcall_progress", args=[call.pk])
    reply = page.get(progress).json()
    assert (reply["state"], reply["settled"]) == ("waiting", False)
    assert "waits to be processed" in reply["html"]
    factories.inbound_event(
        call, "no_record", detail="No ticket.", happened_at=timezone.now()
    )
    reply = page.get(progress).json()
    assert reply["settled"] and "Nothing to act on" in reply["html"]
