"""What a listener creates where it found nothing."""

from __future__ import annotations

import pytest

from feedback.models import Feedback, Tester
from logs.models import Run
from tests import factories
from tests.listeners import heard

from .calling import call, outcome

__all__ = ["heard"]
pytestmark = pytest.mark.django_db

TICKET = """\
title: ((Payload: $.title))
description: Reported by ((Payload: $.by)).
  Seen on ((Payload: $.device)).
status: Closed
submitter: ((Payload: $.by))
Severity: ((Payload: $.severity))
impact: ((Payload: $.impact))
"""


@pytest.fixture
def bugs():
    return factories.feedback_type()


def crashes(of, value=TICKET, **values):
    return factories.listener(
        of,
        {"kind": "external", "name": "crash_id", "value": "((Payload: $.id))"},
        {"kind": "create", "value": value},
        **{
            "record_by": "external",
            "record_external": "crash_id",
            "record_at": "$.id",
            "name": "Crashes",
            **values,
        },
    )


def test_a_ticket_is_created_once_and_found_from_then_on(bugs, heard):
    ada = factories.tester(bugs, "ada@example.com")
    heard.clear()
    listener = crashes(bugs)
    data = {
        "id": "c-1",
        "title": "Crash\nin x",
        "by": "ADA@example.com",
        "device": "Pixel",
        "severity": "major",
        "impact": 3,
    }
    event = call(listener, data)
    ticket = Feedback.objects.get()
    assert (ticket.title, ticket.submitter) == ("Crash in x", ada)
    assert ticket.description == "Reported by ADA@example.com.\nSeen on Pixel."
    assert ticket.status is not None and ticket.status.name == "Closed"
    assert ticket.form_values == {"severity": "Major", "impact": 3}
    assert ticket.external_data == {"crash_id": "c-1"}
    assert event.feedback == ticket and event.outcome == "acted"
    assert event.changes == "BUG-1 was created.\ncrash_id is c-1 now."
    [origin], [(_, change)] = heard.origins, heard.changes
    assert origin.actor == "Listener Crashes" and not origin.is_automation
    assert change.is_new and change.after["external_crash_id"] == "c-1"
    again = call(listener, data)
    assert again.feedback == ticket and again.detail == "Nothing changed."


def test_triggers_run_for_what_is_created(bugs):
    macro = factories.macro(bugs, "https://example.com/")
    trigger = factories.trigger(macro, "submitted")
    call(crashes(bugs), {"id": 1, "title": "x", "by": "nobody@example.com"})
    assert Run.objects.get().trigger == trigger


def test_an_unknown_submitter_is_none_and_is_said_so(bugs):
    event = call(crashes(bugs), {"id": 1, "title": "x", "by": "nobody@example.com"})
    assert event.feedback.submitter is None
    assert "The submitter is not a tester of the community" in event.changes


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("Severity: Awful", "Severity: Select a valid choice."),
        ("status: Nope", "status: The feedback type has no status 'Nope'."),
        ("visibility: x", "visibility: Give public or private."),
        ("gone: x", "gone: The form has no such field."),
    ],
)
def test_what_is_refused_is_named_and_nothing_is_created(bugs, line, why):
    event = call(crashes(bugs, f"title: x\n{line}"), {"id": 1})
    assert event.outcome == "failed" and event.feedback is None
    assert event.detail.startswith(f"Create it if none is found: {why}")
    assert not Feedback.objects.exists() and event.changes == ""
    bugs.refresh_from_db()
    assert bugs.last_number == 0


def test_a_long_title_is_cut_and_a_missing_one_is_said_to_be(bugs):
    event = call(crashes(bugs), {"id": 1, "title": "x" * 300})
    assert event.feedback.title == "x" * 249 + "…"
    event = call(crashes(bugs, name="Other"), {"id": 2})
    assert event.feedback.title == "Without a title"


def test_what_fails_after_the_creation_undoes_it(bugs):
    listener = crashes(bugs)
    listener.actions.create(position=9, kind="status", value="Nope")
    event = call(listener, {"id": 1, "title": "x"})
    assert event.outcome == "failed" and event.feedback is None
    assert not Feedback.objects.exists()


def test_a_listener_that_looks_nothing_up_creates_each_time(bugs):
    listener = factories.listener(
        bugs, {"kind": "create", "value": "title: ((Payload: $.t))"}
    )
    for number in range(2):
        assert call(listener, {"t": number}).outcome == "acted"
    assert sorted(Feedback.objects.values_list("title", flat=True)) == ["0", "1"]


def test_without_creation_it_says_that_nothing_is_looked_up(bugs):
    listener = factories.listener(bugs, {"kind": "comment", "value": "x"})
    detail = "The listener looks up no ticket."
    assert outcome(call(listener, {})) == ("no_record", detail)


def signups(of, **values):
    return factories.listener(
        of,
        {
            "kind": "create",
            "value": "email: ((Payload: $.email))\nFirst Name: ((Payload: $.name))\n"
            "street: ((Payload: $.street))",
        },
        {"kind": "external", "name": "plan", "value": "((Payload: $.plan))"},
        **{"record_by": "email", "record_at": "$.email", **values},
    )


def test_a_tester_is_created_by_the_e_mail_address(bugs):
    listener = signups(bugs.project.community)
    data = {"email": "ada@example.com", "name": "Ada", "plan": "pro", "street": "x"}
    event = call(listener, data)
    tester = Tester.objects.get()
    assert event.tester == tester
    assert (tester.first_name, tester.street1) == ("Ada", "x")
    assert tester.external_data == {"plan": "pro"}
    assert call(listener, {**data, "email": "ADA@example.com"}).tester == tester


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"email": "nope"}, "email: Enter a valid email address."),
        ({}, "email: This field cannot be blank."),
        ({"email": "a@example.com", "name": "x" * 101}, "first_name: "),
    ],
)
def test_a_tester_that_is_refused_names_the_field(bugs, data, why):
    event = call(signups(bugs.project.community), data)
    assert event.outcome == "failed" and not Tester.objects.exists()
    assert event.detail.startswith(f"Create it if none is found: {why}")


def test_who_was_erased_is_not_found_again(bugs):
    listener = signups(bugs.project.community)
    tester = call(listener, {"email": "ada@example.com", "plan": "pro"}).tester
    Tester.objects.filter(pk=tester.pk).update(erased_at=tester.created_at)
    listener = factories.listener(
        bugs.project.community,
        {"kind": "score", "value": "1"},
        record_by="id",
        record_at="$.id",
    )
    event = call(listener, {"id": tester.pk})
    detail = f"No tester has the ID = {tester.pk} ($.id)."
    assert outcome(event) == ("no_record", detail)
