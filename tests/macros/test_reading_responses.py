"""One response and what is wanted of it: the value, nothing, or a sentence."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from macros.deliveries.capture import captures_of
from macros.extraction import ExtractionError, Reading, ReturnValue, compile_rows
from macros.extraction.values import MAX_VALUE

ISSUE = {
    "key": "ABC-1",
    "id": 10001,
    "big": 12345678901234567890,
    "open": True,
    "none": None,
    "labels": ["beta", "ios"],
    "empty": [],
    "created": "2026-11-23T16:05:00.000+0200",
    "fields": [{"name": "team", "value": "Red"}, {"name": "team", "value": "Blue"}],
    "nested": {"a": {}},
}


def a_row(expression: str, kind: str = "text", **row: Any) -> ReturnValue:
    full = {"name": "v", "source": "json", "when": "success", "required": False}
    return compile_rows([{**full, "expression": expression, "type": kind, **row}])[0]


def a_response(body: Any = ISSUE, status: int = 200, **options: Any) -> Reading:
    text = body if isinstance(body, str) else json.dumps(body)
    headers = options.pop("headers", [("Location", "/issue/1")])
    return Reading(status, headers, text, **options)


def why_not(wanted: ReturnValue, response: Reading) -> str:
    with pytest.raises(ExtractionError) as caught:
        response.take(wanted)
    return str(caught.value)


@pytest.mark.parametrize(
    ("path", "kind", "value"),
    [
        ("$.key", "text", "ABC-1"),
        ("$['key']", "text", "ABC-1"),
        ("$.id", "text", "10001"),
        ("$.open", "text", "true"),
        ("$.id", "number", 10001),
        ("$.big", "number", 12345678901234567890),
        ("$.open", "boolean", True),
        ("$.created", "date", "2026-11-23T14:05:00+00:00"),
        ("$.labels", "list", ["beta", "ios"]),
        ("$.labels[*]", "list", ["beta", "ios"]),
        ("$.labels[-1]", "text", "ios"),
        ("$.key", "list", ["ABC-1"]),
        ("$.empty", "list", []),
        ("$.fields[?@.value == 'Blue'].value", "text", "Blue"),
        ("$.fields[?search(@.value, '^B.+')].value", "text", "Blue"),
        ("$..value", "list", ["Red", "Blue"]),
        ("$.none", "text", None),
        ("$.none", "list", None),
        ("$.absent", "text", None),
        ("$.empty[*]", "list", None),
    ],
)
def test_a_path_finds_a_value_of_its_type(path: str, kind: str, value: Any) -> None:
    assert a_response().take(a_row(path, kind)) == value


@pytest.mark.parametrize(
    ("path", "kind", "why"),
    [
        ("$..value", "text", "matches 2 values; take one, or make it a list"),
        ("$.nested", "text", "is an object, not a text"),
        ("$.labels", "text", "is a list, not a text"),
        ("$.key", "number", "is 'ABC-1', not a number"),
        ("$.open", "number", "is true, not a number"),
        ("$.id", "boolean", "is a number, not true or false"),
        ("$.key", "date", "is 'ABC-1', not a date"),
        ("$.open", "date", "is true, not a date"),
        ("$.fields", "list", "has an object among its items"),
    ],
)
def test_a_value_of_another_type_is_refused_with_the_reason(
    path: str, kind: str, why: str
) -> None:
    assert why_not(a_row(path, kind), a_response()) == why


@pytest.mark.parametrize(
    ("body", "options", "why"),
    [
        ("<html>", {}, "can't be looked up: the response is not JSON"),
        ('{"key": NaN}', {}, "can't be looked up: the response is not JSON"),
        ("[" * 100_000, {}, "can't be looked up: the response is not JSON"),
        (
            "[" * 100_001,
            {},
            "can't be looked up: the response has more than 100,000 parts",
        ),
        (" ", {}, "can't be looked up: the response is empty"),
        (
            '{"key": "A"}',
            {"cut": "longer than what is kept"},
            "can't be looked up: the response is not whole (longer than what is kept)",
        ),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_with_the_reason(
    body: str, options: dict[str, str], why: str
) -> None:
    assert why_not(a_row("$.key"), a_response(body, **options)) == why


def test_a_response_that_is_one_string_is_that_string() -> None:
    assert a_response('"[1"').take(a_row("$")) == "[1"
    assert a_response('"{\\"key\\": 1}"').take(a_row("$.key")) is None


@pytest.mark.parametrize(
    ("given_value", "kind", "value"),
    [
        ("2026-11-23", "date", "2026-11-23"),
        ("2026-11-23T14:05:00", "date", "2026-11-23T14:05:00"),
        ("2026-11-23T14:05:00.123Z", "date", "2026-11-23T14:05:00+00:00"),
        ("2026-11-23 14:05:00 UTC", "date", "2026-11-23T14:05:00+00:00"),
        ("Mon, 23 Nov 2026 14:05:00 UTC", "date", "2026-11-23T14:05:00+00:00"),
        ("Mon, 23 Nov 2026 14:05:00 GMT", "date", "2026-11-23T14:05:00+00:00"),
        (1795442700, "date", "2026-11-23T14:05:00+00:00"),
        (1795442700123, "date", "2026-11-23T14:05:00+00:00"),
        ("1795442700.123456", "date", "2026-11-23T14:05:00+00:00"),
        (" 42 ", "number", 42),
        ("-1.5e3", "number", -1500.0),
        ("TRUE", "boolean", True),
        ("a\0b\ud800c", "text", "a\ufffdb\ufffdc"),
    ],
)
def test_other_ways_to_write_a_value(given_value: Any, kind: str, value: Any) -> None:
    assert a_response({"v": given_value}).take(a_row("$.v", kind)) == value


@pytest.mark.parametrize(
    ("given_value", "kind", "why"),
    [
        ("x" * 4001, "text", "is longer than 4,000 characters"),
        (["x" * 2001] * 2, "list", "is longer than 4,000 characters"),
        (list(range(101)), "list", "has more than 100 items"),
        (10**100, "number", "is a number too large to be stored"),
        ("1e999", "number", "is a number too large to be stored"),
        ("nan", "number", "is 'nan', not a number"),
        (int("9" * 4000), "text", "is a number too large to be stored"),
        ("9" * 5000, "number", f"is '{'9' * 60}…', not a number"),
        (10**18, "date", "is a number, not a date"),
        ("2026-13-01", "date", "is '2026-13-01', not a date"),
    ],
)
def test_a_value_is_bounded(given_value: Any, kind: str, why: str) -> None:
    assert why_not(a_row("$.v", kind), a_response({"v": given_value})) == why


def test_an_infinite_number_in_json_is_refused() -> None:
    message = why_not(a_row("$.v", "number"), a_response('{"v": 1e999}'))
    assert message == "is a number too large to be stored"


def test_headers_status_and_text_are_read() -> None:
    response = a_response(
        "Created ABC-1 and ABC-2.",
        201,
        headers=[("Link", "<a>"), ("X-Left", "7"), ("link", "<b>")],
    )
    assert response.take(a_row("LINK", source="header")) == "<a>, <b>"
    assert response.take(a_row("Link", "list", source="header")) == ["<a>", "<b>"]
    assert response.take(a_row("X-Left", "number", source="header")) == 7
    assert response.take(a_row("X-None", source="header")) is None
    assert response.take(a_row("", "number", source="status")) == 201
    assert response.take(a_row(r"ABC-\d", source="text")) == "ABC-1"
    assert response.take(a_row(r"and ([A-Z]+)-", source="text")) == "ABC"
    assert response.take(a_row(r"ABC-(\d)", "list", source="text")) == ["1", "2"]
    assert response.take(a_row("XYZ", source="text")) is None


def test_text_of_a_body_that_was_cut_is_searched_all_the_same() -> None:
    response = a_response("key: ABC-1, and mo", cut="not finished in time")
    assert response.take(a_row("key: ([A-Z0-9-]+)", source="text")) == "ABC-1"


@pytest.mark.parametrize(
    "path",
    [
        "$" + "[*,*]" * 60 + ".x",
        "$[?@" + "[*,*]" * 60 + "]",
        "$..*..*..*..*..*..*.x",
        "$..[?count($..*) > 0]",
    ],
)
def test_a_path_that_multiplies_its_work_is_stopped(path: str) -> None:
    deep: list[Any] = []
    for _ in range(70):
        deep = [deep, 1]
    message = why_not(a_row(path, "list"), a_response([deep] * 200))
    assert message == (
        "needs more work than is allowed: the limit is 30,000 steps for all values"
        " together"
    )


def test_a_descent_deeper_than_the_limit_is_refused() -> None:
    body = "[" * 300 + "]" * 300
    message = why_not(a_row("$..x", "list"), a_response(body))
    assert message == "goes deeper than it may be nested"


def test_a_regular_expression_takes_no_more_than_linear_time() -> None:
    """Python's own would need longer than the universe has."""
    body = json.dumps({"v": "a" * 60_000})
    assert a_response(body).take(a_row(r"(?:a+)+$", source="text")) is None
    assert a_response(body).take(a_row("$[?search(@, '(a+)+b$')]")) is None


