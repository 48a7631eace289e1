"""What any store and any engine takes."""

from __future__ import annotations

import json

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from feedback.texts import storable, storable_in

ANY_TEXT = st.text(st.characters(exclude_categories=()) | st.just("\0"))
ANY_JSON = st.recursive(
    ANY_TEXT | st.none() | st.floats(),
    lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("", ""),
        ("plain", "plain"),
        ("Grüße 😀", "Grüße 😀"),
        ("a\0b", "a\ufffdb"),
        ("half \ud83d", "half \ufffd"),
        ("\ude00 half", "\ufffd half"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("\ud83d\ude00 joined", "😀 joined"),
        ("\ufeffmarked", "\ufeffmarked"),
    ],
)
def test_what_cannot_be_stored_is_replaced_and_nothing_else(
    text: str, stored: str
) -> None:
    assert storable(text) == stored


@given(ANY_TEXT)
def test_any_text_becomes_storable_and_stays_so(text: str) -> None:
    stored = storable(text)
    assert "\0" not in stored and stored.encode().decode() == stored
    assert storable(stored) is stored
    assert re2.search("x*", stored)


@given(ANY_JSON)
def test_any_json_becomes_storable_names_of_members_too(value: object) -> None:
    written = json.dumps(storable_in(value), ensure_ascii=False)
    assert "\\u0000" not in written and written.encode().decode() == written
