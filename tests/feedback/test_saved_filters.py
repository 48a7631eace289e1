"""Saved filters: read, refused, compiled, and what they say of a row."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from feedback.models import Feedback, FeedbackType
from feedback.selection.saved import catalogue_for, compiled, failures, rows_of
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


def condition(field: str, qualifier: str, value: Any = None) -> dict[str, Any]:
    rest = {} if value is None else {"value": value}
    return {"field": field, "qualifier": qualifier, **rest}


def titles(of: FeedbackType, *conditions: dict[str, Any], match: str = "all") -> str:
    saved = factories.saved_filter(of, *conditions, match=match)
    saved.full_clean()
    return "".join(sorted(row.title for row in rows_of(saved)))


def test_a_filter_selects_by_status_answers_and_external_data(
    bugs: FeedbackType,
) -> None:
    new, closed = bugs.statuses.all()
    factories.ticket(bugs, title="A", form_values={"severity": "Critical"})
    factories.ticket(bugs, title="B", status=closed, external_data={"jira": "N-1"})
    assert titles(bugs) == "AB"
    assert titles(bugs, condition("status", "is", closed.pk)) == "B"
    assert titles(bugs, condition("status", "is_not", closed.pk)) == "A"
    assert titles(bugs, condition("status", "is_one_of", [new.pk, closed.pk])) == "AB"
    assert titles(bugs, condition("open", "no")) == "B"
    assert titles(bugs, condition("field_severity", "is_not", "Critical")) == "B"
    assert titles(bugs, condition("external_jira", "is_empty")) == "A"
    either = [condition("open", "no"), condition("field_severity", "is", "critical")]
    assert titles(bugs, *either, match="any") == "AB"
    nested = {"match": "any", "conditions": either}
    assert titles(bugs, nested, condition("title", "is", "a")) == "A"


def test_a_condition_that_lost_its_part_makes_the_whole_match_nothing(
    bugs: FeedbackType,
) -> None:
    gone = bugs.statuses.create(name="Gone", position=9)
    factories.ticket(bugs)
    for qualifier in ("is", "is_not"):
        lost = condition("status", qualifier, gone.pk)
        saved = factories.saved_filter(
            bugs, condition("open", "yes"), lost, match="any"
        )
        assert rows_of(saved).count() == 1
        gone.delete()
        selected = compiled(saved)
        assert not Feedback.objects.filter(selected.q).exists()
        assert [str(problem) for problem in selected.problems] == [
            f"conditions[1].value: Status: There is no status of number {lost['value']}"
            " here."
        ]
        with pytest.raises(ValidationError, match="There is no status"):
            saved.full_clean()
        gone = bugs.statuses.create(pk=lost["value"], name="Gone", position=9)


def test_a_row_that_does_not_match_says_what_failed_first(bugs: FeedbackType) -> None:
    closed = bugs.statuses.get(name="Closed")
    ticket = factories.ticket(bugs)
    other = factories.ticket(bugs, status=closed)
    saved = factories.saved_filter(bugs, condition("status", "is", closed.pk))
    assert failures(saved, [ticket.pk, other.pk]) == {
        ticket.pk: "Status is New, needs: is Closed"
    }


def test_the_catalogue_says_what_can_be_compared_and_how(bugs: FeedbackType) -> None:
    fields = catalogue_for(bugs, "feedback").fields
    severity = fields["field_severity"]
    assert severity.label == "Severity" and severity.kind.name == "choice"
    assert [value for value, _ in severity.offered] == ["Minor", "Major", "Critical"]
    assert "is_not_empty" in severity.qualifiers
