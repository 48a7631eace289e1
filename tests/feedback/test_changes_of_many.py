"""Many rows at once: a few statements, one announcement, an audit entry for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from feedback import changes
from feedback.changes import Changed, Origin
from feedback.models import Feedback, FeedbackType
from feedback.models import Tester as Person
from logs.models import AuditEntry
from logs.redaction import HIDDEN
from tests import factories
from tests.listeners import Heard, heard

__all__ = ["heard"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


SPLIT = 'INSERT INTO "logs_auditentry"'
BULKS: list[dict[str, Any]] = [{"visibility": "private"}, {"answers": {"impact": 2}}]


def statements(act: Callable[[], object]) -> int:
    """Without those that SQLite has to split."""
    with CaptureQueriesContext(connection) as seen:
        act()
    shapes = [each["sql"] for each in seen.captured_queries]
    return len([sql for sql in shapes if not sql.startswith(SPLIT)])


@pytest.mark.parametrize("given", BULKS)
def test_many_cost_as_many_statements_as_few(
    bugs: FeedbackType, given: dict[str, Any]
) -> None:
    def act() -> int:
        return changes.set_many(Feedback.objects.all(), **given)

    factories.tickets(bugs, 2)
    few = statements(act)
    factories.tickets(bugs, 300)
    assert statements(act) == few
    assert AuditEntry.objects.filter(action="changed").count() == 302


def test_only_those_that_differ_are_written_and_announced(
    bugs: FeedbackType, heard: Heard
) -> None:
    new, closed = bugs.statuses.order_by("position")
    opened = factories.ticket(bugs, status=new)
    was_closed = factories.ticket(bugs, status=closed)
    before = Feedback.objects.get(pk=was_closed.pk).modified_at
    heard.clear()

    assert changes.set_many(Feedback.objects.all(), status=closed) == 1

    expected = Changed(
        opened.pk,
        False,
        {"status": "New", "status_id": new.pk},
        {"status": "Closed", "status_id": closed.pk},
    )
    assert heard.changes == [("Feedback", expected)]
    assert heard.changing == [("Feedback", [opened.pk])]
    assert Feedback.objects.get(pk=was_closed.pk).modified_at == before
    assert Feedback.objects.get(pk=opened.pk).modified_at > opened.modified_at
    entry = AuditEntry.objects.get()
    assert (entry.object_name, entry.changes) == (
        opened.reference,
        {"status": ["New", "Closed"]},
    )
    assert entry.community == bugs.project.community


def test_the_audit_log_repeats_nothing_personal(bugs: FeedbackType) -> None:
    submitter = factories.tester(bugs, "zoe@example.com")
    factories.ticket(bugs, form_values={"severity": "Minor"})
    rows = Feedback.objects.all()
    answers = {"severity": None, "impact": 3}
    changes.set_many(rows, answers=answers, submitter=submitter, title="Zoe's")
    changes.set_many(Person.objects.all(), company="Zoe Ltd")
    assert Feedback.objects.get().form_values == {"impact": 3}
    assert [each.changes for each in AuditEntry.objects.order_by("pk")] == [
        {
            "form_values": [HIDDEN, HIDDEN],
            "submitter": ["", HIDDEN],
            "title": [HIDDEN, HIDDEN],
        },
        {"company": ["", HIDDEN]},
    ]


def test_what_a_macro_sets_is_in_the_log_of_its_run_only(
    bugs: FeedbackType, heard: Heard
) -> None:
    factories.ticket(bugs)
    origin = Origin("Close", 5)
    changes.set_many(Feedback.objects.all(), origin=origin, visibility="private")
    assert heard.origins[-1] == origin
    assert not AuditEntry.objects.exists()


def test_an_expression_is_refused_since_it_cannot_be_compared(
    bugs: FeedbackType,
) -> None:
    with pytest.raises(TypeError, match="Give the value itself"):
        Person.objects.update(score=F("score") + 1)
