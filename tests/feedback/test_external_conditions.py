"""What a condition on external data means: the same on every database."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedback.models import Feedback, FeedbackType
from feedback.selection.tickets import FeedbackFilterSet
from tests import factories

STORED: dict[str, object] = {
    "text 3": "3",
    "number 3": 3,
    "number 3.0": 3.0,
    "number 2.5": 2.5,
    "text true": "true",
    "true": True,
    "false": False,
    "text null": "null",
    "null": None,
    "empty": "",
    "blank": " ",
    "zero": 0,
    "list": ["3"],
    "empty list": [],
    "object": {"x": 3},
    "quoted": '"3"',
    "big": 2**63 - 1,
    "bigger": 10**30,
    "umlaut": "Grün",
}


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


def selected(query: dict[str, str]) -> list[str]:
    data = QueryDict(mutable=True)
    data.update(query)
    types = FeedbackType.objects.all()
    conditions = FeedbackFilterSet(data, Feedback.objects.all(), types=types)
    assert not conditions.errors
    return [ticket.title for ticket in conditions.qs.order_by("pk")]


def store(bugs: FeedbackType, values: dict[str, object], name: str = "x") -> None:
    for title, value in values.items():
        factories.ticket(bugs, title=title, external_data={name: value})


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("3", ["text 3", "number 3", "number 3.0"]),
        ("3.0", ["number 3", "number 3.0"]),
        ("30e-1", ["number 3", "number 3.0"]),
        ("03", []),
        ("+3", []),
        ("\u0663", []),
        (" 3 ", ["text 3", "number 3", "number 3.0"]),
        ("2.5", ["number 2.5"]),
        ("2.50", ["number 2.5"]),
        ("-0", ["zero"]),
        ("1e-999", ["zero"]),
        ("1e999", []),
        ("-1e999", []),
        ("NaN", []),
        ("Infinity", []),
        ("true", ["text true", "true"]),
        ("True", []),
        ("1", []),
        ("false", ["false"]),
        ("null", ["text null"]),
        ('"3"', ["quoted"]),
        ('["3"]', []),
        ("[]", []),
        ('{"x": 3}', []),
        ("9223372036854775807", ["big"]),
        ("9223372036854775806", []),
        ("9223372036854775808", []),
        ("1" + "0" * 30, []),
        ("9" * 400, []),
        ("Grün", ["umlaut"]),
        ("grün", []),
        ("%", []),
        ("'", []),
    ],
)
def test_a_text_stands_for_itself_and_the_number_or_truth_value_that_it_writes(
    bugs: FeedbackType, text: str, titles: list[str]
) -> None:
    store(bugs, STORED)
    factories.ticket(bugs, title="missing")
    assert selected({"external_x": text}) == titles


def test_no_value_is_a_missing_name_null_or_an_empty_text(bugs: FeedbackType) -> None:
    store(bugs, STORED)
    factories.ticket(bugs, title="missing")
    none = ["null", "empty", "missing"]
    assert selected({"has_external_x": "false"}) == none
    some = [title for title in STORED if title not in none]
    assert selected({"has_external_x": "true"}) == some
    assert selected({"has_external_x": "false", "external_x": "3"}) == []


@pytest.mark.parametrize(
    "name", ["a b", "a.b", "a-b", "A_b", "Größe", "2fa", "key", "isnull", "x__gte"]
)
def test_a_name_is_no_path_and_no_look_up(bugs: FeedbackType, name: str) -> None:
    store(bugs, {"yes": 3, "none": None}, name)
    factories.ticket(bugs, title="deep", external_data={"a": {"b": 3}, "x": 3})
    assert selected({f"external_{name}": "3"}) == ["yes"]
    assert selected({f"has_external_{name}": "true"}) == ["yes"]
    assert selected({f"has_external_{name}": "false"}) == ["none", "deep"]


def test_a_name_stands_for_its_normalised_form_too(bugs: FeedbackType) -> None:
    store(bugs, {"as a tag": "A", "null": None}, "jira_key")
    store(bugs, {"as people write": "A", "empty": ""}, "Jira key")
    both = ["as a tag", "as people write"]
    assert selected({"external_Jira key": "A"}) == both
    assert selected({"has_external_Jira key": "true"}) == both
    assert selected({"has_external_Jira key": "false"}) == ["null", "empty"]
    assert selected({"external_jira_key": "A"}) == ["as a tag"]


def is_read_as(stored: object, text: str) -> bool:
    """What the condition means, in plain Python."""
    if isinstance(stored, bool):
        return text == json.dumps(stored)
    if isinstance(stored, int | float):
        number = r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?"
        return bool(re.fullmatch(number, text)) and json.loads(text) == stored
    return isinstance(stored, str) and stored == text


# What PostgreSQL can store, and no number so great that a float is an approximation.
numbers = st.integers(-(2**53), 2**53) | st.floats(
    -(2**53), 2**53, allow_subnormal=False
)
texts = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=5)
alike = st.sampled_from(["1", "1.0", "0", "true", "null", '"', "[]", "1e0", "0.1"])
values = st.none() | st.booleans() | numbers | texts | alike | st.lists(texts | numbers)


@pytest.mark.sweep
@settings(
    max_examples=200,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(stored=st.lists(values, max_size=4), other=texts | alike | numbers.map(str))
def test_the_database_reads_a_condition_as_python_does(
    bugs: FeedbackType, stored: list[Any], other: str
) -> None:
    Feedback.objects.all().delete()
    store(bugs, {str(number): value for number, value in enumerate(stored)})
    asked = {other, *(json.dumps(each) for each in stored if each is not None)}
    asked |= {each for each in stored if isinstance(each, str)}
    for text in asked:
        if text == text.strip() != "":
            expected = [
                str(number)
                for number, value in enumerate(stored)
                if is_read_as(value, text)
            ]
            assert selected({"external_x": text}) == expected, text
