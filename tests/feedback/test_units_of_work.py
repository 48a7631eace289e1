"""What is written together is announced together, or not at all."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from django.db import transaction
from django.test import RequestFactory

from feedback import changes
from feedback.access import requests
from feedback.changes import Changed
from feedback.changes.signals import changed
from feedback.models import Comment, Feedback, FeedbackType
from tests import factories
from tests.listeners import Heard, heard

__all__ = ["heard"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


def test_what_is_written_together_is_announced_together(
    bugs: FeedbackType, heard: Heard
) -> None:
    ticket = factories.ticket(bugs)
    heard.clear()
    with changes.unit():
        for text in ("one", "two"):
            ticket.title = text
            ticket.save()
            Comment.objects.create(feedback=ticket, text=text)
        Feedback.objects.update(visibility="private")
        Feedback.objects.update(visibility="public")
        assert heard.changes == []
    expected = Changed(
        ticket.pk, False, {"title": "It breaks"}, {"title": "two"}, ("one", "two")
    )
    assert heard.changes == [("Feedback", expected)]
    assert heard.changing == [("Feedback", [ticket.pk])]


def test_it_is_the_work_of_whoever_the_request_is_from(
    bugs: FeedbackType, heard: Heard
) -> None:
    ticket = factories.ticket(bugs)
    heard.clear()
    unknown, known = (RequestFactory().get("/") for _ in range(2))
    known.user = factories.superuser("olivia")
    for request in (None, unknown, known):
        with requests.during(request) if request else nullcontext():
            ticket.title += "!"
            ticket.save()
    assert [each.actor for each in heard.origins] == ["system", "", "olivia"]


def test_a_new_ticket_with_more_written_to_it_is_one_new_ticket(
    bugs: FeedbackType, heard: Heard
) -> None:
    with changes.unit():
        ticket = factories.ticket(bugs)
        ticket.title = "Another"
        ticket.save()
        Comment.objects.create(feedback=ticket, text="Hello")
    [(_, change)] = heard.changes
    assert (change.is_new, change.before, change.comments) == (True, {}, ("Hello",))
    assert change.after["title"] == "Another"
    assert heard.changing == []


def test_what_is_changed_inside_of_a_value_differs_too(
    bugs: FeedbackType, heard: Heard
) -> None:
    with changes.unit():
        ticket = factories.ticket(bugs, form_values={"impact": 1})
        for impact in (2, 3):
            ticket.form_values["impact"] = impact
            ticket.save()
            assert Feedback.objects.get().form_values == {"impact": impact}
    heard.clear()
    with changes.unit():
        for impact in (4, 5):
            ticket.form_values["impact"] = impact
            ticket.save()
            assert Feedback.objects.get().form_values == {"impact": impact}
    [(_, change)] = heard.changes
    assert (change.before, change.after) == ({"field_impact": 3}, {"field_impact": 5})


def test_a_part_that_fails_is_forgotten_with_what_it_wrote(
    bugs: FeedbackType, heard: Heard
) -> None:
    ticket = factories.ticket(bugs)
    heard.clear()
    with changes.unit():
        ticket.title = "Kept"
        ticket.save()
        with pytest.raises(ZeroDivisionError), transaction.atomic(), changes.unit():
            Feedback.objects.update(title="Undone", visibility="private")
            raise ZeroDivisionError
    [(_, change)] = heard.changes
    assert change.after == {"title": "Kept"}
    assert Feedback.objects.get().title == "Kept"


def test_what_is_rolled_back_is_written_and_announced_by_nobody(
    bugs: FeedbackType, heard: Heard
) -> None:
    ticket = factories.ticket(bugs)
    heard.clear()
    with pytest.raises(ZeroDivisionError), changes.unit():
        ticket.title = "Undone"
        ticket.save()
        raise ZeroDivisionError
    assert heard.changes == []
    assert Feedback.objects.get().title == "It breaks"


def test_a_listener_that_fails_undoes_the_change(bugs: FeedbackType) -> None:
    ticket = factories.ticket(bugs)

    def fail(**kwargs: object) -> None:
        raise ZeroDivisionError

    changed.connect(fail)
    try:
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            Feedback.objects.update(title="Undone")
    finally:
        changed.disconnect(fail)
    ticket.refresh_from_db()
    assert ticket.title == "It breaks"
