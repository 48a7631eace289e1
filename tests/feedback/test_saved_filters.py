"""Saved filters: read, refused, compiled, and what they say of a row."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

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


def test_a_reason_names_what_is_there_and_what_is_asked(bugs: FeedbackType) -> None:
    ticket = factories.ticket(
        bugs,
        form_values={"impact": 7, "platform": ["iOS", "Grün"]},
        created_at="2026-11-23T12:00:00Z",
    )
    reasons = {
        "Title is It breaks, needs: contains Crash": condition(
            "title", "contains", "Crash"
        ),
        "Open is yes, needs: is no": condition("open", "no"),
        "Severity is empty, needs: is Critical": condition(
            "field_severity", "is", "Critical"
        ),
        "Platform is iOS, Grün, needs: contains Android": condition(
            "field_platform", "contains", "Android"
        ),
        "Impact is 7, needs: is between 1 and 6.5": condition(
            "field_impact", "between", [1, 6.5]
        ),
        "Reproducible is no, needs: is yes": condition("field_reproducible", "yes"),
        "jira is empty, needs: is one of A, B": condition(
            "external_jira", "is_one_of", ["A", "B"]
        ),
        "Created is 2026-11-23 12:00 UTC, needs: is before 2026-11-23": condition(
            "created", "before", "2026-11-23"
        ),
        "Comments is 0, needs: is greater than 2": condition("comments", "greater", 2),
        "Submitter: e-mail is empty, needs: is ada@example.com": condition(
            "submitter_email", "is", "ada@example.com"
        ),
        "Search needs: contains crash": condition("search", "contains", "crash"),
    }
    for reason, failing in reasons.items():
        saved = factories.saved_filter(bugs, condition("open", "yes"), failing)
        assert failures(saved, [ticket.pk]) == {ticket.pk: reason}
    either = [condition("open", "no"), condition("title", "is", "x")]
    saved = factories.saved_filter(bugs, {"match": "any", "conditions": either})
    assert failures(saved, [ticket.pk]) == {
        ticket.pk: "None of these: Open is yes, needs: is no;"
        " Title is It breaks, needs: is x"
    }
    elsewhere = factories.ticket(factories.feedback_type("Idea", "IDEA"))
    assert failures(saved, [elsewhere.pk, 10**9]) == {
        elsewhere.pk: f"It is not among the tickets of {bugs}.",
        10**9: f"It is not among the tickets of {bugs}.",
    }


def test_a_filter_of_a_project_or_community_selects_its_testers(
    bugs: FeedbackType,
) -> None:
    ada, bob = (factories.tester(bugs, f"{name}@b.example") for name in ("ada", "bob"))
    factories.tickets(bugs, 2, submitter=ada)
    factories.ticket(bugs)  # Submitted by nobody.
    gone = factories.tester(bugs)
    gone.erased_at = timezone.now()
    gone.save()
    project, community = bugs.project, bugs.project.community
    for given, expected in (
        (condition("email_domain", "is", "B.example"), {ada, bob}),
        (condition("tickets", "at_least", 2), {ada}),
        (condition("tickets", "less", 2), {bob}),
        (condition("project", "is", project.pk), {ada}),
        (condition("project", "is_not", project.pk), {bob}),
        (condition("community", "is", community.pk), {ada, bob}),
        (condition("erased", "no"), {ada, bob}),
        (condition("search", "does_not_contain", "ada"), {bob}),
    ):
        of_all = factories.saved_filter(community, given)
        of_all.full_clean()
        assert set(rows_of(of_all)) == expected, given
        in_project = factories.saved_filter(project, given)
        in_project.full_clean()
        assert set(rows_of(in_project)) == expected & {ada}, given


def test_statuses_of_several_types_are_offered_with_their_type(
    bugs: FeedbackType,
) -> None:
    def labels(of: Any) -> list[str]:
        status = catalogue_for(of, "feedback").fields["status"]
        return [label for _, label in status.offered]

    assert labels(bugs) == ["New", "Closed"]
    assert labels(bugs.project) == ["Bug Report: New", "Bug Report: Closed"]


def test_a_projects_time_zone_is_one_that_there_is(bugs: FeedbackType) -> None:
    project = bugs.project
    project.time_zone = "Europe/Berlin"
    project.full_clean()
    assert str(catalogue_for(bugs, "feedback").zone) == "Europe/Berlin"
    for nonsense in ("Europe/Berlim", "", "../etc/passwd", "a\0b", "UTC " * 9):
        project.time_zone = nonsense
        with pytest.raises(ValidationError):
            project.full_clean()


def test_postgresql_does_not_compile_queries() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SHOW jit" if connection.vendor == "postgresql" else "SELECT 'off'"
        )
        assert cursor.fetchone() == ("off",)


def test_the_catalogue_says_what_can_be_compared_and_how(bugs: FeedbackType) -> None:
    fields = catalogue_for(bugs, "feedback").fields
    severity = fields["field_severity"]
    assert severity.label == "Severity" and severity.kind.name == "choice"
    assert [value for value, _ in severity.offered] == ["Minor", "Major", "Critical"]
    assert "is_not_empty" in severity.qualifiers
