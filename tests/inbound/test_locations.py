"""Where in a call a value is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from macros.listeners.locations import MAX_VALUES, Location
from macros.listeners.payloads import Payload, Unreadable

PAYLOAD = Payload(
    {"issue": {"key": "NW-41", "labels": ["a", "b"], "none": None}},
    {"x-event": "closed"},
    "id=7&id=8&one=1",
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$.issue.key", "NW-41"),
        ("  $.issue.key ", "NW-41"),
        ("$['issue']['labels']", ["a", "b"]),
        ("$.issue.labels[?@ == 'b']", "b"),
        ("$.issue.none", None),
        ("$.nothing.here", None),
        ("header: X-Event", "closed"),
        ("HEADER:x-event", "closed"),
        ("header: X-Other", None),
        ("query: one", "1"),
        ("query: two", None),
    ],
)
def test_one_value(text, expected):
    assert Location.parse(text).value(PAYLOAD) == expected


@pytest.mark.parametrize(
    ("text", "count"), [("$.issue.labels[*]", "2"), ("query: id", "2")]
)
def test_several_values_are_counted_where_one_is_needed(text, count):
    location = Location.parse(text)
    assert len(location.values(PAYLOAD)) == int(count)
    with pytest.raises(Unreadable, match=f"matches {count} values, and one is needed"):
        location.value(PAYLOAD)


def test_very_many_values_are_not_all_counted():
    many = Payload([0] * 2 * MAX_VALUES)
    with pytest.raises(Unreadable, match="matches more than 500 values"):
        Location.parse("$[*]").value(many)


def test_a_path_that_multiplies_its_work_is_stopped():
    deep: list[object] = []
    for _ in range(70):
        deep = [deep, 1]
    with pytest.raises(Unreadable, match="needs more work than is allowed"):
        Location.parse("$..[?@..[?@ == 1]]").values(Payload(deep))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Give a JSONPath, a header or a member of the query"),
        ("issue.key", "Give a JSONPath, a header or a member of the query"),
        ("cookie: a", "Give a JSONPath, a header or a member of the query"),
        ("header:", "Give a JSONPath, a header or a member of the query"),
        ("header: Grün", "'Grün' is not the name of a header."),
        ("header: a b", "'a b' is not the name of a header."),
        ("$.[", "This is not a valid JSONPath expression"),
        ("$[99999999999999999999]", ""),
    ],
)
def test_what_is_not_a_location_is_refused_by_a_sentence(text, why):
    with pytest.raises(ValueError) as caught:
        Location.parse(text)
    assert str(caught.value).startswith(why) and str(caught.value).endswith(".")


@settings(max_examples=200)
@given(
    text=st.text(alphabet="$.[]*'\"?@()<>=!&|,:0123ab \\", max_size=30).map(
        lambda rest: f"${rest}"
    )
)
def test_any_text_is_a_location_or_refused_and_never_stumbles(text):
    try:
        location = Location.parse(text)
    except ValueError as error:
        assert str(error)
        return
    try:
        json.dumps(location.values(PAYLOAD, 10), default=str)
    except Unreadable as unreadable:
        assert str(unreadable).endswith(".")
