"""No call of a stranger makes the worker stumble, whatever stands in it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from macros.listeners.handling import FAULT
from tests import factories

from .calling import calls

_TEXTS = (
    st.text(max_size=20)
    | st.sampled_from(
        ["NW-41", "BUG-1", "Done", "\0", "\ud800", "((Title))", "1" * 5000]
    )
    | st.sampled_from(["2026-11-23", "1700000000000", "a@example.com", "x" * 5000, "-"])
)
_NUMBERS = (
    st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([10**200, 1e-300, -0.0, True])
)
_VALUES = st.recursive(
    st.none() | _TEXTS | _NUMBERS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3)
    ),
    max_leaves=6,
)
_MEMBERS = ("id", "key", "name", "by", "at", "a", "b", "c", "d", "e", "f", "g")
_EVENTS = st.fixed_dictionaries({}, optional=dict.fromkeys(_MEMBERS, _VALUES))
_KEYS = st.sampled_from(["NW-41", "BUG-1"])
# What all of the actions can do something with.
ORDINARY = {"a": 3, "b": "Done", "c": "1.0", "e": 5, "f": "v", "g": "A title"}
ACTIONS: list[dict[str, Any]] = [
    {"kind": "comment", "value": "((Payload: $.a)) ((Title)) ((Payload: $..*))"},
    {"kind": "status", "value": "((Payload: $.b))", "value_map": "* -> Closed"},
    {"kind": "field", "name": "App version", "value": "((Payload: $.c))"},
    {"kind": "visibility", "value": "((Payload: $.d|default:public))"},
    {"kind": "score", "value": "((Payload: $.e))"},
    {"kind": "external", "name": "f", "value": "((Payload: $.f))"},
]


def a_listener(by: str, *more: dict[str, Any]) -> Any:
    bugs = factories.feedback_type()
    factories.ticket(bugs, external_data={"jira_key": "NW-41"})
    return factories.listener(
        bugs,
        *ACTIONS,
        *more,
        record_by=by,
        record_external="jira_key",
        record_at="$.key",
        events_at="$.events",
        name_at="$.name",
        id_at="$.id",
        ignored_at="$.by",
        ignored="me",
        time_at="$.at",
    )


@pytest.mark.sweep
@pytest.mark.django_db
@pytest.mark.parametrize("by", ["external", "reference", "id", ""])
def test_any_event_ends_in_a_sentence(by):
    value = "title: ((Payload: $.g))\nImpact: ((Payload: $.a))"
    listener = a_listener(by, {"kind": "create", "value": value})
    outcomes: set[str] = set()

    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    @example(events=[ORDINARY], key="NW-41")
    @example(events=[ORDINARY], key="BUG-1")
    @example(events=[ORDINARY | {"e": "lots", "a": "lots"}], key="NW-41")
    @example(events=[ORDINARY | {"e": "lots", "a": "lots"}], key="BUG-1")
    @given(events=st.lists(_EVENTS, max_size=2), key=_KEYS)
    def try_it(events: list[dict[str, Any]], key: str) -> None:
        body = json.dumps({"events": [{"key": key, **each} for each in events]})
        for event in calls(listener, body.encode()):
            outcomes.add(event.outcome)
            assert event.detail != FAULT
            assert event.outcome in ("acted", "repeat") or event.detail.endswith(".")
            assert event.call.state == "done"

    try_it()
    assert {"acted", "failed"} <= outcomes
