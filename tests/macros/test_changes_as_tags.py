"""What had changed when a trigger started a run, as tags of its templates."""

from __future__ import annotations

import json
from typing import Any

import pytest

from centerhook.receiver import Receiver
from feedback.changes import Origin, unit
from feedback.models import Comment, Feedback, FeedbackType
from logs.models import Delivery, Resend, Run, RunChange
from logs.privacy import erase_tester
from macros import deliveries
from macros.models import Event
from macros.runs.resend import resend
from tests import factories
from tests.macros.triggering import runs_of

pytestmark = pytest.mark.django_db

TAGS = {
    "status": "((Previous: Status))",
    "severity": "((Previous: Field: Severity))",
    "label": "((Previous: Severity))",
    "key": "((Previous: External: Jira Key))",
    "title": "((Previous: Title))",
    "fields": "((Changed Fields|join:, ))",
    "by": "((Changed By))",
    "trigger": "((Trigger))",
    "meant": "((Scheduled For))",
}
EMPTY = dict.fromkeys(TAGS, "")


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


def sent(receiver: Receiver) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in receiver.requests]


def ticket_of(bugs: FeedbackType) -> Feedback:
    data = {"form_values": {"severity": "Minor"}, "external_data": {"jira_key": "K-1"}}
    return factories.ticket(bugs, title="Old", **data)


def change_all(ticket: Feedback) -> None:
    closed = ticket.feedback_type.statuses.get(name="Closed")
    with unit(Origin(actor="ada")):
        ticket.status, ticket.title = closed, "New title"
        ticket.form_values = {"severity": "Critical"}
        ticket.external_data = {"jira_key": "K-2"}
        ticket.save()
        Comment.objects.create(feedback=ticket, text="Look")


def test_they_say_what_was_before_on_every_try(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    macro = factories.macro(bugs, f"{receiver.url}/ok", body=json.dumps(TAGS))
    trigger = factories.trigger(macro, Event.MODIFIED, name="On edit")
    ticket = ticket_of(bugs)
    change_all(ticket)
    expected = {
        "status": "New",
        "severity": "Minor",
        "label": "Minor",
        "key": "K-1",
        "title": "Old",
        "fields": "External: jira_key, Severity, Status, Title, Comments",
        "by": "ada",
        "trigger": "On edit",
        "meant": "",
    }

    [run] = runs_of(trigger)
    deliveries.work(run.pk)
    trigger.is_active = False
    trigger.save()
    Feedback.objects.update(title="Later", form_values={})
    for kind in Resend:
        resend(Delivery.objects.filter(run=run), kind, factories.superuser(kind))
        deliveries.work(run.pk)

    assert sent(receiver) == [expected] * 3


def test_columns_of_a_tester_are_named_as_people_know_them(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    body = '{"fields": "((Changed Fields|join:, ))"}'
    macro = factories.macro(bugs.project.community, f"{receiver.url}/ok", body=body)
    trigger = factories.trigger(macro, Event.TESTER_CHANGED)
    tester = factories.tester(bugs)
    tester.first_name, tester.external_data = "Tina", {"key_of": 1}
    tester.save()
    deliveries.work(runs_of(trigger)[0].pk)
    assert sent(receiver) == [{"fields": "External: key_of, First name"}]


def test_of_a_very_long_name_as_much_is_kept_as_a_column_takes(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    macro = factories.macro(bugs, f"{receiver.url}/ok", body='"((Changed By))"')
    trigger = factories.trigger(macro, Event.MODIFIED)
    ticket = ticket_of(bugs)
    with unit(Origin(actor="a" * 160)):
        ticket.title = "New title"
        ticket.save()
    deliveries.work(runs_of(trigger)[0].pk)
    assert sent(receiver) == ["a" * 150]


def test_what_did_not_change_has_no_previous_value(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    macro = factories.macro(bugs, f"{receiver.url}/ok", body=json.dumps(TAGS))
    trigger = factories.trigger(macro, Event.MODIFIED, name="On edit")
    ticket = ticket_of(bugs)
    with unit(Origin(actor="ada")):
        ticket.title = "New title"
        ticket.save()
    deliveries.work(runs_of(trigger)[0].pk)
    assert sent(receiver) == [
        EMPTY | {"title": "Old", "fields": "Title", "by": "ada", "trigger": "On edit"}
    ]


def test_they_are_empty_where_a_person_started_the_run(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    macro = factories.macro(bugs, f"{receiver.url}/ok", body=json.dumps(TAGS))
    ticket_of(bugs)
    deliveries.work(factories.run(macro).pk)
    assert sent(receiver) == [EMPTY]


def test_nothing_is_kept_that_no_template_reads(bugs: FeedbackType) -> None:
    macro = factories.macro(bugs, "https://example.com/", body='"((Trigger))"')
    factories.trigger(macro, Event.MODIFIED)
    change_all(ticket_of(bugs))
    assert (Run.objects.count(), RunChange.objects.count()) == (1, 0)


def test_a_macros_change_is_made_by_the_macro(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    body = '{"by": "((Changed By))", "was": "((Previous: Severity))"}'
    macro = factories.macro(bugs, f"{receiver.url}/ok", body=body)
    factories.trigger(macro, Event.MODIFIED, follows_automation=True)
    step = {"kind": "set_field", "field": "severity", "value": "Major"}
    setting = factories.steps(factories.macro(bugs, name="Set severity"), step)
    ticket_of(bugs)
    deliveries.work(factories.run(setting).pk)
    deliveries.work(Run.objects.get(cause="trigger").pk)
    assert sent(receiver) == [{"by": "Set severity", "was": "Minor"}]


def test_an_erasure_reaches_them(bugs: FeedbackType) -> None:
    macro = factories.macro(bugs, "https://example.com/", body='"((Previous: Title))"')
    factories.trigger(macro, Event.MODIFIED)
    tara = factories.tester(bugs)
    ticket = factories.ticket(bugs, title="Tara Tester called", submitter=tara)
    ticket.title = "Somebody called"
    ticket.save()
    assert RunChange.objects.get().before == {"title": "Tara Tester called"}
    erase_tester(tara, None)
    assert "Tara" not in str(RunChange.objects.get().before)
