"""What a listener does, action by action."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from feedback.models import Feedback, Tester
from logs.models import Cause, Run
from macros.models import Listener
from tests import factories
from tests.listeners import heard

from .calling import call, outcome

__all__ = ["heard"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs():
    return factories.feedback_type()


@pytest.fixture
def bug(bugs):
    return factories.ticket(bugs, submitter=factories.tester(bugs))


def by_id(of: Any, *actions: dict[str, Any], **values: Any) -> Listener:
    return factories.listener(
        of, *actions, **{"record_by": "id", "record_at": "$.id", **values}
    )


def act(
    bug: Feedback, *actions: dict[str, Any], **data: object
) -> tuple[str, str, str]:
    event = call(by_id(bug.feedback_type, *actions), {"id": bug.pk, **data})
    return event.outcome, event.detail, event.changes


def test_a_comment_says_which_listener_wrote_it(bug):
    listener = by_id(
        bug.feedback_type,
        {
            "kind": "comment",
            "value": "((Payload: $.by)) on ((Title)): ((Payload: $.x))",
        },
        name="Jira",
    )
    event = call(listener, {"id": bug.pk, "by": "Ada", "x": "((Status))\0"})
    comment = bug.comments.get()
    assert comment.text == "Ada on It breaks: ((Status))\ufffd"
    assert comment.listener_name == "Jira"
    assert event.changes == f"Comment added: {comment.text}"


def test_an_empty_comment_is_none(bug):
    result = act(bug, {"kind": "comment", "value": "((Payload: $.gone))"})
    assert result == ("acted", "Nothing changed.", "")
    assert not bug.comments.exists()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Done", "Closed"),
        ("done", "Closed"),
        (" DONE ", "Closed"),
        ("In review", "New"),
        ("", "New"),
    ],
)
def test_a_value_map_is_read_as_people_do(bug, given, expected):
    value_map = "Done -> closed\n\n* -> New"
    action = {"kind": "status", "value": "((Payload: $.s))", "value_map": value_map}
    act(bug, action, s=given)
    bug.refresh_from_db()
    assert bug.status.name == expected


def test_what_a_value_map_does_not_have_changes_nothing(bug):
    action = {"kind": "status", "value": "((Payload: $.s))", "value_map": "Done -> New"}
    assert act(bug, action, s="In review") == (
        "acted",
        "",
        "Set the status: 'In review' is not in its value map, so it stays.",
    )


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("Severity", "major", "Major"),
        ("severity", "Critical", "Critical"),
        ("Impact", 12, 12),
        ("Impact", 2.5, Decimal("2.5")),
        ("Reproducible", True, True),
        ("Platform", ["iOS", "Android"], ["iOS", "Android"]),
        ("Found on", "2026-11-23", "2026-11-23"),
        ("App version", "1.2", "1.2"),
    ],
)
def test_an_answer_is_named_by_label_or_key(bug, name, value, stored):
    action = {"kind": "field", "name": name, "value": "((Payload: $.v))"}
    assert act(bug, action, v=value)[0] == "acted"
    bug.refresh_from_db()
    assert list(bug.form_values.values()) == [stored]


def test_an_answer_that_the_form_refuses_fails_the_event(bug):
    action = {"kind": "field", "name": "Severity", "value": "((Payload: $.v))"}
    status, detail, _ = act(bug, action, v="Awful")
    assert status == "failed"
    assert detail.startswith(
        "Set an answer on the form: Severity: Severity does not take 'Awful'."
    )
    action = {"kind": "field", "name": "Nothing", "value": "x"}
    assert act(bug, action)[1] == (
        "Set an answer on the form: Nothing: The form of Phone Beta: Bug Report has no"
        " such field."
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Private", ("acted", "", "Visibility changed from Public to Private.")),
        ("public", ("acted", "Nothing changed.", "")),
        (
            "hidden",
            (
                "failed",
                "Set the visibility: 'hidden' is neither public nor private.",
                "",
            ),
        ),
    ],
)
def test_visibility(bug, value, expected):
    action = {"kind": "visibility", "value": "((Payload: $.v))"}
    assert act(bug, action, v=value) == expected


@pytest.mark.parametrize(
    ("value", "outcome", "score"),
    [(5, "acted", 5), ("-3", "acted", -3), ("+2", "acted", 2), ("", "acted", 0)]
    + [("many", "failed", 0), (2.5, "failed", 0), (10_000_000, "failed", 0)]
    + [("1" * 5000, "failed", 0), ("--1", "failed", 0), ("³", "failed", 0)],
)
def test_score(bug, value, outcome, score):
    result = act(bug, {"kind": "score", "value": "((Payload: $.v))"}, v=value)
    assert result[0] == outcome
    assert Tester.objects.get(pk=bug.submitter_id).score == score


@pytest.mark.parametrize(
    "value",
    [3, 2.5, 12345678901234567890123, True, False, "text", "3", ["a", 1, True]],
)
def test_external_data_keeps_the_type_of_exactly_one_tag(bug, value):
    action = {"kind": "external", "name": "Jira key", "value": "((Payload: $.v))"}
    assert act(bug, action, v=value)[0] == "acted"
    bug.refresh_from_db()
    stored = bug.external_data["jira_key"]
    assert stored == value and isinstance(stored, str) == isinstance(value, str)
    assert act(bug, action, v=value)[1:] == ("Nothing changed.", "")


def test_external_data_of_a_longer_template_is_text(bug):
    action = {"kind": "external", "name": "n", "value": "n ((Payload: $.v))"}
    act(bug, action, v=3)
    bug.refresh_from_db()
    assert bug.external_data == {"n": "n 3"}


def test_several_values_at_once_and_nothing_is_not_stored(bug):
    modified_at = bug.modified_at
    named = ("jira_key: ((Payload: $.key))", "No of it: ((Payload: $.n))")
    value = "\n".join([*named, "gone: ((Payload: $.g))"])
    result = act(bug, {"kind": "external", "value": value}, key="NW-41", n=3)
    assert result == ("acted", "", "jira_key is NW-41 now.\nno_of_it is 3 now.")
    bug.refresh_from_db()
    assert bug.external_data == {"jira_key": "NW-41", "no_of_it": 3}
    assert bug.modified_at == modified_at
    origin = bug.external_provenance["jira_key"]
    assert origin["source"].startswith("listener Listener ")


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"a": 1}, "v is an object, not a text."),
        ("x" * 4001, "v is longer than 4,000 characters."),
        (["a"] * 101, "v has more than 100 items."),
        (10**200, "v is a number too large to be stored."),
    ],
)
def test_external_data_that_can_not_be_stored_fails_the_event(bug, value, why):
    result = act(
        bug, {"kind": "external", "name": "v", "value": "((Payload: $.v))"}, v=value
    )
    assert result[:2] == ("failed", f"Store external data: v: {why}")


def test_external_data_has_room_for_so_much(bug):
    bug.external_data = {f"k{n}": "x" * 4000 for n in range(16)}
    bug.save()
    result = act(bug, {"kind": "external", "name": "v", "value": "x" * 4000})
    assert result[1] == (
        "Store external data: v: The external data would be longer than 65,536 bytes."
    )


def test_later_actions_see_what_earlier_ones_did(bug):
    result = act(
        bug,
        {"kind": "status", "value": "Closed"},
        {"kind": "external", "name": "k", "value": "v"},
        {"kind": "comment", "value": "((Status)) ((External: k))"},
    )
    assert result[0] == "acted" and bug.comments.get().text == "Closed v"


def test_what_was_found_is_changed_by_automation_in_one_unit(bug, heard):
    act(
        bug,
        {"kind": "status", "value": "Closed"},
        {"kind": "comment", "value": "Done"},
        {"kind": "external", "name": "k", "value": "v"},
    )
    [origin] = heard.origins
    assert origin.listener.startswith("Listener ") and origin.is_automation
    [(_, change)] = heard.changes
    assert change.comments == ("Done",)
    assert {"status", "external_k"} <= {*change.fields}


def test_triggers_that_follow_automation_follow_a_listener(bugs, bug):
    macro = factories.macro(bugs, "https://example.com/")
    for follows in (True, False):
        factories.trigger(macro, "modified", follows_automation=follows)
    act(bug, {"kind": "status", "value": "Closed"})
    assert [run.trigger.follows_automation for run in Run.objects.all()] == [True]


def test_a_macro_of_another_type_is_passed_over_and_said_so(bugs, bug):
    ideas = factories.feedback_type("Idea", "IDEA")
    type(ideas).objects.filter(pk=ideas.pk).update(project=bugs.project)
    ideas.refresh_from_db()
    macros = [
        factories.macro(of, "https://example.com/", name=of.name)
        for of in (ideas, bugs)
    ]
    listener = by_id(bugs.project, *({"kind": "run", "macro": m} for m in macros))
    event = call(listener, {"id": bug.pk})
    run = Run.objects.get()
    assert (run.macro, run.cause) == (macros[1], Cause.LISTENER)
    assert event.changes.splitlines() == [
        "The macro Idea runs on Phone Beta: Idea, so it did not run.",
        "The macro Bug Report was started.",
    ]


def test_a_macro_that_runs_once_says_that_it_ran(bugs, bug):
    macro = factories.macro(bugs, "https://example.com/", name="Once")
    type(macro).objects.update(once_per_subject=True)
    listener = by_id(bugs, {"kind": "run", "macro": macro})
    assert call(listener, {"id": bug.pk}).changes == "The macro Once was started."
    event = call(listener, {"id": bug.pk})
    assert outcome(event) == ("acted", "") and Run.objects.count() == 1
    assert event.changes.startswith("Once: This macro runs once per ticket")


def test_a_macro_that_has_no_step_fails_by_its_sentence(bugs, bug):
    macro = factories.macro(bugs, name="Empty")
    result = act(bug, {"kind": "run", "macro": macro})
    assert result[:2] == (
        "failed",
        "Run a macro: Empty: The macro Empty has no step. Add one to run it.",
    )


def test_a_required_value_that_is_missing_fails_the_event(bug):
    result = act(bug, {"kind": "comment", "value": "((Payload: $.gone|required))"})
    assert result[0] == "failed"
    assert result[1].startswith("Add a comment: The tag ((Payload: $.gone)) ")


def test_testers_get_score_and_external_data(bugs):
    tester = factories.tester(bugs, "Ada@Example.com")
    community = bugs.project.community
    listener = factories.listener(
        community,
        {"kind": "score", "value": "2"},
        {"kind": "external", "name": "crm", "value": "((Payload: $.crm))"},
        record_by="email",
        record_at="$.email",
    )
    event = call(listener, {"email": " ada@example.COM ", "crm": 7})
    tester.refresh_from_db()
    assert event.tester == tester and event.feedback is None
    assert (tester.score, tester.external_data) == (2, {"crm": 7})


@pytest.mark.parametrize("points", ["+-5", "--5", "++5", "+", "-", "- 5", "5-", "٥"])
def test_what_only_looks_like_points_is_named(bugs, points):
    tester = factories.tester(bugs)
    ticket = factories.ticket(bugs, submitter=tester)
    listener = factories.listener(
        bugs,
        {"kind": "score", "value": "((Payload: $.points))"},
        record_by="id",
        record_at="$.id",
    )
    event = call(listener, {"id": ticket.pk, "points": points})
    assert event.outcome == "failed"
    assert "is not a number of points" in event.detail
