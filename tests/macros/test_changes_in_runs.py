"""Steps that change tickets: in order with web requests, each made exactly once."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from centerhook.receiver import Receiver
from feedback.changes import Change, ChangeKind
from feedback.models import ApiKey, Comment, Feedback, FeedbackType
from logs import recording
from logs.models import Attempt, Cause, Delivery, Destination, Resend, Run
from logs.recording.explanations import explain
from macros import deliveries
from macros.deliveries import outcomes
from macros.deliveries.claims import claim_due
from macros.models import Macro
from macros.runs import start_run
from macros.runs.control import cancel_run
from macros.runs.resend import resend
from macros.steps.kind import compile_step
from macros.steps.rendering import context_for
from macros.tags import Scope
from tests import factories
from tests.factories import ONE_OF_EACH_CHANGE

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


def a_macro(of: FeedbackType, *steps: dict[str, Any]) -> Macro:
    return factories.steps(factories.macro(of), *steps)


def post(url: str, **more: Any) -> dict[str, Any]:
    return {"kind": "web_request", "url": url, "body": '{"s": "((Status))"}', **more}


def deliver(run: Run) -> Run:
    deliveries.work(run.pk)
    run.refresh_from_db()
    return run


def messages(run: Run) -> list[str]:
    rows = Attempt.objects.filter(delivery__run=run)
    return [explain(attempt) for attempt in rows.order_by("delivery__step", "pk")]


CLOSE = {"kind": "change_status", "status": "Closed"}
SET = {"kind": "set_field", "field": "severity", "value": "Major"}


def test_every_kind_changes_the_ticket_and_says_so(bugs: FeedbackType) -> None:
    submitter = factories.tester(bugs)
    ticket = factories.ticket(
        bugs,
        submitter=submitter,
        form_values={"severity": "Major", "impact": 3},
        external_data={"jira": "A-1"},
    )
    before = ticket.modified_at

    run = deliver(factories.run(a_macro(bugs, *ONE_OF_EACH_CHANGE)))

    assert (run.state, run.total, run.delivered) == ("finished", 5, 5)
    ticket.refresh_from_db()
    assert str(ticket.status) == "Closed"
    assert ticket.form_values == {"severity": "Minor", "impact": 3}
    assert ticket.visibility == "private"
    assert ticket.external_data == {"jira": "A-1"}
    assert ticket.modified_at > before
    submitter.refresh_from_db()
    assert submitter.score == 5
    comment = Comment.objects.get()
    assert comment.text == f"Sent by {run.macro_name}"
    assert (comment.author, comment.macro_name, comment.run_number) == (
        None,
        run.macro_name,
        run.pk,
    )
    assert messages(run) == [
        "Status changed from New to Closed.",
        "Severity changed from Major to Minor.",
        f"Comment added: Sent by {run.macro_name}",
        "Visibility changed from Public to Private.",
        "+5 points: the tester's score is 5 now.",
    ]
    assert not Attempt.objects.exclude(method="").exists()
    assert not Destination.objects.exists()


def test_what_is_so_already_is_delivered_and_leaves_the_ticket_alone(
    bugs: FeedbackType,
) -> None:
    closed = bugs.statuses.get(name="Closed")
    ticket = factories.ticket(bugs, status=closed, form_values={"severity": "Major"})
    before = Feedback.objects.get(pk=ticket.pk).modified_at

    run = deliver(factories.run(a_macro(bugs, CLOSE, SET)))

    assert run.delivered == 2
    assert messages(run) == [
        "Status was Closed already.",
        "Severity was Major already.",
    ]
    assert Feedback.objects.get().modified_at == before


def test_changes_and_requests_are_done_in_order_and_see_each_other(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    factories.ticket(bugs, external_data={"jira": "BUG-7"})
    macro = a_macro(
        bugs,
        post(f"{receiver.url}/ok"),
        CLOSE,
        post(
            f"{receiver.url}/ok",
            return_values=[
                {"name": "answer", "source": "status", "expression": "", "type": "text"}
            ],
        ),
        {"kind": "add_comment", "text": "((Status)), ((External: answer))"},
    )

    run = deliver(factories.run(macro))

    assert (run.delivered, run.failed) == (4, 0), messages(run)
    assert [json.loads(each.body) for each in receiver.requests] == [
        {"s": "New"},
        {"s": "Closed"},
    ]
    assert Comment.objects.get().text == "Closed, 200"


def test_a_step_that_fails_stops_those_after_it_for_that_ticket_only(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    factories.ticket(bugs, title="bad")
    factories.ticket(bugs, title="good")
    macro = a_macro(
        bugs, post(f"{receiver.url}/((Title|map:bad=status/404,*=ok))"), CLOSE
    )

    run = deliver(factories.run(macro))

    assert (run.delivered, run.failed, run.skipped) == (2, 1, 1), messages(run)
    statuses = Feedback.objects.order_by("pk").values_list("status__name", flat=True)
    assert list(statuses) == ["New", "Closed"]


def test_a_change_that_fails_sends_nothing_after_it(
    bugs: FeedbackType, receiver: Receiver
) -> None:
    factories.ticket(bugs, title="Enormous")
    macro = a_macro(bugs, {**SET, "value": "((Title))"}, post(f"{receiver.url}/ok"))

    run = deliver(factories.run(macro))

    assert (run.failed, run.skipped) == (1, 1)
    assert not receiver.requests
    [sentence] = messages(run)
    assert sentence.startswith("Severity does not take 'Enormous'. Select a valid")
    delivery = run.deliveries.get(step=0)
    assert (delivery.state, delivery.last_error) == ("failed", "render")
    assert Feedback.objects.get().form_values == {}


@pytest.mark.parametrize(
    ("field", "value", "stored"),
    [
        ("platform", "iOS, Grün", ["iOS", "Grün"]),
        ("reproducible", "Yes", True),
        ("impact", "2.50", 2.5),
        ("found_on", "2026-03-14", "2026-03-14"),
        ("page", "example.com/a", "https://example.com/a"),
        ("steps", "one\ntwo", "one\ntwo"),
        ("severity", "", None),
    ],
)
def test_a_field_takes_what_the_form_would_take(
    bugs: FeedbackType, field: str, value: str, stored: Any
) -> None:
    factories.ticket(bugs, description=value, form_values={"severity": "Minor"})
    step = {"kind": "set_field", "field": field, "value": "((Description))"}
    run = deliver(factories.run(a_macro(bugs, step)))
    assert run.delivered == 1, messages(run)
    assert Feedback.objects.get().form_values.get(field) == stored


def test_a_tag_in_a_value_stays_text(bugs: FeedbackType) -> None:
    factories.ticket(bugs, title="((Secret: x)) <b>")
    step = {"kind": "add_comment", "text": "Title: ((Title))"}
    deliver(factories.run(a_macro(bugs, step)))
    assert Comment.objects.get().text == "Title: ((Secret: x)) <b>"


def test_what_no_database_stores_is_replaced(bugs: FeedbackType) -> None:
    ticket = factories.ticket(bugs)
    ticket.title = "a\0b\ud800c"
    for step in (
        {"kind": "add_comment", "text": "((Title))"},
        {"kind": "set_field", "field": "app_version", "value": "((Title))"},
    ):
        template = compile_step(step, Scope.of())
        context = context_for(ticket, Run(key="a", macro_name="M"), 1, timezone.now())
        assert (
            template.build(context).value
            == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"
        )


def test_a_comment_of_a_megabyte_is_refused_with_a_sentence(bugs: FeedbackType) -> None:
    factories.ticket(bugs, description="x" * 1_000_000)
    step = {"kind": "add_comment", "text": "((Description))"}
    run = deliver(factories.run(a_macro(bugs, step)))
    assert run.failed == 1
    [sentence] = messages(run)
    assert sentence.startswith("The comment is longer than 65,536 characters.")
    assert not Comment.objects.exists()


def test_a_status_that_is_gone_by_then_fails_with_a_sentence(
    bugs: FeedbackType,
) -> None:
    factories.ticket(bugs)
    macro = a_macro(bugs, CLOSE, SET)
    run = factories.run(macro)
    bugs.statuses.filter(name="Closed").update(name="Done")

    deliver(run)

    assert (run.failed, run.skipped) == (1, 1)
    assert messages(run)[0].startswith("The feedback type has no status 'Closed' now.")


def test_a_ticket_that_is_gone_by_then_fails_with_a_sentence(
    bugs: FeedbackType,
) -> None:
    factories.ticket(bugs)
    run = factories.run(a_macro(bugs, CLOSE))
    [delivery] = claim_due(run.pk, 1, "mine")
    Feedback.objects.all().delete()
    record(run, a_change(delivery, ChangeKind.STATUS, "Closed"), lease="mine")
    assert messages(run)[0].startswith("The ticket was deleted.")


def test_the_score_of_one_submitter_adds_up_over_their_tickets(
    bugs: FeedbackType,
) -> None:
    submitter = factories.tester(bugs)
    factories.tickets(bugs, 3, submitter=submitter)
    factories.ticket(bugs)
    step = {"kind": "add_score", "points": -2}

    run = deliver(factories.run(a_macro(bugs, step)))

    assert run.delivered == 4
    submitter.refresh_from_db()
    assert submitter.score == -6
    assert "No points were added, since the ticket has no submitter." in messages(run)


def test_a_score_that_no_column_holds_fails_and_stops_nobody(
    bugs: FeedbackType,
) -> None:
    full = factories.tester(bugs)
    type(full).objects.filter(pk=full.pk).update(score=2**31 - 1)
    factories.ticket(bugs, submitter=full)
    factories.ticket(bugs, submitter=factories.tester(bugs))
    run = deliver(factories.run(a_macro(bugs, {"kind": "add_score", "points": 1})))
    assert (run.delivered, run.failed) == (1, 1)


def a_change(delivery: Delivery, kind: ChangeKind, value: Any) -> recording.Outcome:
    return outcomes.of_change(delivery, Change(kind, value), timezone.now())


def record(run: Run, *outcomes: recording.Outcome, lease: str) -> None:
    recording.record(run, lease, outcomes, timezone.now())


def test_a_change_is_made_once_whoever_comes_late(bugs: FeedbackType) -> None:
    submitter = factories.tester(bugs)
    factories.ticket(bugs, submitter=submitter)
    run = factories.run(a_macro(bugs, {"kind": "add_score", "points": 5}))
    [late] = claim_due(run.pk, 1, "late")
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        [held] = claim_due(run.pk, 1, "holder")

    record(run, a_change(late, ChangeKind.SCORE, 5), lease="late")
    submitter.refresh_from_db()
    assert (submitter.score, Attempt.objects.count()) == (0, 0)

    for _ in range(2):
        record(run, a_change(held, ChangeKind.SCORE, 5), lease="holder")
    submitter.refresh_from_db()
    assert (submitter.score, Attempt.objects.count()) == (5, 1)


def test_a_change_whose_worker_died_is_made_by_the_next_one_without_retries_set(
    bugs: FeedbackType,
) -> None:
    submitter = factories.tester(bugs)
    factories.ticket(bugs, submitter=submitter)
    run = factories.run(a_macro(bugs, {"kind": "add_score", "points": 5}))
    claim_due(run.pk, 1, "dead")

    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        deliver(run)

    submitter.refresh_from_db()
    assert (run.delivered, submitter.score) == (1, 5)
    assert messages(run)[0].startswith("The worker stopped before it changed anything.")


def test_a_change_that_kills_its_workers_comes_to_an_end(bugs: FeedbackType) -> None:
    factories.ticket(bugs)
    run = factories.run(a_macro(bugs, CLOSE))
    delivery = run.deliveries.get()
    states = []
    for delivery.losses in range(5):
        states.append(outcomes.of_lost_change(delivery, timezone.now()).state)
    assert states == ["pending"] * 4 + ["failed"]


def test_a_write_that_fails_changes_nothing_and_can_be_repeated(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitter = factories.tester(bugs)
    factories.ticket(bugs, submitter=submitter)
    run = factories.run(a_macro(bugs, {"kind": "add_score", "points": 5}))
    [held] = claim_due(run.pk, 1, "mine")
    outcome = a_change(held, ChangeKind.SCORE, 5)
    with monkeypatch.context() as patch:
        patch.setattr("logs.recording.writing.add_to_counters", _break)
        with pytest.raises(OSError, match="away"):
            record(run, outcome, lease="mine")
    submitter.refresh_from_db()
    assert submitter.score == 0

    record(run, outcome, lease="mine")

    submitter.refresh_from_db()
    assert submitter.score == 5


def _break(*args: object) -> None:
    raise OSError("The database is away")


def test_a_cancelled_run_changes_nothing_more(bugs: FeedbackType) -> None:
    factories.tickets(bugs, 2)
    run = factories.run(a_macro(bugs, CLOSE))
    cancel_run(run)
    deliver(run)
    assert (run.state, run.cancelled) == ("cancelled", 2)
    assert not Feedback.objects.filter(status__name="Closed").exists()


def test_many_tickets_are_changed_in_a_few_statements(bugs: FeedbackType) -> None:
    def statements(count: int) -> int:
        macro = a_macro(bugs, CLOSE, {"kind": "add_comment", "text": "Done"})
        chosen = factories.tickets(bugs, count)
        rows = Feedback.objects.filter(pk__in=[ticket.pk for ticket in chosen])
        run = start_run(macro, rows, cause=Cause.ACTION)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            deliver(run)
        assert run.delivered == 2 * count
        shapes = [each["sql"] for each in queries.captured_queries]
        return len([sql for sql in shapes if not sql.startswith("UPDATE feedback_")])

    assert statements(60) - statements(3) < 8


def test_a_macro_of_changes_runs_without_an_api_key(bugs: FeedbackType) -> None:
    factories.ticket(bugs)
    ApiKey.objects.all().delete()
    run = deliver(factories.run(a_macro(bugs, CLOSE)))
    assert run.delivered == 1
    again = resend(Delivery.objects.all(), Resend.ANEW, factories.superuser())
    assert again.count == 1
    deliver(run)
    assert messages(run)[-1] == "Status was Closed already."


def test_tickets_of_another_type_are_out_of_reach(bugs: FeedbackType) -> None:
    others = factories.feedback_type("Idea", "IDEA")
    theirs = factories.ticket(others)
    factories.ticket(bugs)
    run = start_run(a_macro(bugs, CLOSE), Feedback.objects.all(), cause=Cause.ACTION)
    assert deliver(run).total == 1
    theirs.refresh_from_db()
    assert str(theirs.status) == "New"
