"""Whatever stands in a query or a body gets a result or a refusal, never a fault."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from feedback.api.comments import CommentFilterSet
from feedback.api.members import ApiKeyFilterSet, MemberFilterSet
from feedback.api.owners import CommunityFilterSet, ProjectFilterSet
from feedback.api.source_rows import SourceFilterSet
from feedback.api.types import TypeFilterSet
from feedback.models import FeedbackType
from feedback.rest.paging import PARAMETERS
from feedback.selection.testers import TesterFilterSet as PeopleFilterSet
from feedback.selection.tickets import FeedbackFilterSet
from logs.api.filters import DeliveryFilterSet, RunFilterSet
from macros.api.automations import ScheduleFilterSet, TriggerFilterSet
from macros.api.calls import CallFilterSet, EventFilterSet
from macros.api.filters import MacroFilterSet
from macros.api.listeners import ListenerFilterSet
from macros.api.versions import VersionFilterSet
from tests import factories
from tests.api.callers import issue_key, problem, program

# What a test did to the database is no matter to the next example.
examples = settings(
    max_examples=150,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
QUESTIONS = (
    *("severity", "platform", "reproducible", "impact", "found_on", "page"),
    *("app_version", "steps"),
)
ROOMS: dict[str, list[str]] = {
    "feedback": [
        *FeedbackFilterSet.base_filters,
        *(f"field_{key}" for key in QUESTIONS),
    ],
    "macros": [*MacroFilterSet.base_filters],
    "versions": [*VersionFilterSet.base_filters],
    "triggers": [*TriggerFilterSet.base_filters],
    "schedules": [*ScheduleFilterSet.base_filters],
    "listeners": [*ListenerFilterSet.base_filters],
    "calls": [*CallFilterSet.base_filters],
    "events": [*EventFilterSet.base_filters],
    "runs": [*RunFilterSet.base_filters],
    "deliveries": [*DeliveryFilterSet.base_filters],
    "testers": [*PeopleFilterSet.base_filters],
    "api-keys": [*ApiKeyFilterSet.base_filters],
    "comments": [*CommentFilterSet.base_filters],
    "communities": [*CommunityFilterSet.base_filters],
    "members": [*MemberFilterSet.base_filters],
    "projects": [*ProjectFilterSet.base_filters],
    "sources": [*SourceFilterSet.base_filters],
    "types": [*TypeFilterSet.base_filters],
}
texts = st.text(max_size=30) | st.sampled_from(
    [
        *("0", "-0", "1", "00", "1.0", "1e5", "1e400", "9" * 40, "\u0661", "\u00b2"),
        *("true", "null", "NaN", "Infinity", "[]", "{}", '"', "'", "%", "\\", "\0"),
        *("2026-02-30", "2026-11-23T25:00", "0001-01-01", "9999-12-31T23:59:59Z"),
        *("2026-11-23", "24:00", "-1", "New", "Minor", "iOS", "http://[", "BUG-1"),
    ]
)
names = st.text(max_size=12)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(names, below),
    max_leaves=5,
)


def is_answered_or_refused(response: Any) -> None:
    if response.status_code not in (200, 201):
        body = problem(response, response.status_code, response.json()["code"])
        assert body["status"] in (400, 409)


@pytest.fixture
def reader(bugs: FeedbackType) -> APIClient:
    """A program that may read every room."""
    return program(issue_key(bugs, "Reader", scope_manage=True))


@pytest.mark.sweep
@pytest.mark.parametrize("room", ROOMS)
@examples
@given(data=st.data())
def test_any_query(reader: APIClient, room: str, data: st.DataObject) -> None:
    made_up = names | names.map("field_{}".format) | names.map("external_{}".format)
    name = st.sampled_from([*ROOMS[room], *PARAMETERS]) | made_up
    # Surrogates come from no URL.
    query = data.draw(st.dictionaries(name, texts, min_size=1, max_size=3))
    is_answered_or_refused(reader.get(f"/api/v1/{room}/", query))


@examples
@given(data=st.data())
def test_any_body(bugs: FeedbackType, caller: APIClient, data: st.DataObject) -> None:
    if not bugs.macros.exists():
        factories.ticket(bugs)
        factories.macro(bugs, "https://example.com/")
    known = st.sampled_from([*ROOMS["feedback"], "external_a"]) | names
    filters = st.dictionaries(known, json_values | texts, min_size=1, max_size=2)
    body = data.draw(
        st.fixed_dictionaries({"filter": filters})
        | st.fixed_dictionaries({"ids": st.lists(json_values, max_size=3)})
        | json_values
    )
    response = caller.post(
        f"/api/v1/macros/{bugs.macros.get().pk}/runs/",
        json.dumps(body),
        content_type="application/json",
    )
    is_answered_or_refused(response)
