"""Triggers that lead to themselves or to each other come to an end, and say how."""

from __future__ import annotations

import pytest

from feedback.changes import Origin
from feedback.models import Feedback, FeedbackType
from logs.models import Run
from macros import deliveries
from macros.models import Event, Macro, Trigger
from tests import factories
from tests.macros.triggering import decisions, modify, runs_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


def setting(bugs: FeedbackType, severity: str) -> Macro:
    step = {"kind": "set_field", "field": "severity", "value": severity}
    return factories.steps(factories.macro(bugs), step)


def automation(*chain: Trigger) -> Origin:
    return Origin(macro="Post", run=1, chain=tuple(each.pk for each in chain))


def work_off() -> None:
    """Until no run has anything left to do."""
    while run := Run.objects.filter(state="active").order_by("pk").first():
        deliveries.work(run.pk)


def test_what_macros_change_starts_nothing_and_leaves_no_decision(
    bugs: FeedbackType,
) -> None:
    ticket = factories.ticket(bugs)
    trigger = factories.trigger(setting(bugs, "Minor"), Event.MODIFIED)
    modify(ticket, by=automation())
    assert (runs_of(trigger), decisions(trigger)) == ([], [])


def test_a_trigger_that_follows_automation_runs_once_in_a_chain(
    bugs: FeedbackType,
) -> None:
    ticket = factories.ticket(bugs)
    one, two = (
        factories.trigger(
            setting(bugs, name), Event.MODIFIED, name=name, follows_automation=True
        )
        for name in ("Major", "Minor")
    )
    modify(ticket, by=automation(one))
    [run] = runs_of(two)
    assert run.chain == [one.pk, two.pk]
    assert decisions(one) == [
        ("loop", "It ran in this chain already: Major, then Major.")
    ]
    modify(ticket, by=automation(one, two))
    assert decisions(one)[0] == (
        "loop",
        "It ran in this chain already: Major, then Minor, then Major.",
    )


def test_a_chain_has_an_end_and_names_all_of_it(
    bugs: FeedbackType, settings: object
) -> None:
    settings.TRIGGER_MAX_DEPTH = 2  # type: ignore[attr-defined]
    ticket = factories.ticket(bugs)
    macro = setting(bugs, "Minor")
    gone, middle, last = (
        factories.trigger(
            macro, Event.MODIFIED, name=name, follows_automation=name == "Last"
        )
        for name in ("Gone", "Middle", "Last")
    )
    origin = automation(gone, middle)
    gone.delete()
    modify(ticket, by=origin)
    assert runs_of(last) == []
    assert decisions(last) == [
        (
            "loop",
            "A chain has at most 2 triggers: a deleted trigger, then Middle, then"
            " Last.",
        )
    ]


def test_two_triggers_that_feed_each_other_end(bugs: FeedbackType) -> None:
    up, down = (
        factories.trigger(
            setting(bugs, value),
            Event.FIELD_CHANGED,
            event_details={"field": "severity"},
            follows_automation=True,
            name=value,
        )
        for value in ("Critical", "Minor")
    )
    ticket = factories.ticket(bugs, form_values={"severity": "Major"})
    answer_severity(ticket, "Minor")

    work_off()

    # Both saw what the person did, and each what the other made of it.
    assert [run.chain for run in runs_of(up)] == [[up.pk], [down.pk, up.pk]]
    assert [run.chain for run in runs_of(down)] == [[down.pk], [up.pk, down.pk]]
    loops = {detail for outcome, detail in decisions(up) if outcome == "loop"}
    assert "It ran in this chain already: Minor, then Critical, then Critical." in loops


def test_a_macro_that_changes_what_its_own_filter_tests_runs_once(
    bugs: FeedbackType,
) -> None:
    critical = {"field": "field_severity", "qualifier": "is", "value": "Critical"}
    trigger = factories.trigger(
        setting(bugs, "Minor"),
        Event.FIELD_CHANGED,
        event_details={"field": "severity"},
        filter=factories.saved_filter(bugs, critical),
        follows_automation=True,
    )
    ticket = factories.ticket(bugs, form_values={"severity": "Major"})
    answer_severity(ticket, "Critical")

    work_off()

    assert len(runs_of(trigger)) == 1
    assert [outcome for outcome, _ in decisions(trigger)] == ["no_match", "started"]
    ticket.refresh_from_db()
    assert ticket.form_values == {"severity": "Minor"}


def answer_severity(ticket: Feedback, value: str) -> None:
    ticket.form_values = {"severity": value}
    ticket.save()