def test_a_secret_in_a_value_is_masked_and_as_a_number_refused() -> None:
    def redact(text: str) -> str:
        return text.replace("123456", "••••••")

    response = a_response(
        '{"n": 123456, "l": ["1\\u0032\\u003456"]}',
        headers=[("Echo", "is 123456")],
        redact=redact,
    )
    assert response.take(a_row("Echo", source="header")) == "is ••••••"
    assert why_not(a_row("$.n", "number"), response) == "is a secret"


def rows(*members: dict[str, Any]) -> tuple[ReturnValue, ...]:
    return tuple(a_row(**each) for each in members)


KEY = {"name": "key", "expression": "$.key"}
OWNER = {"name": "owner", "expression": "$.owner"}
STATUS = {"name": "status", "expression": "", "source": "status", "when": "always"}


def test_a_missing_value_is_noted_and_the_others_are_stored() -> None:
    capture = captures_of(rows(KEY, OWNER), a_response())
    assert [(each.key, each.value) for each in capture.values] == [("key", "ABC-1")]
    assert capture.problems == [
        "Not stored: owner, since body $.owner matches nothing."
    ]
    assert not capture.missing


def test_without_a_required_value_the_others_are_stored() -> None:
    capture = captures_of(rows(KEY, {**OWNER, "required": True}), a_response())
    assert [each.key for each in capture.values] == ["key"]
    assert capture.missing == ["owner"]
    assert capture.problems == [
        "The required owner is missing: body $.owner matches nothing."
    ]


def test_only_what_is_wanted_always_is_taken_from_a_refusal() -> None:
    wanted = rows(KEY, {**OWNER, "required": True}, {**STATUS, "required": True})
    capture = captures_of(wanted, a_response(status=404))
    assert [(each.key, each.value) for each in capture.values] == [("status", "404")]
    assert capture.problems == [] and not capture.missing


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(
    body=ANY_JSON.map(json.dumps) | st.text(),
    kind=st.sampled_from(["text", "number", "boolean", "date", "list"]),
    path=st.sampled_from(["$", "$[0]", "$[*]", "$..*", "$.*", "$[?@ > 1]"]),
)
def test_any_response_gives_a_storable_value_or_a_sentence(
    body: str, kind: str, path: str
) -> None:
    try:
        value = a_response(body).take(a_row(path, kind))
    except ExtractionError as why:
        assert str(why)
        return
    json.dumps(value, allow_nan=False, default=str)  # A number is a Decimal.
    texts = value if isinstance(value, list) else [value]
    for text in filter(lambda each: isinstance(each, str), texts):
        assert "\0" not in text and len(text.encode().decode()) <= MAX_VALUE
    if kind == "number" and value is not None:
        assert math.isfinite(value) and not isinstance(value, bool)
