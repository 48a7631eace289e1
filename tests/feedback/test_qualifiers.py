"""Each qualifier of each kind of field: what it selects, on every database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from feedback.models import Comment, Feedback, FeedbackType, Filter, Project, Tester
from feedback.selection.qualifiers import POSITIVES, Qualifier, Shape
from feedback.selection.saved import catalogue_for, check, rows_of
from tests import factories

pytestmark = pytest.mark.django_db
# Half past midnight of the 24th in Berlin.
NOW = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
# The tickets by title, and what is in them. Z has nothing.
TICKETS: dict[str, dict[str, Any]] = {
    "A": {
        "form_values": {
            **{"severity": "Critical", "platform": ["iOS", "Grün"], "impact": 7},
            **{"reproducible": True, "found_on": "2026-11-24", "app_version": "İx"},
        },
        "external_data": {"x": 3, "flag": True},
        "created_at": datetime(2026, 11, 23, 23, 0, tzinfo=UTC),
        "description": "Straße 100%",
    },
    "B": {
        "form_values": {
            **{"severity": "Minor", "platform": ["Android"], "impact": 2.5},
            **{"reproducible": False, "found_on": "2026-11-17", "app_version": "ıx"},
        },
        "external_data": {"x": "3", "flag": "true"},
        "created_at": datetime(2026, 11, 23, 22, 59, tzinfo=UTC),
        "description": "STRASSE",
    },
    "C": {  # As questions of other kinds left it.
        "form_values": {
            **{"severity": 3, "platform": "iOS", "impact": "7"},
            **{"reproducible": "true", "found_on": 20261124, "app_version": ["x"]},
        },
        "external_data": {"x": ["3"], "flag": 1},
        "created_at": datetime(2026, 10, 1, tzinfo=UTC),
        "visibility": "private",
    },
    "Z": {"created_at": datetime(2026, 11, 24, 12, tzinfo=UTC)},
}

ROWS: list[tuple[str, str, Any, str]] = [
    # Texts are compared as people do, and wildcards stand for themselves.
    ("description", "is", "strasse 100%", "A"),
    ("description", "is_not", "strasse 100%", "BCZ"),
    ("description", "is_one_of", ["strasse", "x"], "B"),
    ("description", "contains", "SSE", "AB"),
    ("description", "contains", "%", "A"),
    ("description", "does_not_contain", "sse", "CZ"),
    ("description", "starts_with", "straß", "AB"),
    ("description", "ends_with", "e", "B"),
    ("description", "is_empty", None, "CZ"),
    ("description", "is_not_empty", None, "AB"),
    ("field_app_version", "is", "ıX", "B"),
    ("field_app_version", "is_not", "ix", "ABCZ"),
    ("field_app_version", "contains", "x", "AB"),
    ("field_app_version", "is_empty", None, "CZ"),
    ("search", "contains", "straße", "AB"),
    ("search", "does_not_contain", "straße", "CZ"),
    # A missing value is not "Critical".
    ("field_severity", "is", "critical", "A"),
    ("field_severity", "is_not", "Critical", "BCZ"),
    ("field_severity", "is_one_of", ["Critical", "Minor"], "AB"),
    ("field_severity", "is_empty", None, "CZ"),
    ("field_severity", "is_not_empty", None, "AB"),
    ("visibility", "is", "private", "C"),
    ("visibility", "is_not", "private", "ABZ"),
    ("field_platform", "contains", "grün", "A"),
    ("field_platform", "does_not_contain", "Grün", "BCZ"),
    ("field_platform", "is_one_of", ["iOS", "Android"], "AB"),
    ("field_platform", "is_empty", None, "CZ"),
    ("field_platform", "is_not_empty", None, "AB"),
    # Numbers with numbers, and a text that is a number with none.
    ("field_impact", "is", 7, "A"),
    ("field_impact", "is", "7.0", "A"),
    ("field_impact", "is_not", 7, "BCZ"),
    ("field_impact", "is_one_of", [7, "2.5"], "AB"),
    ("field_impact", "greater", 2.5, "A"),
    ("field_impact", "less", 7, "B"),
    ("field_impact", "at_least", "2.5", "AB"),
    ("field_impact", "at_most", 7, "AB"),
    ("field_impact", "between", [2.5, 6], "B"),
    ("field_impact", "is_empty", None, "CZ"),
    ("field_impact", "is_not_empty", None, "AB"),
    ("comments", "is", 0, "BCZ"),
    ("comments", "greater", 1, "A"),
    ("comments", "between", [1, 2], "A"),
    ("submitter_score", "less", 5, "B"),
    ("submitter_score", "is_not", 9, "BCZ"),
    ("submitter_score", "is_empty", None, "CZ"),
    ("submitter_email_domain", "is", "B.example", "A"),
    ("submitter_email_domain", "is_empty", None, "CZ"),
    ("submitter", "contains", "ADA", "A"),
    ("submitter", "does_not_contain", "ada", "BCZ"),
    # Nobody ticked it: no.
    ("field_reproducible", "yes", None, "A"),
    ("field_reproducible", "no", None, "BCZ"),
    ("open", "yes", None, "AB"),
    ("open", "no", None, "CZ"),
    # Days are the project's: the 24th began at 23:00 UTC.
    ("created", "after", "2026-11-24", "AZ"),
    ("created", "before", "2026-11-24", "BC"),
    ("created", "after", "2026-11-23T22:59:00Z", "ABZ"),
    ("created", "between", ["2026-11-23", "2026-11-23"], "B"),
    ("created", "between", ["2026-11-23", "2026-11-23T23:00:00Z"], "AB"),
    ("created", "in_last", "1 hour", "AB"),
    ("created", "in_last", "7 days", "AB"),
    ("created", "more_than_ago", "30 days", "C"),
    ("created", "today", None, "AZ"),
    ("field_found_on", "is", "2026-11-24", "A"),
    ("field_found_on", "is_not", "2026-11-24", "BCZ"),
    ("field_found_on", "after", "2026-11-17", "AB"),
    ("field_found_on", "before", "2026-11-24", "B"),
    ("field_found_on", "between", ["2026-11-17", "2026-11-17"], "B"),
    ("field_found_on", "in_last", "7 days", "A"),
    ("field_found_on", "in_last", "8 days", "AB"),
    ("field_found_on", "in_last", "7 hours", "!"),
    ("field_found_on", "more_than_ago", "6 days", "B"),
    ("field_found_on", "today", None, "A"),
    ("field_found_on", "is_empty", None, "CZ"),
    ("field_found_on", "is_not_empty", None, "AB"),
    # External data has the type of what is stored.
    ("external_x", "is", 3, "AB"),
    ("external_x", "is", "3.0", "A"),
    ("external_x", "is_not", "3", "CZ"),
    ("external_x", "is_one_of", ["3.0", "x"], "A"),
    ("external_x", "contains", "3", "B"),
    ("external_x", "does_not_contain", "3", "ACZ"),
    ("external_x", "starts_with", "3", "B"),
    ("external_x", "ends_with", "3", "B"),
    ("external_x", "greater", 2, "A"),
    ("external_x", "less", 4, "A"),
    ("external_x", "at_least", 3, "A"),
    ("external_x", "at_most", 3, "A"),
    ("external_x", "between", [1, 5], "A"),
    ("external_x", "is_empty", None, "Z"),
    ("external_x", "is_not_empty", None, "ABC"),
    ("external_flag", "yes", None, "AB"),
    ("external_flag", "no", None, "CZ"),
    ("status", "is_empty", None, "Z"),
    ("status", "is_not_empty", None, "ABC"),
]


def stored() -> FeedbackType:
    made = factories.feedback_type()
    Project.objects.filter(pk=made.project_id).update(time_zone="Europe/Berlin")
    made = FeedbackType.objects.get(pk=made.pk)
    new, closed = made.statuses.all()
    ada = factories.tester(made, '"x@y"@b.EXAMPLE')
    Tester.objects.filter(pk=ada.pk).update(score=9, first_name="Ada")
    submitters = {"A": ada, "B": factories.tester(made, "bob@c.example")}
    for title, values in TICKETS.items():
        ticket = factories.ticket(
            made,
            title=title,
            status=closed if title == "C" else new,
            submitter=submitters.get(title),
            **values,
        )
        if title == "A":
            Comment.objects.bulk_create(
                Comment(feedback=ticket, text="x") for _ in range(2)
            )
    Feedback.objects.filter(title="Z", feedback_type=made).update(status=None)
    return made


def filtering(of: FeedbackType, field: str, qualifier: str, value: Any) -> Filter:
    given = {"field": field, "qualifier": qualifier, "value": value}
    return Filter(feedback_type=of, conditions={"conditions": [given]})


def titles(saved: Filter) -> set[str]:
    return set(rows_of(saved, now=NOW).values_list("title", flat=True))


def test_each_qualifier_selects_what_it_says() -> None:
    bugs = stored()
    for field, qualifier, value, expected in ROWS:
        saved = filtering(bugs, field, qualifier, value)
        if expected == "!":
            with pytest.raises(ValidationError, match="Give days"):
                check(saved)
            continue
        check(saved)
        assert titles(saved) == set(expected), (field, qualifier, value)


def test_each_negative_selects_the_rows_that_its_positive_does_not() -> None:
    bugs = stored()
    given = {(field, qualifier): value for field, qualifier, value, _ in ROWS}
    catalogue = catalogue_for(bugs, "feedback")
    for name in [*catalogue.fields, "external_x"]:
        field: Any = catalogue.find(name)
        for negative, positive in POSITIVES.items():
            if negative not in field.qualifiers:
                continue
            value = given.get((name, positive), _any_value(field, positive))
            without = titles(filtering(bugs, name, negative, value))
            with_it = titles(filtering(bugs, name, positive, value))
            assert without == {"A", "B", "C", "Z"} - with_it, (name, negative)


def _any_value(field: Any, qualifier: Qualifier) -> Any:
    if qualifier.shape == Shape.NOTHING:
        return None
    return field.offered[0][0] if field.offered else "1"


def test_every_kind_and_qualifier_has_its_row() -> None:
    bugs = factories.feedback_type()
    catalogue = catalogue_for(bugs, "feedback")
    there = {(field, qualifier) for field, qualifier, _, _ in ROWS}
    kinds = {
        (known.kind.name, qualifier)
        for field, qualifier in there
        if (known := catalogue.find(field)) is not None
    }
    known_fields = [*catalogue.fields.values(), catalogue.find("external_x")]
    wanted = {
        (field.kind.name, str(qualifier))
        for field in known_fields
        if field is not None
        for qualifier in field.qualifiers
    }
    by_key = {("row", each) for each in ("is", "is_not", "is_one_of")}
    assert wanted - kinds == by_key  # In test_saved_filters.
