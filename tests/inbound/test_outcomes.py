"""Each way in which an event may end, and the sentence that says why."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from feedback.models import Feedback, Tester
from logs.models import Cause, Run
from macros.listeners.replay import replay
from macros.models import InboundCall, InboundEvent
from tests import factories

from .calling import call, calls, outcome, status_listener, work_on

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs():
    return factories.feedback_type()


@pytest.fixture
def bug(bugs):
    return factories.ticket(bugs, external_data={"jira_key": "NW-41"})


def status(bug: Feedback) -> str:
    bug.refresh_from_db()
    return bug.status.name


def test_an_issue_that_is_closed_there_closes_the_ticket_here(bugs, bug):
    listener = status_listener(bugs)
    event = call(listener, {"key": "NW-41", "status": "Done"})
    assert outcome(event) == ("acted", "")
    assert event.changes == "Status changed from New to Closed."
    assert event.feedback == bug and status(bug) == "Closed"
    stored = event.call
    assert (stored.state, stored.lease, stored.leased_until) == ("done", "", None)


def test_an_equal_value_is_no_change(bugs, bug):
    listener = status_listener(bugs)
    modified_at = bug.modified_at
    event = call(listener, {"key": "NW-41", "status": "Whatever"})
    assert outcome(event) == ("acted", "Nothing changed.")
    bug.refresh_from_db()
    assert event.changes == "" and bug.modified_at == modified_at


def test_no_ticket_names_the_value_and_where_it_was(bugs, bug):
    event = call(status_listener(bugs), {"key": "NW-42", "status": "Done"})
    detail = "No ticket has jira_key = NW-42 ($.key)."
    assert outcome(event) == ("no_record", detail)
    event = call(status_listener(bugs), {"status": "Done"})
    detail = "The call has nothing at $.key, so no ticket was looked up."
    assert outcome(event) == ("no_record", detail)
    event = call(status_listener(bugs), {"key": {"a": 1}})
    detail = "$.key is an object, so no ticket was looked up by it."
    assert outcome(event) == ("no_record", detail)


def test_several_tickets_are_one_too_many(bugs, bug):
    factories.tickets(bugs, 2, external_data={"jira_key": "NW-41"})
    event = call(status_listener(bugs), {"key": "NW-41", "status": "Done"})
    detail = "3 tickets have jira_key = NW-41 ($.key), and one is needed."
    assert outcome(event) == ("failed", detail) and status(bug) == "New"


def test_a_path_that_matches_many_says_how_many(bugs, bug):
    listener = status_listener(bugs, record_at="$.keys[*]")
    event = call(listener, {"keys": ["NW-41", "NW-42"]})
    detail = "$.keys[*] matches 2 values, and one is needed."
    assert outcome(event) == ("unreadable", detail)


def test_a_listener_that_is_off_does_nothing(bugs, bug):
    listener = status_listener(bugs, is_active=False)
    event = call(listener, b"not even JSON")
    assert outcome(event) == ("off", "The listener was off.")


def test_what_is_not_json_is_unreadable(bugs):
    event = call(status_listener(bugs), b"{not JSON")
    assert event.outcome == "unreadable"
    assert event.detail.startswith("The body is not JSON: ")


def test_only_wanted_events_are_heard(bugs, bug):
    listener = status_listener(
        bugs, name_at="header: X-Event", names="issue_updated\nissue_closed"
    )
    data = {"key": "NW-41", "status": "Done"}
    event = call(listener, data, headers={"x-event": "issue_deleted"})
    assert outcome(event) == (
        "ignored",
        "The event is issue_deleted (header: X-Event), and only these are heard:"
        " issue_updated, issue_closed.",
    )
    assert event.name == "issue_deleted"
    event = call(listener, data)
    assert event.outcome == "ignored"
    assert event.detail.startswith("The call names no event (header: X-Event)")
    event = call(listener, data, headers={"x-event": "Issue_Updated"})
    assert event.outcome == "acted"


def test_what_our_own_account_did_there_is_no_news(bugs, bug):
    listener = status_listener(bugs, ignored_at="$.user", ignored="5b10\n5b11")
    event = call(listener, {"key": "NW-41", "status": "Done", "user": "5b11"})
    detail = "It was done by 5b11 ($.user), whose events are ignored."
    assert outcome(event) == ("ignored", detail) and status(bug) == "New"


def test_a_repeat_by_the_senders_id_is_not_acted_on(bugs, bug):
    listener = status_listener(bugs, id_at="header: X-Id")
    data = {"key": "NW-41", "status": "Done"}
    first = call(listener, data, headers={"x-id": "7"})
    again = call(listener, {**data, "status": "New"}, headers={"x-id": "7"})
    detail = "An event with the same id was acted on before."
    assert outcome(again) == ("repeat", detail)
    assert again.repeat_of == first and status(bug) == "Closed"


def test_an_event_that_did_not_act_may_come_again(bugs):
    listener = status_listener(bugs, id_at="$.id")
    data = {"id": 7, "key": "NW-41", "status": "Done"}
    assert call(listener, data).outcome == "no_record"
    bug = factories.ticket(bugs, external_data={"jira_key": "NW-41"})
    assert call(listener, data).outcome == "acted"
    assert status(bug) == "Closed"
    assert call(listener, data).outcome == "repeat"


def test_the_same_body_is_a_repeat_within_its_seconds(bugs, bug):
    listener = status_listener(bugs, repeat_seconds=60)
    data = {"key": "NW-41", "status": "Done"}
    first = call(listener, data)
    again = call(listener, data)
    detail = "An event with the same body was acted on before."
    assert outcome(again) == ("repeat", detail) and again.repeat_of == first
    old = timezone.now() - timedelta(seconds=61)
    InboundEvent.objects.filter(pk=first.pk).update(created_at=old)
    assert call(listener, data).outcome == "acted"
    assert call(listener, data).outcome == "repeat"


def test_old_news_never_overwrites_new(bugs, bug):
    listener = status_listener(bugs, time_at="$.at")
    data = {"key": "NW-41", "status": "Done"}
    assert call(listener, {**data, "at": "2026-11-23T10:00:00.500Z"}).outcome == "acted"
    late = call(
        listener, {"key": "NW-41", "status": "Open", "at": "2026-11-23T10:00:00.400Z"}
    )
    assert outcome(late) == (
        "older",
        "It happened at 2026-11-23T10:00:00.400000+00:00, and what happened at"
        " 2026-11-23T10:00:00.500000+00:00 was applied before.",
    )
    assert status(bug) == "Closed"
    event = call(listener, {**data, "at": "soon"})
    detail = "The time of the event ($.at) is 'soon', not a date."
    assert outcome(event) == ("unreadable", detail)


def test_a_clock_that_is_ahead_is_not_the_newest_for_ever(bugs, bug):
    listener = status_listener(bugs, time_at="$.at")
    data = {"key": "NW-41", "status": "Done"}
    event = call(listener, {**data, "at": "2099-01-01T00:00:00Z"})
    assert event.happened_at == event.call.received_at
    assert call(listener, {**data, "at": "2098-01-01T00:00:00Z"}).outcome == "acted"


def test_the_filter_says_no_with_its_first_condition(bugs, bug):
    chosen = factories.saved_filter(
        bugs,
        {"field": "title", "qualifier": "contains", "value": "crash"},
        name="Crash",
    )
    event = call(status_listener(bugs, filter=chosen), {"key": "NW-41", "status": "x"})
    assert outcome(event) == (
        "no_match",
        "The filter Crash did not match. Title is It breaks, needs: contains crash",
    )
    assert event.feedback == bug


def test_a_broken_filter_matches_nothing_and_says_so(bugs, bug):
    chosen = factories.saved_filter(
        bugs, {"field": "field_gone", "qualifier": "is", "value": "x"}, name="Gone"
    )
    event = call(status_listener(bugs, filter=chosen), {"key": "NW-41", "status": "x"})
    assert event.outcome == "failed"
    assert event.detail.startswith("The filter Gone is broken. ")


def test_a_macro_is_run_with_the_listener_as_its_cause(bugs, bug):
    macro = factories.macro(bugs, "https://example.com/", name="Tell")
    listener = factories.listener(
        bugs,
        {"kind": "run", "macro": macro},
        record_by="reference",
        record_at="query: ref",
        name="From Jira",
    )
    event = call(listener, {}, query=f"ref={bug.reference.lower()}")
    run = Run.objects.get()
    assert (run.cause, run.listener, run.event) == (Cause.LISTENER, listener, event)
    assert run.state == "active"
    assert (run.cause_name, run.total) == ("From Jira", 1)
    assert event.changes == "The macro Tell was started."


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"is_active": False}, ("paused", "The macro Tell is off.")),
        (
            {"paused_reason": "The receiver is gone."},
            ("paused", "The macro Tell is paused: The receiver is gone."),
        ),
    ],
)
def test_a_macro_that_may_not_run_pauses_the_event_whole(bugs, bug, values, expected):
    macro = factories.macro(bugs, "https://example.com/", name="Tell")
    type(macro).objects.filter(pk=macro.pk).update(**values)
    listener = status_listener(bugs)
    listener.actions.create(position=1, kind="run", macro=macro)
    event = call(listener, {"key": "NW-41", "status": "Done"})
    assert outcome(event) == expected
    assert status(bug) == "New" and event.changes == "" and not Run.objects.exists()


def test_without_a_valid_api_key_nothing_is_done_and_the_call_is_kept(bugs, bug):
    listener = status_listener(bugs)
    bugs.project.community.api_keys.update(is_enabled=False)
    event = call(listener, {"key": "NW-41", "status": "Done"})
    assert event.outcome == "paused"
    assert "has no valid API key" in event.detail
    assert status(bug) == "New"
    bugs.project.community.api_keys.update(is_enabled=True)
    replay(listener.calls.all(), actor=factories.superuser())
    work_on(listener)
    assert status(bug) == "Closed"


def test_a_macro_that_was_deleted_fails_the_event_by_name_of_the_action(bugs, bug):
    macro = factories.macro(bugs, "https://example.com/")
    listener = status_listener(bugs)
    listener.actions.create(position=1, kind="run", macro=macro)
    macro.delete()
    event = call(listener, {"key": "NW-41", "status": "Done"})
    assert outcome(event) == ("failed", "Run a macro: The macro was deleted.")
    assert status(bug) == "New"


def test_what_can_not_be_done_undoes_what_was_done(bugs, bug):
    listener = factories.listener(
        bugs,
        {"kind": "comment", "value": "Seen: ((Payload: $.status))"},
        {"kind": "status", "value": "((Payload: $.status))"},
        record_by="id",
        record_at="$.id",
    )
    event = call(listener, {"id": bug.pk, "status": "Nope"})
    assert outcome(event) == (
        "failed",
        "Set the status: The feedback type has no status 'Nope' now.",
    )
    assert not bug.comments.exists() and event.feedback == bug


def test_several_events_are_judged_one_by_one(bugs, bug):
    listener = status_listener(bugs, events_at="$.events")
    events = calls(
        listener,
        {
            "events": [
                {"key": "NW-1", "status": "Done"},
                {"key": "NW-41", "status": "Done"},
                "odd",
            ]
        },
    )
    assert [event.outcome for event in events] == ["no_record", "acted", "no_record"]
    assert [event.position for event in events] == [0, 1, 2]
    alone = calls(listener, {"events": {"key": "NW-41", "status": "x"}})
    assert [event.outcome for event in alone] == ["acted"]
    none = calls(listener, {"events": []})
    assert outcome(none[0]) == ("ignored", "The call brings no event ($.events).")


def test_too_many_events_are_said_to_be(bugs, monkeypatch):
    monkeypatch.setattr("macros.listeners.work.MAX_EVENTS", 2)
    events = calls(status_listener(bugs, events_at="$"), [{}, {}, {}, {}])
    assert [event.outcome for event in events[:3]] == ["no_record"] * 2 + ["failed"]


def test_a_call_of_our_own_run_ends_the_loop(bugs, bug):
    macro = factories.macro(bugs, "https://example.com/")
    listener = factories.listener(
        bugs, {"kind": "run", "macro": macro}, record_by="id", record_at="$.id"
    )
    call(listener, {"id": bug.pk})
    run = Run.objects.get()
    delivery = run.deliveries.get()
    sent = {"webhook-id": f"dlv_{run.key}_{delivery.pk}"}
    event = call(listener, {"id": bug.pk}, headers=sent)
    assert outcome(event) == (
        "loop",
        f"The call was sent by a run that goes back to this listener: run {run.pk}.",
    )
    other = factories.listener(
        bugs, {"kind": "run", "macro": macro}, record_by="id", record_at="$.id"
    )
    event = call(other, {"id": bug.pk}, headers=sent)
    assert event.outcome == "acted"
    second = Run.objects.order_by("-pk")[0]
    sent = {"webhook-id": f"dlv_{second.key}_1"}
    assert call(listener, {"id": bug.pk}, headers=sent).outcome == "loop"


def test_a_fault_of_ours_ends_one_event_and_no_other(bugs, bug, monkeypatch):
    def stumble(*_: object) -> None:
        raise KeyError("oops")

    monkeypatch.setattr("macros.listeners.handling.check_filter", stumble)
    listener = status_listener(bugs, events_at="$")
    events = calls(listener, [{"key": "NW-41", "status": "Done"}, {"key": "NW-1"}])
    assert outcome(events[0]) == (
        "failed",
        "An error inside CenterHook; its log says more.",
    )
    assert events[1].outcome == "no_record"


def test_a_call_that_kills_its_worker_is_given_up(bugs):
    listener = status_listener(bugs)
    event = call(listener, {"key": "NW-1"}, tries=3)
    assert outcome(event) == (
        "failed",
        "Work on the call was cut off 3 times, so it was given up.",
    )
    assert event.call.state == "done"


def test_events_that_were_written_down_are_not_worked_on_again(bugs, bug):
    listener = factories.listener(
        bugs,
        {"kind": "score", "value": "5"},
        record_by="id",
        record_at="$.id",
        events_at="$",
    )
    bug.submitter = factories.tester(bugs)
    bug.save()
    events = calls(listener, [{"id": bug.pk}, {"id": bug.pk}])
    events[1].delete()
    InboundCall.objects.update(state="waiting")
    from macros.listeners import work

    work.hear(listener.pk)
    assert Tester.objects.get(pk=bug.submitter_id).score == 15
    assert InboundEvent.objects.count() == 2


def test_calls_of_another_workers_lease_are_left_alone(bugs, bug):
    listener = status_listener(bugs)
    until = timezone.now() + timedelta(seconds=30)
    held = factories.inbound_call(listener, lease="other", leased_until=until)
    assert calls(listener, {"key": "NW-41"}) == []
    held.refresh_from_db()
    assert (held.lease, held.tries, held.state) == ("other", 0, "waiting")
    InboundCall.objects.update(leased_until=timezone.now())
    from macros.listeners import work

    work.hear(listener.pk)
    assert list(InboundCall.objects.values_list("state", flat=True)) == ["done"] * 2


def test_a_listener_with_a_fault_in_its_settings_says_it(bugs, bug):
    listener = status_listener(bugs, time_at="$.[")
    event = call(listener, {"key": "NW-41", "status": "Done"})
    assert event.outcome == "failed"
    assert event.detail.startswith("The listener can't work: This is not a valid JSON")
