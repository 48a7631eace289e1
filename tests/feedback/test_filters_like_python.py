"""Whatever the tickets and the filter, the database selects what Python does."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from feedback.models import Comment, Feedback, FeedbackType, FormField, Tester
from feedback.selection.saved import (
    catalogue_for,
    compiled,
    failures,
    parsed,
    rows_of,
)
from tests import factories

from .plain_reading import meets

NOW = datetime(2026, 3, 29, 12, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
# Letters that databases have their own mind about, wildcards and quotes.
words = st.text("aAiIıİßẞſsé%_\\'\"*[\u0301", min_size=1, max_size=3)
whole = st.integers(-3, 3) | st.sampled_from([2**53, -(2**53), 2**31])
decimals = st.integers(-30, 30).map(lambda n: Decimal(n) / 10) | st.sampled_from(
    [Decimal("0.1"), Decimal("-2.25"), Decimal("1000000.000001")]
)
small = st.integers(-3, 3)
numbers = whole | decimals
days = st.sampled_from(
    ["2026-03-01", "2026-03-22", "2026-03-23", "2026-03-28", "2026-03-29", "2026-03-30"]
)
moments = st.timedeltas(timedelta(-9), timedelta(2)).map(
    lambda each: NOW + timedelta(minutes=each // timedelta(minutes=15) * 15)
)
alike = st.sampled_from(
    ["true", "false", "null", "1", "1.0", "0", "[]", "{}", "1e0", "-0", "2026-03-29"]
)
odd = st.none() | st.booleans() | numbers | words | alike | st.just("")
stored = odd | st.lists(odd, max_size=2) | st.dictionaries(words, odd, max_size=1)
CHOICES = ["Minor", "Major", "Critical"]
PLATFORMS = ["Android", "iOS", "Grün"]


def answers() -> st.SearchStrategy[dict[str, Any]]:
    """Mostly what the question takes, and sometimes what it took once."""
    fitting: dict[str, st.SearchStrategy[Any]] = {
        "severity": st.sampled_from([*CHOICES, "Huge"]),
        "platform": st.lists(st.sampled_from(PLATFORMS), unique=True),
        "reproducible": st.booleans(),
        "impact": numbers,
        "found_on": days,
        "app_version": words,
        "steps": words,
    }
    return st.fixed_dictionaries(
        {}, optional={key: each | each | stored for key, each in fitting.items()}
    )


tickets = st.fixed_dictionaries(
    {
        "title": words,
        "description": words | st.just(""),
        "visibility": st.sampled_from(["public", "private"]),
        "form_values": answers(),
        "external_data": st.dictionaries(st.just("x"), stored),
        "created_at": moments,
        "status": st.integers(0, 2),
        "submitter": st.integers(0, 3),
        "comments": st.integers(0, 2),
        "type": st.booleans(),
    }
)


def values_for(
    kind: str, qualifier: str, offered: list[str], own: bool
) -> st.SearchStrategy[Any]:
    if qualifier in ("in_last", "more_than_ago"):
        spans = ["1 days", "7 days", "30 days"]
        hours = ["1 hours", "36 hours"] if kind == "moment" else []
        return st.sampled_from([*spans, *hours])
    by_kind: dict[str, st.SearchStrategy[Any]] = {
        "text": words,
        "search": words,
        "number": small if own else numbers,
        "moment": days | moments.map(datetime.isoformat),
        "date": days,
        "external": words | alike | numbers.map(str),
    }
    one = by_kind[kind] if kind in by_kind else st.sampled_from(offered)
    if kind == "external" and qualifier in ("greater", "less", "at_least", "at_most"):
        one = numbers.map(str)
    if qualifier == "is_one_of":
        return st.lists(one, min_size=1, max_size=3)
    if qualifier == "between":
        if kind == "external" or kind == "number":
            one = small
        pair = st.tuples(one, one)
        return pair.map(lambda two: sorted(two, key=str if kind != "number" else None))
    return one


def conditions(catalogue: Any) -> st.SearchStrategy[dict[str, Any]]:
    fields = [each for each in catalogue.fields.values() if each.name in COMPARED]
    fields.append(catalogue.find("external_x"))

    @st.composite
    def one(draw: Any) -> dict[str, Any]:
        field = draw(st.sampled_from(fields))
        qualifier = draw(st.sampled_from(field.qualifiers))
        given: dict[str, Any] = {"field": field.name, "qualifier": str(qualifier)}
        if qualifier.shape.value != "nothing":
            offered = [value for value, _ in field.offered]
            kind = field.kind.name
            if kind == "row":
                offered = [int(value) for value in offered]
            given["value"] = draw(
                values_for(
                    kind, str(qualifier), offered, not field.name.startswith("field_")
                )
            )
        return given

    group = st.builds(
        lambda match, parts: {"match": match, "conditions": parts},
        st.sampled_from(["all", "any"]),
        st.lists(one(), min_size=1, max_size=3),
    )
    return st.builds(
        lambda match, parts: {"match": match, "conditions": parts},
        st.sampled_from(["all", "any"]),
        st.lists(one() | one() | group, max_size=3),
    )


# Ranges from high to low, and a choice of one type by a qualifier of another.
REFUSED = re.compile("greater than the second|Severity: Give one of")
COMPARED = {
    *("status", "type", "open", "title", "description", "number", "comments"),
    *("visibility", "created", "submitter", "submitter_email", "submitter_score"),
    *("submitter_email_domain", "submitter_company", "field_severity"),
    *("field_platform", "field_reproducible", "field_impact", "field_found_on"),
    *("field_app_version", "field_steps"),
}
PEOPLE = [
    {"email": "ada@b.example", "score": 3, "company": "Iſs"},
    {"email": '"a@b"@EXAMPLE.com', "score": -1, "first_name": "İa"},
]


class Ground:
    """A project of two types, one key of which is asked as two kinds."""

    def __init__(self) -> None:
        self.bugs = factories.feedback_type()
        self.ideas = FeedbackType.objects.create(
            project=self.bugs.project, name="Idea", prefix="IDEA"
        )
        FormField.objects.create(
            feedback_type=self.ideas,
            label="Severity",
            kind="multiple_choice",
            choices="Major\nHuge",
        )
        FormField.objects.create(feedback_type=self.ideas, label="Steps", kind="text")
        self.bugs.project.time_zone = BERLIN.key
        community = self.bugs.project.community
        self.people = [
            Tester.objects.create(community=community, **each) for each in PEOPLE
        ]

    def store(self, given: list[dict[str, Any]]) -> None:
        Feedback.objects.all().delete()
        statuses = [None, *self.bugs.statuses.all()]
        people = [None, *self.people, None]
        for number, values in enumerate(given, 1):
            own = dict(values)
            of = self.bugs if own.pop("type") else self.ideas
            comments, status = own.pop("comments"), own.pop("status")
            ticket = Feedback(
                **own | {"submitter": people[own["submitter"]]},
                feedback_type=of,
                number=number,
                status=statuses[status] if of == self.bugs else None,
            )
            Feedback.objects.bulk_create([ticket])
            Comment.objects.bulk_create(
                Comment(feedback=ticket, text="x") for _ in range(comments)
            )


@pytest.fixture
def ground(db: None) -> Ground:
    return Ground()


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.sweep) for seed in range(1, 4))]
)
@settings(
    max_examples=30,
    derandomize=True,
    # Making a failure smaller takes minutes, and its filter is small as it is.
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data(), given_tickets=st.lists(tickets, min_size=1, max_size=5))
def test_the_database_selects_what_python_does(
    ground: Ground,
    seed: int,
    data: st.DataObject,
    given_tickets: list[dict[str, Any]],
) -> None:
    ground.store(given_tickets)
    rows = list(Feedback.objects.select_related("status", "submitter"))
    project = ground.bugs.project
    owner = project if seed % 2 else ground.bugs
    catalogue = catalogue_for(owner, "feedback")
    for _ in range(6):
        saved = factories.saved_filter(owner, subject_kind="feedback", name="")
        saved.conditions = data.draw(conditions(catalogue))
        kept, problems = parsed(saved.conditions, owner, "feedback")
        if any(REFUSED.search(each.sentence) for each in problems):
            continue
        assert problems == [], saved.conditions
        own = [row for row in rows if seed % 2 or row.feedback_type == ground.bugs]
        expected = {row.pk for row in own if meets(saved.conditions, row, NOW, BERLIN)}
        for form in (saved.conditions, kept):
            saved.conditions = form
            selected = {row.pk for row in rows_of(saved, now=NOW)}
            wrong = [vars(row) for row in own if row.pk in selected ^ expected]
            assert selected == expected, (form, wrong)
        others = {row.pk for row in own} - expected
        assert set(failures(saved, [row.pk for row in own], now=NOW)) == others
        assert compiled(saved, now=NOW).words or not kept["conditions"]
