"""Ticket references: one row of numbers per type, without gaps, kept for ever."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from feedback.models import Feedback, FeedbackType, Status
from tests import factories

THREADS = 6


class Undone(Exception):
    """Ends a transaction that must leave nothing behind."""


def side_by_side(work: Callable[[int], None]) -> None:
    """Run the work in threads that each have a database connection of their own."""

    def one(number: int) -> None:
        try:
            work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(one, range(THREADS)))


def references(of: FeedbackType) -> list[str]:
    rows = Feedback.objects.filter(feedback_type=of).order_by("number")
    return list(rows.values_list("reference", flat=True))


@pytest.mark.django_db(transaction=True)
def test_numbers_have_no_gaps_when_many_submit_at_once() -> None:
    pk = factories.feedback_type().pk

    def submit(number: int) -> None:
        bugs = FeedbackType.objects.get(pk=pk)
        for turn in range(3):
            Feedback(feedback_type=bugs, title=f"One {number}.{turn}").save()
            rows = [Feedback(title=f"Many {number}.{turn}.{n}") for n in range(4)]
            Feedback.objects.submit_many(bugs, rows)

    side_by_side(submit)

    expected = [f"BUG-{n}" for n in range(1, THREADS * 3 * 5 + 1)]
    assert references(FeedbackType.objects.get(pk=pk)) == expected


@pytest.mark.django_db(transaction=True)
def test_numbers_of_undone_submissions_are_given_out_again() -> None:
    pk = factories.feedback_type().pk

    def submit(number: int) -> None:
        bugs = FeedbackType.objects.get(pk=pk)
        for turn in range(4):
            try:
                with transaction.atomic():
                    Feedback(feedback_type=bugs, title="One").save()
                    Feedback.objects.submit_many(bugs, [Feedback(title="Many")])
                    if (number + turn) % 2:
                        raise Undone
            except Undone:
                pass

    side_by_side(submit)

    kept = THREADS * 4 // 2 * 2
    expected = [f"BUG-{n}" for n in range(1, kept + 1)]
    assert references(FeedbackType.objects.get(pk=pk)) == expected


@pytest.mark.django_db
def test_each_type_counts_for_itself() -> None:
    bugs = factories.feedback_type()
    ideas = factories.feedback_type("Idea", "IDEA")
    for kind in (bugs, ideas, bugs):
        factories.ticket(kind)
    assert references(bugs) == ["BUG-1", "BUG-2"]
    assert references(ideas) == ["IDEA-1"]


@pytest.mark.django_db
def test_the_number_of_a_deleted_ticket_is_not_given_out_again() -> None:
    bugs = factories.feedback_type()
    _, last = factories.tickets(bugs, 2)
    last.delete()
    factories.ticket(bugs)
    assert references(bugs) == ["BUG-1", "BUG-3"]


@pytest.mark.django_db
def test_a_new_prefix_leaves_old_references_alone() -> None:
    bugs = factories.feedback_type()
    old = factories.ticket(bugs)
    bugs.prefix = "DEFECT"
    bugs.save()
    old.title = "Edited since"
    old.save()
    factories.ticket(bugs)
    assert references(bugs) == ["BUG-1", "DEFECT-2"]


@pytest.mark.django_db
def test_editing_a_type_does_not_turn_its_counter_back() -> None:
    bugs = factories.feedback_type()
    edited = FeedbackType.objects.get(pk=bugs.pk)
    factories.tickets(bugs, 3)
    edited.name = "Defect"
    edited.save()
    factories.ticket(bugs)
    assert references(bugs) == ["BUG-1", "BUG-2", "BUG-3", "BUG-4"]
    edited.refresh_from_db()
    assert (edited.name, edited.last_number) == ("Defect", 4)


@pytest.mark.django_db
def test_nothing_is_submitted_unless_all_is() -> None:
    bugs = factories.feedback_type()
    broken = Feedback(title=None)
    with pytest.raises(Exception, match="title"), transaction.atomic():
        Feedback.objects.submit_many(bugs, [Feedback(title="Fine"), broken])
    factories.ticket(bugs)
    assert references(bugs) == ["BUG-1"]


@pytest.mark.django_db
def test_a_new_ticket_has_the_types_first_status_unless_it_brings_one() -> None:
    bugs = factories.feedback_type()
    closed = Status.objects.get(feedback_type=bugs, name="Closed")
    triage = Status.objects.create(feedback_type=bugs, name="Triage", position=0)
    saved = Feedback.objects.create(feedback_type=bugs, title="Saved")
    [submitted, brought] = Feedback.objects.submit_many(
        bugs, [Feedback(title="Submitted"), Feedback(title="Brought", status=closed)]
    )
    assert [saved.status, submitted.status, brought.status] == [triage, triage, closed]


@pytest.mark.django_db
def test_a_type_without_statuses_takes_tickets() -> None:
    bugs = factories.feedback_type()
    bugs.statuses.all().delete()
    assert factories.ticket(bugs).status is None


@pytest.mark.django_db
def test_saving_again_keeps_number_and_status() -> None:
    bugs = factories.feedback_type()
    ticket = factories.ticket(bugs)
    factories.ticket(bugs)
    ticket.status = None
    ticket.save()
    ticket.refresh_from_db()
    assert (ticket.reference, ticket.number, ticket.status) == ("BUG-1", 1, None)
