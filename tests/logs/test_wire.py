"""What others have sent, as pages show it: readable, bounded, and harmless."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logs.console import wire
from logs.console.wire import MAX_DEPTH, MAX_SHOWN, Body, folded, headers_of, visible

HOSTILE = [
    "\u202e\u2066\u200b\ufeff",
    "\x1b[31m\x07\x00",
    "<script>alert(1)</script>",
    "'\"><img src=x onerror=alert(1)>",
    "{{ 7|add:7 }}{% csrf_token %}",
    "\ud800",
]
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\ud800-\udfff]"
)
FORM = "Content-Type: application/x-www-form-urlencoded"
_TEXT = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(), max_size=20))
_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _TEXT),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.dictionaries(_TEXT, inner, max_size=5)
    ),
    max_leaves=20,
)


@given(st.one_of(st.lists(_VALUES, max_size=4), st.dictionaries(_TEXT, _VALUES)))
def test_any_json_is_shown_without_markup_and_unseen_characters(value: object) -> None:
    html = folded(json.dumps(value))
    html.encode()
    assert not UNSEEN.search(html)
    tags = set(re.findall(r"<(\w+)", html))
    assert tags <= {"div", "details", "summary", "span", "ul", "li"}


@given(st.text(st.characters(), max_size=200))
def test_any_text_is_shown(text: str) -> None:
    body = Body(text, f"{FORM}\n{text}")
    shown = body.shown + str(body.pretty) + repr(headers_of(text))
    shown.encode()
    assert not UNSEEN.search(body.shown)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ok",
        '"a text"',
        "12",
        '{"a": 1',
        "{'a': 1}",
        "[NaN]",
        "[Infinity]",
        "[" * 100_000,
    ],
)
def test_what_is_no_json_object_or_list_stays_as_it_is(text: str) -> None:
    body = Body(text)
    assert body.pretty == "" and body.shown == text


@pytest.mark.parametrize("depth", [MAX_DEPTH, 5_000, 30_000])
def test_what_nests_deeply_is_a_tree_of_few_levels_or_stays_as_it_is(
    depth: int,
) -> None:
    """How deep Python reads depends on its version."""
    body = Body('{"a":' * depth + "1" + "}" * depth)
    assert body.shown == body.text[:MAX_SHOWN]
    assert body.pretty.count("<details") <= MAX_DEPTH + 1


def test_deep_nesting_ends_with_a_sentence() -> None:
    html = folded("[" * 100 + "]" * 100)
    assert f"nested deeper than {wire.MAX_DEPTH}" in html


def test_numbers_and_twins_are_shown_as_they_were_written() -> None:
    html = folded('{"a": 1.50, "a": 123456789012345678901234567890, "b": 1e5}')
    for text in ("1.50", "123456789012345678901234567890", "1e5"):
        assert f'<span class="number">{text}</span>' in html
    assert html.count('<span class="key">a</span>') == 2


def test_a_long_list_is_cut_and_says_so() -> None:
    html = folded(json.dumps(list(range(wire.MAX_PARTS + 5))))
    assert html.count("<li") == wire.MAX_PARTS + 1
    assert "5 more: see the text as it was sent" in html


def test_a_long_text_is_cut_and_says_so() -> None:
    html = folded(json.dumps(["x" * (wire.MAX_TEXT + 7)]))
    assert "… and 7 more characters" in html


def test_a_body_that_is_too_long_is_cut_and_not_parsed() -> None:
    text = json.dumps(["x" * wire.MAX_SHOWN])
    body = Body(text)
    assert body.pretty == ""
    assert len(body.shown) == wire.MAX_SHOWN
    assert body.left_out == len(text) - wire.MAX_SHOWN


def test_long_and_deep_parts_are_folded_at_first() -> None:
    html = folded(json.dumps({"long": list(range(50)), "short": [1]}))
    assert html.count("<details open>") == 2
    assert html.count("<details>") == 1


def test_a_form_is_a_table() -> None:
    body = Body(
        "a=1&b=%3Cb%3E&a=%E2%80%AE", "Content-Type: application/x-www-form-urlencoded"
    )
    assert '<tr><th scope="row">b</th><td>&lt;b&gt;</td></tr>' in body.pretty
    assert body.pretty.count('<th scope="row">a</th>') == 2
    assert "right-to-left override" in body.pretty


def test_headers_are_names_and_values() -> None:
    lines = "Content-Type: text/plain\nX-Note: a: b\n\nodd"
    assert headers_of(lines) == [
        ("Content-Type", "text/plain"),
        ("X-Note", "a: b"),
        ("odd", ""),
    ]


def test_halves_of_characters_are_named() -> None:
    assert visible("\ud800") == "⟨U+D800⟩"
