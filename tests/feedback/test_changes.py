"""Every write of a ticket or tester announces what differs, and only that."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import RequestFactory
from django.utils import timezone

from feedback import changes
from feedback.access.requests import during
from feedback.changes import Change, Changed, ChangeKind, Origin
from feedback.changes.signals import changing
from feedback.models import Comment, Feedback, FeedbackType, Status
from feedback.models import Tester as Person
from tests import factories
from tests.listeners import Heard, heard

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


def by_save(ticket: Feedback, closed: Status) -> None:
    ticket.status = closed
    ticket.save()


def by_named_columns(ticket: Feedback, closed: Status) -> None:
    ticket.status, ticket.title = closed, "Not saved"
    ticket.save(update_fields=["status"])


def by_update(ticket: Feedback, closed: Status) -> None:
    Feedback.objects.filter(pk=ticket.pk).update(status=closed)


def by_related_rows(ticket: Feedback, closed: Status) -> None:
    ticket.feedback_type.tickets.update(status_id=closed.pk)


def by_update_or_create(ticket: Feedback, closed: Status) -> None:
    Feedback.objects.update_or_create(pk=ticket.pk, defaults={"status": closed})


def by_a_step(ticket: Feedback, closed: Status) -> None:
    change = Change(ChangeKind.STATUS, closed.name)
    changes.apply([(ticket.pk, change)], Origin(actor="system"))


def by_columns(ticket: Feedback, closed: Status) -> None:
    changes.write(Feedback, {ticket.pk: {"status_id": closed.pk}})


def by_many(ticket: Feedback, closed: Status) -> None:
    changes.set_many(Feedback.objects.filter(pk=ticket.pk), status=closed)


WAYS = [
    by_save,
    by_named_columns,
    by_update,
    by_related_rows,
    by_update_or_create,
    by_a_step,
    by_columns,
    by_many,
]


@pytest.mark.parametrize("write", WAYS, ids=lambda way: way.__name__)
def test_every_way_of_writing_announces_the_same_once(
    bugs: FeedbackType, heard: Heard, write: Callable[[Feedback, Status], None]
) -> None:
    new, closed = bugs.statuses.order_by("position")
    ticket = factories.ticket(bugs)
    modified = ticket.modified_at
    for expected in (1, 0):  # And of what is so already nothing.
        heard.clear()
        write(Feedback.objects.get(pk=ticket.pk), closed)
        assert len(heard.changes) == len(heard.changing) == expected
        if expected:
            [(_, change)] = heard.changes
            assert change.before == {"status": "New", "status_id": new.pk}
            assert change.after == {"status": "Closed", "status_id": closed.pk}
            assert heard.origins == [Origin(actor="system")]
            stored = Feedback.objects.get()
            assert (stored.status, stored.title) == (closed, "It breaks")
            assert stored.modified_at > modified
            modified = stored.modified_at
    assert Feedback.objects.get().modified_at == modified


def test_rows_are_as_they_were_while_they_are_changing(bugs: FeedbackType) -> None:
    ticket = factories.ticket(bugs)
    seen: list[object] = []

    def look(pks: list[int], **kwargs: object) -> None:
        seen.extend(Feedback.objects.filter(pk__in=pks).values_list("title", flat=True))

    changing.connect(look)
    try:
        for way in (
            lambda: Feedback.objects.update(title="1"),
            lambda: changes.write(Feedback, {ticket.pk: {"title": "2"}}),
        ):
            way()
        ticket.title = "3"
        ticket.save()
        Comment.objects.create(feedback=ticket, text="Hello")
    finally:
        changing.disconnect(look)
    assert seen == ["It breaks", "1", "2", "3"]


def test_an_edit_leaves_what_another_has_written_meanwhile(bugs: FeedbackType) -> None:
    mine = factories.ticket(bugs)
    theirs = Feedback.objects.get()
    theirs.description = "Theirs"
    theirs.save()
    mine.title = "Mine"
    mine.save(update_fields=["title"])
    stored = Feedback.objects.get()
    assert (stored.title, stored.description) == ("Mine", "Theirs")


def test_a_tester_announces_profile_score_and_values(
    bugs: FeedbackType, heard: Heard
) -> None:
    tester = factories.tester(bugs, "zoe@example.com")
    heard.clear()
    tester.company, tester.score = "Zoe Ltd", 5
    tester.external_data = {"crm": "Z-1"}
    tester.save()
    [(model, change)] = heard.changes
    assert (model, change.before) == ("Tester", {"score": 0})
    assert change.after == {"company": "Zoe Ltd", "score": 5, "external_crm": "Z-1"}


def test_what_still_reaches_an_erased_tester_is_not_announced(
    bugs: FeedbackType, heard: Heard
) -> None:
    tester = factories.tester(bugs)
    Person._base_manager.update(erased_at=timezone.now())
    heard.clear()
    changes.write(Person, {tester.pk: {"external_data": {"late": 1}}})
    assert (heard.changes, heard.changing) == ([], [])


def test_whoever_is_at_work_is_its_origin(bugs: FeedbackType, heard: Heard) -> None:
    ticket = factories.ticket(bugs)
    heard.clear()
    request = RequestFactory().get("/")
    request.user = factories.superuser()
    with during(request):
        ticket.title = "Edited"
        ticket.save()
    assert heard.origins == [Origin(actor="olivia")]


def test_many_comments_are_announced_as_they_are_stored(
    bugs: FeedbackType, heard: Heard
) -> None:
    one, other = factories.tickets(bugs, 2)
    heard.clear()
    Comment.objects.bulk_create(
        [Comment(feedback=each, text="a\r\nb") for each in (one, other, one)]
    )
    assert [change.comments for _, change in heard.changes] == [
        ("a\nb", "a\nb"),
        ("a\nb",),
    ]
    assert heard.changing == [("Feedback", [one.pk, other.pk])]
    assert {each.text for each in Comment.objects.all()} == {"a\nb"}
    assert Feedback.objects.get(pk=one.pk).modified_at > one.modified_at
