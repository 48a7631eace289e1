"""What triggers start, what they leave, and what they say of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from feedback.changes import Changed, Origin, quietly, unit
from feedback.models import ApiKey, Feedback, FeedbackType
from logs.models import AuditEntry, Delivery, Run, RunState
from macros import triggers
from macros.models import Event, Macro, Trigger, TriggerDecision
from macros.runs.control import pause_macro
from macros.triggers import receivers, try_on
from macros.triggers.decisions import KEPT
from macros.triggers.matching import Matching
from macros.triggers.words import sentence
from tests import factories
from tests.macros.triggering import (
    announce,
    change,
    decisions,
    look_before,
    modify,
    runs_of,
)

pytestmark = pytest.mark.django_db

CRITICAL = {"field": "field_severity", "qualifier": "is", "value": "Critical"}
REAL = Matching.matches
Serious = Callable[..., list[Feedback]]


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def macro(bugs: FeedbackType) -> Macro:
    return factories.macro(bugs, "https://example.com/", name="Post")


def severe(bugs: FeedbackType, *severities: str) -> list[Feedback]:
    return [
        factories.ticket(bugs, form_values={"severity": each}) for each in severities
    ]


def test_one_run_for_all_that_match_and_a_decision_for_each(
    bugs: FeedbackType, macro: Macro
) -> None:
    tickets = severe(bugs, "Critical", "Minor", "Critical")
    chosen = factories.saved_filter(bugs, CRITICAL, name="Critical ones")
    trigger = factories.trigger(macro, Event.MODIFIED, filter=chosen, name="On edit")

    modify(*tickets)

    [run] = runs_of(trigger)
    assert (run.cause, run.cause_name, run.state) == ("trigger", "On edit", "active")
    assert run.chain == [trigger.pk]
    assert run.selection == ("When a Bug Report is modified and Severity is Critical")
    run_on = run.deliveries.order_by("pk").values_list("feedback", flat=True)
    assert list(run_on) == [tickets[0].pk, tickets[2].pk]
    rows = {row.feedback_id: row for row in trigger.decisions.all()}
    assert rows[tickets[0].pk].run == rows[tickets[2].pk].run == run
    assert decisions(trigger) == [
        ("started", ""),
        ("started", ""),
        ("no_match", "Severity is Minor, needs: is Critical"),
    ]
    audited = AuditEntry.objects.get(action="ran")
    assert (audited.run_id, audited.detail) == (
        run.pk,
        "2 deliveries. Trigger On edit.",
    )


def test_other_types_and_triggers_that_are_off_are_left_alone(
    bugs: FeedbackType, macro: Macro
) -> None:
    off = factories.trigger(macro, Event.MODIFIED, is_active=False)
    on = factories.trigger(macro, Event.MODIFIED)
    ideas = factories.feedback_type("Idea", "IDEA")
    modify(factories.ticket(ideas))
    assert (decisions(off), decisions(on)) == ([], [])
    theirs, mine = factories.ticket(ideas), factories.ticket(bugs)

    modify(theirs, mine)

    assert (decisions(off), decisions(on)) == ([], [("started", "")])
    assert Delivery.objects.get().feedback_id == mine.pk


@pytest.mark.parametrize("hold_up", [False, True])
def test_a_trigger_decides_nothing_on_tickets_of_another_type(
    bugs: FeedbackType, macro: Macro, hold_up: bool
) -> None:
    wanted = 10**9 if hold_up else bugs.statuses.get(name="New").pk
    details = {"to_status": wanted}
    trigger = factories.trigger(macro, Event.STATUS_CHANGED, event_details=details)
    mine, theirs = factories.ticket(bugs), factories.ticket(factories.feedback_type())
    moved = {"status": "Closed", "status_id": 0}

    announce(*(change(each, {}, moved) for each in (mine, theirs)))

    assert [row.feedback_id for row in trigger.decisions.all()] == [mine.pk]


def test_a_save_where_nothing_waits_costs_two_questions(
    bugs: FeedbackType,
) -> None:
    ticket = factories.ticket(bugs)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        look_before(ticket)
        modify(ticket)
    asked = [each["sql"] for each in queries if each["sql"].startswith("SELECT")]
    assert len(asked) == 2


def test_ten_times_the_tickets_take_no_more_queries(
    bugs: FeedbackType, macro: Macro
) -> None:
    chosen = factories.saved_filter(bugs, CRITICAL)
    factories.trigger(macro, Event.MODIFIED, filter=chosen)
    counts = []
    for number in (2, 20):
        tickets = severe(bugs, *["Critical", "Minor"] * number)
        with CaptureQueriesContext(connection) as queries:
            modify(*tickets)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_only_what_starts_to_match(bugs: FeedbackType, macro: Macro) -> None:
    chosen = factories.saved_filter(bugs, CRITICAL)
    trigger = factories.trigger(
        macro, Event.MODIFIED, filter=chosen, only_new_matches=True
    )
    was, becomes, isnt = severe(bugs, "Critical", "Minor", "Minor")

    with unit():
        for ticket, severity in ((was, "Critical"), (becomes, "Critical"), (isnt, "")):
            ticket.title, ticket.form_values = "New", {"severity": severity or "Minor"}
            ticket.save()

    [run] = runs_of(trigger)
    assert run.deliveries.get().feedback_id == becomes.pk
    by_ticket = {row.feedback_id: row.detail for row in trigger.decisions.all()}
    assert by_ticket[was.pk] == "It matched before the change too."
    assert by_ticket[isnt.pk] == "Severity is Minor, needs: is Critical"


def test_what_is_new_starts_to_match(bugs: FeedbackType, macro: Macro) -> None:
    trigger = factories.trigger(macro, Event.SUBMITTED, only_new_matches=True)
    factories.ticket(bugs)
    assert len(runs_of(trigger)) == 1


def test_what_was_looked_at_before_a_change_that_was_undone_is_forgotten(
    bugs: FeedbackType, macro: Macro
) -> None:
    chosen = factories.saved_filter(bugs, CRITICAL)
    trigger = factories.trigger(
        macro, Event.MODIFIED, filter=chosen, only_new_matches=True
    )
    [ticket] = severe(bugs, "Critical")
    look_before(ticket)  # And then the transaction is undone.
    with quietly():
        Feedback.objects.filter(pk=ticket.pk).update(form_values={})
    Feedback.objects.filter(pk=ticket.pk).update(form_values={"severity": "Critical"})
    assert len(runs_of(trigger)) == 1


def test_at_most_once_per_ticket(bugs: FeedbackType, macro: Macro) -> None:
    trigger = factories.trigger(macro, Event.MODIFIED, once_per_subject=True)
    first, second = factories.tickets(bugs, 2)
    modify(first)
    modify(first, second)
    tried = [run.deliveries.get().feedback_id for run in runs_of(trigger)]
    assert tried == [first.pk, second.pk]
    modify(first)
    assert decisions(trigger)[0] == ("once", "The trigger ran on it before.")


def test_a_run_that_was_dropped_does_not_count(
    bugs: FeedbackType, macro: Macro
) -> None:
    from macros.runs.control import cancel_run

    trigger = factories.trigger(macro, Event.MODIFIED, once_per_subject=True)
    ticket = factories.ticket(bugs)
    modify(ticket)
    cancel_run(runs_of(trigger)[0])
    modify(ticket)
    assert len(runs_of(trigger)) == 2


def test_a_macro_that_runs_once_on_each_says_so(
    bugs: FeedbackType, macro: Macro
) -> None:
    Macro.objects.update(once_per_subject=True)
    first, second = factories.tickets(bugs, 2)
    trigger = factories.trigger(Macro.objects.get(), Event.MODIFIED)
    modify(first)
    modify(first, second)
    assert decisions(trigger) == [
        ("started", ""),
        ("once", "The macro runs once on each, and ran on it before."),
        ("started", ""),
    ]


def _off(trigger: Trigger) -> None:
    Macro.objects.update(is_active=False)


def _paused(trigger: Trigger) -> None:
    pause_macro(trigger.macro, "olivia paused it.")


def _locked(trigger: Trigger) -> None:
    ApiKey.objects.all().delete()


def _without_steps(trigger: Trigger) -> None:
    trigger.macro.steps.all().delete()


def _broken_filter(trigger: Trigger) -> None:
    assert trigger.feedback_type is not None
    lost = {"field": "field_lost", "qualifier": "is", "value": "Critical"}
    trigger.filter = factories.saved_filter(trigger.feedback_type, lost, name="Lost")
    trigger.save()


@pytest.mark.parametrize(
    ("hold_up", "reason"),
    [
        (_off, "The macro Post is off."),
        (_paused, "The macro Post is paused: olivia paused it."),
        (_locked, "has no valid API key"),
        (_without_steps, "The macro Post has no step."),
        (_broken_filter, "The filter Lost is broken."),
    ],
)
def test_what_holds_a_trigger_up_is_a_decision_and_fails_no_save(
    bugs: FeedbackType, macro: Macro, hold_up: Callable[[Trigger], None], reason: str
) -> None:
    ticket = factories.ticket(bugs)
    trigger = factories.trigger(macro, Event.MODIFIED)
    hold_up(trigger)

    Feedback.objects.filter(pk=ticket.pk).update(title="Changed")

    ticket.refresh_from_db()
    assert ticket.title == "Changed"
    [(outcome, detail)] = decisions(trigger)
    assert outcome == "held_up" and reason in detail
    assert Run.objects.count() == 0


def test_an_unexpected_error_undoes_that_trigger_alone_and_is_logged(
    bugs: FeedbackType,
    macro: Macro,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ticket = factories.ticket(bugs)
    broken, sound = (factories.trigger(macro, Event.MODIFIED) for _ in range(2))
    real = triggers.evaluation.start_run

    def start_run(macro: Macro, *args: Any, **options: Any) -> Run:
        run = real(macro, *args, **options)
        if options["because"].trigger == broken:
            with connection.cursor() as cursor:
                cursor.execute("SELECT no_such_column FROM macros_macro")
        return run

    monkeypatch.setattr(triggers.evaluation, "start_run", start_run)
    Feedback.objects.filter(pk=ticket.pk).update(title="Changed")

    assert decisions(broken) == [
        ("held_up", "An error inside CenterHook; its log says more.")
    ]
    assert decisions(sound) == [("started", "")]
    assert [run.trigger for run in Run.objects.all()] == [sound]
    assert "a fault while it was evaluated" in caplog.text
    ticket.refresh_from_db()
    assert ticket.title == "Changed"


def test_what_could_not_be_looked_at_before_a_change_starts_nothing(
    bugs: FeedbackType, macro: Macro, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = factories.ticket(bugs)
    options = {"event": Event.MODIFIED, "only_new_matches": True}
    first, second = (factories.trigger(macro, **options) for _ in range(2))
    monkeypatch.setattr(receivers.Matching, "matches", lambda *_: 1 / 0)
    monkeypatch.setattr(
        triggers.evaluation, "Matching", type("Sound", (Matching,), {"matches": REAL})
    )

    Feedback.objects.filter(pk=ticket.pk).update(title="Changed")

    before = [("no_match", "It matched before the change too.")]
    assert decisions(first) == decisions(second) == before
    assert not Run.objects.exists()


def test_a_save_that_is_undone_takes_its_run_with_it(
    bugs: FeedbackType, macro: Macro
) -> None:
    ticket = factories.ticket(bugs)
    trigger = factories.trigger(macro, Event.MODIFIED)
    with transaction.atomic():
        modify(ticket)
        assert len(runs_of(trigger)) == 1
        transaction.set_rollback(True)
    assert (runs_of(trigger), decisions(trigger)) == ([], [])


def test_more_than_the_limit_waits_for_a_persons_word(
    bugs: FeedbackType, macro: Macro
) -> None:
    trigger = factories.trigger(macro, Event.MODIFIED, limit=2)
    modify(*factories.tickets(bugs, 2))
    modify(*factories.tickets(bugs, 3))
    within, beyond = runs_of(trigger)
    assert (within.state, beyond.state) == (RunState.ACTIVE, RunState.UNCONFIRMED)
    assert beyond.deliveries.count() == 3
    assert decisions(trigger)[0] == ("unconfirmed", "3 match, and it asks above 2.")


def test_a_batch_leaves_no_more_decisions_than_are_kept(
    bugs: FeedbackType, macro: Macro
) -> None:
    chosen = factories.saved_filter(bugs, CRITICAL)
    trigger = factories.trigger(macro, Event.MODIFIED, filter=chosen)
    tickets = factories.tickets(bugs, KEPT + 5, form_values={"severity": "Minor"})
    modify(*severe(bugs, "Critical"), *tickets)
    assert trigger.decisions.count() == KEPT
    assert trigger.decisions.filter(outcome="started").count() == 1
    trigger.decisions.all().delete()
    with quietly():
        Feedback.objects.update(form_values={"severity": "Critical"})
    modify(*tickets)
    assert trigger.decisions.filter(outcome="started").count() == KEPT


def test_the_last_hundred_decisions_of_each_trigger_are_kept(
    bugs: FeedbackType, macro: Macro, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("macros.triggers.decisions._seen", 0)
    ticket = factories.ticket(bugs)
    busy, quiet = (factories.trigger(macro, is_active=False) for _ in range(2))
    rows = [
        TriggerDecision(
            trigger=trigger,
            feedback=ticket,
            outcome="no_match",
            detail=str(number),
            created_at=ticket.created_at,
        )
        for trigger, count in ((busy, KEPT + 30), (quiet, 3))
        for number in range(count)
    ]
    TriggerDecision.objects.bulk_create(rows)

    triggers.prune()

    assert (busy.decisions.count(), quiet.decisions.count()) == (KEPT, 3)
    assert busy.decisions.last().detail == "30"
    with CaptureQueriesContext(connection) as queries:
        triggers.prune()
    assert len(queries) == 1, "nothing new, nothing to look at"


def test_trying_says_the_same_and_starts_nothing(
    bugs: FeedbackType, macro: Macro
) -> None:
    chosen = factories.saved_filter(bugs, CRITICAL)
    trigger = factories.trigger(macro, Event.MODIFIED, filter=chosen)
    yes, no = severe(bugs, "Critical", "Minor")
    elsewhere = factories.ticket(factories.feedback_type("Idea", "IDEA"))

    tried = [try_on(trigger, ticket.pk) for ticket in (yes, no)]

    assert [(row.outcome, row.detail) for row in tried if row] == [
        ("started", ""),
        ("no_match", "Severity is Minor, needs: is Critical"),
    ]
    assert try_on(trigger, elsewhere.pk) is None
    assert Run.objects.count() == TriggerDecision.objects.count() == 0
    assert not AuditEntry.objects.filter(action="ran").exists()
    trigger.is_active = False
    off = try_on(trigger, yes.pk)
    assert off is not None and off.detail == "The trigger is off."


@pytest.mark.parametrize(
    ("event", "details", "words"),
    [
        (Event.SUBMITTED, {}, "When a Bug Report is submitted"),
        (Event.MODIFIED, {}, "When a Bug Report is modified"),
        (Event.STATUS_CHANGED, {}, "When the status of a Bug Report changes"),
        (
            Event.STATUS_CHANGED,
            {"from_status": "New", "to_status": "Closed"},
            "When the status of a Bug Report changes from New to Closed",
        ),
        (
            Event.STATUS_CHANGED,
            {"to_status": 0},
            "When the status of a Bug Report changes to a deleted status",
        ),
        (
            Event.FIELD_CHANGED,
            {"field": "severity"},
            "When Severity of a Bug Report changes",
        ),
        (
            Event.FIELD_CHANGED,
            {"field": "gone"},
            "When the deleted field gone of a Bug Report changes",
        ),
        (Event.COMMENT_ADDED, {}, "When a comment is added to a Bug Report"),
        (
            Event.EXTERNAL_CHANGED,
            {"external": "jira_key"},
            "When the external data jira_key of a Bug Report changes",
        ),
        (Event.TESTER_ADDED, {}, "When a tester is added"),
        (Event.TESTER_CHANGED, {}, "When a tester changes"),
        (Event.SCORE_CROSSED, {"score": 1000}, "When a tester's score reaches 1,000"),
    ],
)
def test_a_trigger_in_words(
    bugs: FeedbackType, macro: Macro, event: Event, details: dict[str, Any], words: str
) -> None:
    keys = {each.name: each.pk for each in bugs.statuses.all()}
    details = {name: keys.get(value, value) for name, value in details.items()}
    trigger = factories.trigger(macro, event, event_details=details)
    assert sentence(trigger) == words
    idea = factories.macro(factories.feedback_type("Idea", "I"))
    assert sentence(factories.trigger(idea)) == "When an Idea is submitted"


def test_a_tester_of_another_project_is_none_of_a_projects_macro(
    bugs: FeedbackType,
) -> None:
    from feedback.models import Tester

    own, other = factories.tester(bugs), factories.tester(bugs)
    factories.ticket(bugs, submitter=own)
    macro = factories.macro(bugs.project, "https://example.com/")
    trigger = factories.trigger(macro, Event.TESTER_CHANGED)
    changes = [
        Changed(each.pk, False, {"city": "A"}, {"city": "B"}) for each in (own, other)
    ]
    announce(*changes, of=Tester, by=Origin(actor="ada"))
    [run] = runs_of(trigger)
    assert run.deliveries.get().tester_id == own.pk
    assert decisions(trigger) == [("started", "")]
