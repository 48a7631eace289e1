"""What a list is narrowed to, as a saved filter: it selects the same rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone

from feedback.models import (
    Community,
    Feedback,
    FeedbackType,
    Filter,
    FormField,
    Project,
    SubjectKind,
    Tester,
)
from feedback.selection.saved import check, rows_of
from feedback.selection.testers import TesterFilterSet as PeopleFilterSet
from feedback.selection.tickets import FeedbackFilterSet
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def bugs() -> FeedbackType:
    made = factories.feedback_type()
    ada = factories.tester(made, "ada@example.com")
    closed = made.statuses.get(name="Closed")
    factories.ticket(
        made,
        title="A crash",
        submitter=ada,
        status=closed,
        visibility="private",
        form_values={"severity": "Critical", "platform": ["iOS"], "reproducible": True},
        external_data={"score": 3, "Jira key": "NW-1"},
        created_at=datetime(2026, 1, 2, 12, tzinfo=UTC),
    )
    factories.ticket(made, title="B")
    return made


def data_of(query: dict[str, Any]) -> QueryDict:
    data = QueryDict(mutable=True)
    for name, value in query.items():
        several = value if isinstance(value, list) else [value]
        data.setlist(name, [str(each) for each in several])
    return data


def over_tickets(query: dict[str, Any]) -> FeedbackFilterSet:
    types = FeedbackType.objects.all()
    return FeedbackFilterSet(data_of(query), Feedback.objects.all(), types=types)


def over_testers(query: dict[str, Any]) -> PeopleFilterSet:
    return PeopleFilterSet(
        data_of(query),
        Tester.objects.all(),
        communities=Community.objects.all(),
        projects=Project.objects.all(),
    )


GIVEN: list[tuple[dict[str, Any], Any]] = [
    ({"open": "false"}, [("open", "no", None)]),
    ({"visibility": "private"}, [("visibility", "is", "private")]),
    (
        {"submitter": " ada  tester "},
        [("submitter", "contains", "ada"), ("submitter", "contains", "tester")],
    ),
    (
        {"submitter_email": "ADA@example.com"},
        [("submitter_email", "is", "ADA@example.com")],
    ),
    ({"reference": "bug-1"}, [("reference", "is", "bug-1")]),
    (
        {"search": "crash bug"},
        [("search", "contains", "crash"), ("search", "contains", "bug")],
    ),
    (
        {"created_before": "2026-01-03"},
        [("created", "before", "2026-01-03T00:00:00+01:00")],
    ),
    (
        {"modified_after": "2026-01-02T00:00:00Z"},
        [("modified", "after", "2026-01-02T00:00:00+00:00")],
    ),
    ({"field_severity": "critical"}, [("field_severity", "is", "Critical")]),
    ({"field_SEVERITY": "Critical"}, [("field_severity", "is", "Critical")]),
    ({"field_platform": "iOS"}, [("field_platform", "contains", "iOS")]),
    ({"field_reproducible": "true"}, [("field_reproducible", "yes", None)]),
    ({"field_reproducible": "false"}, [("field_reproducible", "no", None)]),
    ({"external_score": "3.0"}, [("external_score", "is", "3.0")]),
    ({"external_Jira key": "NW-1"}, [("external_Jira key", "is", "NW-1")]),
    ({"has_external_score": "true"}, [("external_score", "is_not_empty", None)]),
    ({"has_external_score": "false"}, [("external_score", "is_empty", None)]),
    ({}, []),
]


def as_saved(parts: list[tuple[str, str, Any]]) -> dict[str, Any]:
    every = []
    for field, qualifier, value in parts:
        plain: dict[str, Any] = {"field": field, "qualifier": qualifier}
        every.append(plain if value is None else plain | {"value": value})
    return {"match": "all", "conditions": every}


@pytest.mark.parametrize(("query", "parts"), GIVEN, ids=lambda each: str(each)[:40])
def test_each_parameter_means_conditions_that_select_the_same(
    bugs: FeedbackType, query: dict[str, Any], parts: list[tuple[str, str, Any]]
) -> None:
    with timezone.override(ZoneInfo("Europe/Berlin")):
        listed = over_tickets(query)
        assert listed.as_conditions() == as_saved(parts)
        expected = set(listed.qs)
    saved = Filter(feedback_type=bugs, conditions=listed.as_conditions())
    check(saved)
    assert set(rows_of(saved)) == expected
    assert query == {} or len(expected) < 2 or "modified_after" in query


def test_rows_that_are_named_are_kept_by_their_key(bugs: FeedbackType) -> None:
    new, closed = bugs.statuses.all()
    one = over_tickets({"status": "closed", "type": bugs.name})
    assert one.as_conditions() == as_saved(
        [("status", "is", closed.pk), ("type", "is", bugs.pk)]
    )
    several = over_tickets({"status": [str(closed.pk), "New"]})
    keys = sorted([new.pk, closed.pk])
    kept = several.as_conditions()
    assert kept == as_saved([("status", "is_one_of", keys)])
    new.name = "Fresh"
    new.save()
    saved = Filter(feedback_type=bugs, conditions=kept)
    assert rows_of(saved).count() == 2


def test_a_key_that_types_ask_differently_is_any_of_their_conditions(
    bugs: FeedbackType,
) -> None:
    ideas = FeedbackType.objects.create(project=bugs.project, name="Idea", prefix="I")
    FormField.objects.create(
        feedback_type=ideas,
        label="Severity",
        kind="multiple_choice",
        choices="Critical\nHuge",
    )
    factories.ticket(ideas, form_values={"severity": ["Huge", "Critical"]})
    listed = over_tickets({"field_severity": "Critical"})
    parts = [("field_severity", "is", "Critical")]
    parts.append(("field_severity", "contains", "Critical"))
    group = as_saved(parts) | {"match": "any"}
    assert listed.as_conditions() == {"match": "all", "conditions": [group]}
    saved = Filter(project=bugs.project, conditions=listed.as_conditions())
    check(saved)
    assert set(rows_of(saved)) == set(listed.qs) and len(set(listed.qs)) == 2


def test_each_parameter_of_testers_means_conditions_too(bugs: FeedbackType) -> None:
    project = bugs.project
    query = {
        **{"community": project.community.name, "email": "ada@EXAMPLE.com"},
        **{"project": project.pk, "search": "ada tara", "score_at_least": "-1"},
        **{"erased": "false", "created_after": "2020-01-01", "external_x": "1"},
    }
    listed = over_testers(query)
    parts = [
        ("community", "is", project.community_id),
        ("email", "is", "ada@EXAMPLE.com"),
        ("project", "is", project.pk),
        ("search", "contains", "ada"),
        ("search", "contains", "tara"),
        ("score", "at_least", -1),
        ("erased", "no", None),
        ("created", "after", "2020-01-01T00:00:00+00:00"),
        ("external_x", "is", "1"),
    ]
    assert listed.as_conditions() == as_saved(parts)
    Tester.objects.update(external_data={"x": 1})
    saved = Filter(
        community=project.community,
        subject_kind=SubjectKind.TESTER,
        conditions=listed.as_conditions(),
    )
    check(saved)
    assert rows_of(saved).get().email == "ada@example.com"
    Tester.objects.update(erased_at=timezone.now())
    assert not rows_of(saved).exists()


def test_what_the_list_refuses_is_no_filter(bugs: FeedbackType) -> None:
    for query in ({"opne": "true"}, {"status": "Nwe"}, {"open": ["true", "true"]}):
        with pytest.raises(ValidationError):
            over_tickets(query).as_conditions()
