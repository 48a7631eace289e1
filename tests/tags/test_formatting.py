from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from macros.tags import OutputContext, TemplateError, format_json
from macros.tags.limits import MAX_SOURCE
from tests.tags.subjects import SCOPE, rendered

TAGS = ["((Title))", "(( Field: Size (cm) ))", '((Title|default:"{[,:]}"))']
SPACE = st.text(" \t\r\n", max_size=3)
PLAIN = st.text(st.characters(codec="utf-8", exclude_characters="()"), max_size=5)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A string literal with tags and escapes of the language in it."""
    parts = st.one_of(
        PLAIN.map(lambda text: json.dumps(text)[1:-1]),
        st.sampled_from([*TAGS, r"\((", r"\))", "(x)", r"\"", r"\\ "]),
    )
    return f'"{"".join(draw(st.lists(parts, max_size=4)))}"'


@st.composite
def spaced(draw: st.DrawFn, parts: list[str]) -> str:
    return "".join(draw(SPACE) + part + draw(SPACE) for part in parts)


def arrays(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(inner, max_size=4).flatmap(
        lambda items: spaced(["[", ",".join(items), "]"])
    )


def objects(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    member = st.tuples(texts(), inner).flatmap(
        lambda pair: spaced([*pair[:1], ":" + pair[1]])
    )
    return st.lists(member, max_size=4).flatmap(
        lambda members: spaced(["{", ",".join(members), "}"])
    )


SCALARS = st.sampled_from(
    [*TAGS, "1", "-2.50e3", "true", "null", "12345678901234567890.0"]
)
BODIES = st.recursive(
    SCALARS | texts(), lambda inner: arrays(inner) | objects(inner), max_leaves=12
)


@given(BODIES)
def test_formatting_keeps_the_value_and_is_done_once(body: str) -> None:
    formatted = format_json(body, SCOPE)
    assert format_json(formatted, SCOPE) == formatted
    read = {"object_pairs_hook": list, "parse_float": str, "parse_int": str}
    before, after = (
        json.loads(rendered(each, OutputContext.JSON), **read)
        for each in (body, formatted)
    )
    assert before == after


@given(BODIES)
def test_every_tag_stays_as_it_is_written(body: str) -> None:
    formatted = format_json(body, SCOPE)
    assert all(formatted.count(tag) == body.count(tag) for tag in TAGS)


def test_each_member_and_item_has_a_line() -> None:
    body = '{"a":((Number)),"b":[1,"((Title)), ((Status|default:{}))"],"c":{},"d":[ ]}'
    assert format_json(body, SCOPE) == (
        "{\n"
        '  "a": ((Number)),\n'
        '  "b": [\n'
        "    1,\n"
        '    "((Title)), ((Status|default:{}))"\n'
        "  ],\n"
        '  "c": {},\n'
        '  "d": []\n'
        "}"
    )


@pytest.mark.parametrize("body", ["", "{", '{"a": ((Titel))}', '{"a": "((Title"}'])
def test_a_body_that_is_refused_is_not_formatted(body: str) -> None:
    with pytest.raises(TemplateError):
        format_json(body, SCOPE)


def test_a_body_that_would_grow_beyond_the_limit_is_left_alone() -> None:
    depth = 200
    body = "[" * depth + ",".join("1" * 100_000) + "]" * depth
    with pytest.raises(TemplateError, match=f"longer than {MAX_SOURCE:,}"):
        format_json(body, SCOPE)
