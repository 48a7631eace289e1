"""Every write of a ticket or tester announces what differs, and only that."""

from __future__ import annotations

import pytest

from feedback import changes
from feedback.changes import Change, Changed, ChangeKind, Origin
from feedback.models import Comment, Feedback, FeedbackType
from feedback.models import Tester as Person
from tests import factories
from tests.feedback.listeners import Heard, heard

__all__ = ["heard"]
pytestmark = pytest.mark.django_db

MACRO = Origin("Triage", 7, chain=(3,))


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


def test_a_new_ticket_announces_all_that_it_says(
    bugs: FeedbackType, heard: Heard
) -> None:
    submitter = factories.tester(bugs, "zoe@example.com")
    heard.clear()
    ticket = Feedback(feedback_type=bugs, title="It breaks", submitter=submitter)
    ticket.form_values = {"severity": "Minor", "app_version": ""}
    ticket.external_data = {"jira": None}
    ticket.save()
    new = bugs.statuses.get(name="New")
    expected = Changed(
        ticket.pk,
        True,
        {},
        {
            "title": "It breaks",
            "visibility": "public",
            "status": "New",
            "status_id": new.pk,
            "submitter_email": "zoe@example.com",
            "field_severity": "Minor",
            "external_jira": None,
        },
    )
    assert heard.changes == [("Feedback", expected)]
    assert heard.changing == []


def test_many_new_tickets_are_announced_at_once(
    bugs: FeedbackType, heard: Heard
) -> None:
    made = factories.tickets(bugs, 3)
    assert [each.pk for _, each in heard.changes] == [each.pk for each in made]
    assert len(heard.origins) == 1


def test_a_saved_ticket_announces_what_differs(
    bugs: FeedbackType, heard: Heard
) -> None:
    ticket = factories.ticket(bugs, form_values={"impact": 1})
    heard.clear()
    new, closed = bugs.statuses.order_by("position")
    ticket.status, ticket.form_values = closed, {"impact": 1, "severity": "Minor"}
    ticket.save()
    expected = Changed(
        ticket.pk,
        False,
        {"status": "New", "status_id": new.pk},
        {"status": "Closed", "status_id": closed.pk, "field_severity": "Minor"},
    )
    assert heard.changes == [("Feedback", expected)]
    assert heard.changing == [("Feedback", [ticket.pk])]
    assert expected.fields == ["field_severity", "status"]


def test_a_macros_steps_are_one_unit_with_its_origin(
    bugs: FeedbackType, heard: Heard
) -> None:
    submitter = factories.tester(bugs)
    ticket = factories.ticket(bugs, submitter=submitter)
    heard.clear()
    changes.apply(
        [
            (ticket.pk, Change(ChangeKind.STATUS, "Closed")),
            (ticket.pk, Change(ChangeKind.COMMENT, "Done")),
            (ticket.pk, Change(ChangeKind.SCORE, 5)),
        ],
        MACRO,
    )
    [(_, ticket_change), (model, tester_change)] = heard.changes
    assert (ticket_change.fields, ticket_change.comments) == (["status"], ("Done",))
    assert model == "Tester"
    assert (tester_change.before, tester_change.after) == ({"score": 0}, {"score": 5})
    assert heard.origins == [MACRO, MACRO]


def test_what_is_equal_announces_nothing_and_is_not_written(
    bugs: FeedbackType, heard: Heard
) -> None:
    ticket = factories.ticket(bugs, description="a\nb", form_values={"steps": "a\nb"})
    tester = factories.tester(bugs)
    heard.clear()
    before = Feedback.objects.values().get()

    ticket.description, ticket.form_values = "a\r\nb", {"steps": "a\r\nb", "page": ""}
    ticket.save()
    tester.save()
    Feedback.objects.update(visibility="public")
    Person.objects.update(score=0)
    changes.write(Feedback, {ticket.pk: {"external_data": {}}})

    assert (heard.changes, heard.changing) == ([], [])
    assert Feedback.objects.values().get() == before


def test_a_comment_is_announced_with_its_ticket(
    bugs: FeedbackType, heard: Heard
) -> None:
    ticket = factories.ticket(bugs)
    heard.clear()
    Comment.objects.create(feedback=ticket, text="Hello")
    assert heard.changes == [
        ("Feedback", Changed(ticket.pk, False, {}, {}, ("Hello",)))
    ]
    assert heard.changing == [("Feedback", [ticket.pk])]
