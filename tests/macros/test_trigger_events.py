"""Each event of a trigger: what it is, what it is not, and what it says of a miss."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from feedback.changes import Changed
from feedback.models import Feedback, FeedbackType, SubjectKind, Tester
from macros.models import Event, Macro
from macros.models.triggers import EVENTS
from tests import factories
from tests.macros.triggering import announce, decisions, runs_of

pytestmark = pytest.mark.django_db

NEW, CLOSED = "New", "Closed"
NOT_ITS: list[tuple[str, str]] = []


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def macro(bugs: FeedbackType) -> Macro:
    return factories.steps(
        factories.macro(bugs), {"kind": "add_comment", "text": "Thank you"}
    )


def moved(before: str, after: str) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"status": before}, {"status": after}


# Event, its details, before, after, whether it is new, comments; and what becomes of
# it: None starts a run, a text is why not, NOT_ITS is not looked at.
TABLE: list[tuple[Any, ...]] = [
    (Event.SUBMITTED, {}, {}, {"title": "A"}, True, (), None),
    (Event.SUBMITTED, {}, {"title": "A"}, {"title": "B"}, False, (), NOT_ITS),
    (Event.MODIFIED, {}, {"title": "A"}, {"title": "B"}, False, (), None),
    (Event.MODIFIED, {}, {}, {"external_a": 1}, False, (), None),
    (Event.MODIFIED, {}, {}, {"title": "A"}, True, (), NOT_ITS),
    (Event.MODIFIED, {}, {}, {}, False, ("Hello",), NOT_ITS),
    (Event.STATUS_CHANGED, {}, *moved(NEW, CLOSED), False, (), None),
    (Event.STATUS_CHANGED, {}, {"title": "A"}, {"title": "B"}, False, (), NOT_ITS),
    (Event.STATUS_CHANGED, {}, {}, {"status": NEW}, True, (), NOT_ITS),
    (Event.STATUS_CHANGED, {"to": CLOSED}, *moved(NEW, CLOSED), False, (), None),
    (Event.STATUS_CHANGED, {"from": NEW}, *moved(NEW, CLOSED), False, (), None),
    (
        Event.STATUS_CHANGED,
        {"from": NEW, "to": CLOSED},
        *moved(NEW, CLOSED),
        False,
        (),
        None,
    ),
    (
        Event.STATUS_CHANGED,
        {"to": NEW},
        *moved(NEW, CLOSED),
        False,
        (),
        "Status is Closed, needs New.",
    ),
    (
        Event.STATUS_CHANGED,
        {"from": CLOSED},
        *moved(NEW, CLOSED),
        False,
        (),
        "Status was New, needs Closed.",
    ),
    (
        Event.STATUS_CHANGED,
        {"from": NEW},
        {},
        {"status": CLOSED},
        False,
        (),
        "Status was empty, needs New.",
    ),
    (
        Event.FIELD_CHANGED,
        {"field": "severity"},
        {"field_severity": "Minor"},
        {"field_severity": "Major"},
        False,
        (),
        None,
    ),
    (
        Event.FIELD_CHANGED,
        {"field": "severity"},
        {"field_severity": "Minor"},
        {},
        False,
        (),
        None,
    ),
    (
        Event.FIELD_CHANGED,
        {"field": "severity"},
        {},
        {"field_impact": 1},
        False,
        (),
        "Severity did not change.",
    ),
    (
        Event.FIELD_CHANGED,
        {"field": "severity"},
        {"title": "A"},
        {"title": "B"},
        False,
        (),
        NOT_ITS,
    ),
    (Event.COMMENT_ADDED, {}, {}, {}, False, ("Hello",), None),
    (Event.COMMENT_ADDED, {}, {"title": "A"}, {"title": "B"}, False, (), NOT_ITS),
    (Event.EXTERNAL_CHANGED, {}, {}, {"external_key": "K"}, False, (), None),
    (
        Event.EXTERNAL_CHANGED,
        {"external": "Jira Key"},
        {},
        {"external_jira_key": "K"},
        False,
        (),
        None,
    ),
    (
        Event.EXTERNAL_CHANGED,
        {"external": "jira_key"},
        {},
        {"external_other": "K"},
        False,
        (),
        "The external data jira_key did not change.",
    ),
    (Event.EXTERNAL_CHANGED, {}, {"title": "A"}, {"title": "B"}, False, (), NOT_ITS),
]


@pytest.mark.parametrize(
    ("event", "details", "before", "after", "is_new", "comments", "expected"), TABLE
)
def test_an_event_of_tickets(
    macro: Macro,
    event: Event,
    details: dict[str, Any],
    before: dict[str, Any],
    after: dict[str, Any],
    is_new: bool,
    comments: tuple[str, ...],
    expected: Any,
) -> None:
    assert macro.feedback_type is not None
    keys = {each.name: each.pk for each in macro.feedback_type.statuses.all()}
    details = {
        f"{name}_status" if name in ("from", "to") else name: keys.get(value, value)
        for name, value in details.items()
    }
    before, after = (
        values | ({"status_id": keys[values["status"]]} if "status" in values else {})
        for values in (before, after)
    )
    ticket = factories.ticket(macro.feedback_type)
    trigger = factories.trigger(macro, event, event_details=details)

    announce(Changed(ticket.pk, is_new, before, after, comments))

    assert len(runs_of(trigger)) == (expected is None)
    if expected is None:
        assert decisions(trigger) == [("started", "")]
    else:
        missed = [] if expected is NOT_ITS else [("other_event", expected)]
        assert decisions(trigger) == missed


TESTERS: list[tuple[Any, ...]] = [
    (Event.TESTER_ADDED, {}, {}, {"email": "a@b.example"}, True, None),
    (Event.TESTER_ADDED, {}, {"city": "A"}, {"city": "B"}, False, NOT_ITS),
    (Event.TESTER_CHANGED, {}, {"city": "A"}, {"city": "B"}, False, None),
    (Event.TESTER_CHANGED, {}, {}, {"email": "a@b.example"}, True, NOT_ITS),
    (Event.SCORE_CROSSED, {"score": 10}, {"score": 9}, {"score": 10}, False, None),
    (Event.SCORE_CROSSED, {"score": 10}, {"score": 0}, {"score": 50}, False, None),
    (Event.SCORE_CROSSED, {"score": -5}, {"score": -9}, {"score": 0}, False, None),
    (
        Event.SCORE_CROSSED,
        {"score": 10},
        {"score": 10},
        {"score": 11},
        False,
        "The score went from 10 to 11, needs to reach 10.",
    ),
    (
        Event.SCORE_CROSSED,
        {"score": 10},
        {"score": 11},
        {"score": 9},
        False,
        "The score went from 11 to 9, needs to reach 10.",
    ),
    (Event.SCORE_CROSSED, {"score": 1}, {"city": "A"}, {"city": "B"}, False, NOT_ITS),
]


@pytest.mark.parametrize(
    ("event", "details", "before", "after", "is_new", "expected"), TESTERS
)
def test_an_event_of_testers(
    bugs: FeedbackType,
    event: Event,
    details: dict[str, Any],
    before: dict[str, Any],
    after: dict[str, Any],
    is_new: bool,
    expected: Any,
) -> None:
    tara = factories.tester(bugs)
    macro = factories.macro(bugs.project.community, "https://example.com/")
    trigger = factories.trigger(macro, event, event_details=details)

    announce(Changed(tara.pk, is_new, before, after), of=Tester)

    assert len(runs_of(trigger)) == (expected is None)
    if expected is not None:
        missed = [] if expected is NOT_ITS else [("other_event", expected)]
        assert decisions(trigger) == missed


def test_every_event_is_in_a_table() -> None:
    tried = {row[0] for row in (*TABLE, *TESTERS) if row[-1] is None}
    assert tried == set(Event) == {each for kind in EVENTS.values() for each in kind}
    assert set(EVENTS) == set(SubjectKind)


@pytest.mark.parametrize(
    ("event", "details", "reason"),
    [
        (
            Event.STATUS_CHANGED,
            {"to_status": 10**9},
            "The status that it waits for was deleted. Choose another.",
        ),
        (
            Event.STATUS_CHANGED,
            {"to_status": "Closed"},
            "The status that it waits for was deleted. Choose another.",
        ),
        (
            Event.FIELD_CHANGED,
            {"field": "gone"},
            "The form has no field 'gone' any more. Choose another.",
        ),
    ],
)
def test_an_event_that_has_lost_a_part_never_happens_and_says_so(
    macro: Macro, event: Event, details: dict[str, Any], reason: str
) -> None:
    assert macro.feedback_type is not None
    ticket = factories.ticket(macro.feedback_type)
    trigger = factories.trigger(macro, event, event_details=details)
    before, after = moved(NEW, CLOSED)

    announce(
        Changed(
            ticket.pk,
            False,
            {**before, "field_gone": 1},
            {**after, "field_gone": 2, "status_id": 10**9},
        )
    )

    assert decisions(trigger) == [("held_up", reason)]
    assert runs_of(trigger) == []
    assert Feedback.objects.filter(pk=ticket.pk).exists()


@pytest.mark.parametrize("event", Event)
def test_an_event_that_can_not_happen_to_what_the_macro_runs_on_is_refused(
    bugs: FeedbackType, macro: Macro, event: Event
) -> None:
    welcome = factories.macro(bugs.project, "https://example.com/")
    for runs, kind in ((macro, SubjectKind.FEEDBACK), (welcome, SubjectKind.TESTER)):
        trigger = factories.trigger(runs, event)
        if event in EVENTS[kind]:
            trigger.full_clean()
            continue
        with pytest.raises(ValidationError) as refused:
            trigger.full_clean()
        assert list(refused.value.message_dict) == ["event"]
