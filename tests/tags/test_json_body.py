import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from macros.tags import OutputContext
from tests.tags.subjects import problems, rendered, with_value

# Lone surrogates too: a form can send one as an escape.
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | ANY_TEXT
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner),
    max_leaves=10,
)  # fmt: skip


@given(ANY_TEXT)
def test_a_string_gives_back_exactly_the_text_put_in(value):
    result = with_value('{"a": "<((External: v))>"}', value, OutputContext.JSON)
    # A high and a low surrogate in a row are one character to any JSON reader.
    assert json.loads(result) == {"a": json.loads(json.dumps(f"<{value}>"))}


@given(ANY_JSON)
def test_value_position_gives_back_exactly_the_value_put_in(value):
    result = with_value('{"a": ((External: v))}', value, OutputContext.JSON)
    assert json.loads(result) == {"a": json.loads(json.dumps(value))}


@given(ANY_JSON)
def test_the_json_filter_is_raw_in_value_position_and_text_in_a_string(value):
    source = '[((External: v|json)), "((External: v|json))"]'
    raw, text = json.loads(with_value(source, value, OutputContext.JSON))
    assert raw == json.loads(text) == json.loads(json.dumps(value))


@given(ANY_JSON)
def test_any_result_can_be_sent_as_utf_8(value):
    source = '["((External: v))", ((External: v)), ((External: v|json))]'
    json.loads(with_value(source, value, OutputContext.JSON).encode())


def test_a_value_takes_its_own_type_outside_quotes():
    source = """{
  "number": ((Number)), "float": ((Field: Size (cm))), "list": ((Field: Browsers)),
  "boolean": ((Field: Agreed?)), "text": ((Title)), "date": ((Created)),
  "none": ((Field: Missing|default:x)), "null": ((Submitter Email))
}""".replace("Missing", "Nothing")
    result = rendered(source, OutputContext.JSON, submitter=None, title='a "quote"\n')
    assert (
        result
        == """{
  "number": 12, "float": 3.0, "list": ["Firefox", "Safari"],
  "boolean": true, "text": "a \\"quote\\"\\n", "date": "2026-03-14T23:26:53+00:00",
  "none": "x", "null": null
}"""
    )


def test_inside_quotes_every_value_is_text():
    source = (
        '{"((Title))": "((Number)) ((Field: Browsers)) ((Status))|((Field: Agreed?))"}'
    )
    assert rendered(source, OutputContext.JSON, status=None) == (
        '{"Login fails": "12 Firefox, Safari |true"}'
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_json_lacks_is_null_and_empty_in_a_string(value):
    source = '[((External: v)), "((External: v))"]'
    assert with_value(source, value, OutputContext.JSON) == '[null, ""]'
    assert with_value(source, [value], OutputContext.JSON) == '[[null], ""]'


def test_readable_text_stays_readable():
    assert (
        rendered('"((Title))"', OutputContext.JSON, title="Zoë 👍 \x07")
        == '"Zoë 👍 \\u0007"'
    )


def test_shortened_json_is_text_again():
    source = "[((Title|json|truncate:4)), ((Title|json|truncate:99))]"
    assert rendered(source, OutputContext.JSON) == r'["\"Lo…", "\"Login fails\""]'


def test_parentheses_and_backslashes_in_strings():
    source = r'{"a": "\((x)) (b) \\((Number)) \\\((y)) \"((Number))\" :\))"}'
    assert json.loads(rendered(source, OutputContext.JSON)) == {
        "a": r'((x)) (b) \12 \((y)) "12" :))'
    }


def test_a_quote_in_a_filter_ends_no_string():
    source = """{"a": "((Status|default:"x"))", "b": "((Status|default:'y'))"}"""
    assert rendered(source, OutputContext.JSON, status=None) == '{"a": "x", "b": "y"}'


def test_a_body_may_be_one_tag():
    assert (
        rendered(" ((Field: Browsers)) ", OutputContext.JSON)
        == ' ["Firefox", "Safari"] '
    )


SYNTAX = "this is not valid JSON: "


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", "Line 1, column 1: The JSON body is empty."),
        (" \n", "Line 1, column 1: The JSON body is empty."),
        (
            '{"a": "((Title))",\n  ((Title)): 2}',
            "Line 2, column 3: a tag that is an object's key must stand in double"
            " quotes.",
        ),
        (
            "{((Title)): 2}",
            "Line 1, column 2: a tag that is an object's key must stand in double"
            " quotes.",
        ),
        (
            '{"a": ((Title))((Number))}',
            f"Line 1, column 16: {SYNTAX}a comma is missing here.",
        ),
        ('{"a": 1((Number))}', f"Line 1, column 8: {SYNTAX}a comma is missing here."),
        ('{"a": ((Number))1}', f"Line 1, column 17: {SYNTAX}a comma is missing here."),
        ('{"a": -((Number))}', f"Line 1, column 7: {SYNTAX}a value is missing here."),
        (
            '{"a": ((Number))}\n((Title))',
            f"Line 2, column 1: {SYNTAX}there is more after the end of the JSON value.",
        ),
        ('{"a" ((Title))}', f"Line 1, column 6: {SYNTAX}a colon is missing here."),
        ('{"((Title))": }', f"Line 1, column 15: {SYNTAX}a value is missing here."),
        (
            '{"a": "((Title))}',
            f"Line 1, column 7: {SYNTAX}the text that begins here has no closing double"
            " quote.",
        ),
        (
            '{"((Title))": "a\nb"}',
            f"Line 1, column 17: {SYNTAX}a text in quotes cannot hold a line break or a"
            " tab; write \\n or \\t.",
        ),
        (
            r'"\u00((Title))"',
            f"Line 1, column 3: {SYNTAX}\\u needs four hexadecimal digits.",
        ),
        (
            r'"((Title)) \x"',
            f"Line 1, column 12: {SYNTAX}this backslash must be doubled.",
        ),
        (r'"a\)b"', f"Line 1, column 3: {SYNTAX}this backslash must be doubled."),
        (r'"a\(b"', f"Line 1, column 3: {SYNTAX}this backslash must be doubled."),
        (r'{"a": \((x))}', f"Line 1, column 7: {SYNTAX}a value is missing here."),
        ('["NaN", NaN]', "Line 1, column 9: NaN is not a JSON value; write null."),
        (
            '[\n-Infinity, "]',
            "Line 2, column 1: -Infinity is not a JSON value; write null.",
        ),
        ("[" * 100_000, "Line 1, column 1: the JSON body is nested too deeply."),
    ],
)  # fmt: skip
def test_a_body_that_is_not_json_is_refused_at_its_place(source, expected):
    (problem,) = problems(source, OutputContext.JSON)
    assert problem.startswith(expected)


def test_a_trailing_comma_is_refused_on_its_line():
    (problem,) = problems('{\n"a": ((Title)),\n}', OutputContext.JSON)
    # Newer Pythons point at the comma, older ones at what follows it.
    assert problem.startswith(("Line 3, column 1: ", "Line 2, column 15: "))


def test_wrong_tags_and_wrong_json_are_found_together():
    assert problems('{"a": ((Titel))\n"b": 1}', OutputContext.JSON) == [
        "Line 1, column 7: unknown tag ((Titel)). Did you mean ((Title))?",
        f"Line 2, column 1: {SYNTAX}a comma is missing here.",
    ]


def test_long_numbers_are_no_fault():
    assert rendered("1" * 5000, OutputContext.JSON) == "1" * 5000
