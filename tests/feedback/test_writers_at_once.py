"""Forms, macros and edits of many at once: none waits for another in a circle."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from feedback import changes
from feedback.changes import Change, ChangeKind, Origin
from feedback.models import Comment, Feedback
from feedback.models import Tester as Person
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 8


def a_macro(pks: list[int], number: int) -> None:
    status = "Closed" if number % 2 else "New"
    asked = [(pk, Change(ChangeKind.SCORE, 1)) for pk in reversed(pks)]
    asked += [(pk, Change(ChangeKind.STATUS, status)) for pk in pks]
    changes.apply(asked, Origin("Score", 1))


def a_form(pks: list[int], number: int) -> None:
    ticket = Feedback.objects.get(pk=pks[number % len(pks)])
    with changes.unit():
        ticket.title = f"Edit {number}"
        ticket.save(update_fields=["title"])
        Comment.objects.create(feedback=ticket, text=f"Comment {number}")


def an_edit_of_many(pks: list[int], number: int) -> None:
    visibility = "private" if number % 2 else "public"
    changes.set_many(Feedback.objects.order_by("-pk"), visibility=visibility)


def a_form_of_a_tester(pks: list[int], number: int) -> None:
    for tester in Person.objects.order_by("-pk"):
        tester.company = f"Company {number}"
        tester.save(update_fields=["company"])


WRITERS = [a_macro, a_form, an_edit_of_many, a_form_of_a_tester, a_macro]


def test_writers_of_the_same_rows_end_and_lose_nothing() -> None:
    bugs = factories.feedback_type()
    testers = [factories.tester(bugs) for _ in range(3)]
    pks = [factories.ticket(bugs, submitter=each).pk for each in testers]
    failures: list[BaseException] = []
    all_there = threading.Barrier(len(WRITERS), timeout=30)

    def run(write: Callable[[list[int], int], None]) -> None:
        try:
            all_there.wait()
            for number in range(ROUNDS):
                write(pks, number)
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(write,)) for write in WRITERS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    scores = Person.objects.values_list("score", flat=True)
    assert list(scores) == [2 * ROUNDS] * 3
    assert Comment.objects.count() == ROUNDS
