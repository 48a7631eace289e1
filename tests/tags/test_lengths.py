"""A text is cut where the vendor counts, and never through what is one to a reader."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from itertools import accumulate
from urllib.parse import unquote

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

from macros.tags.filters import FILTERS
from macros.tags.lengths import UNITS, Limit
from tests.tags.subjects import with_value

COUNTED: dict[str, Callable[[str], int]] = {
    "characters": len,
    "utf-16": lambda text: len(text.encode("utf-16-le", "surrogatepass")) // 2,
    "bytes": lambda text: len(text.encode("utf-8", "replace")),
}
LETTERS = [
    "👩‍👩‍👧‍👦", "🏳️‍🌈", "👋🏿", "🇩🇪", "🇫🇷", "e\u0301\u0302", "각", "\u1112\u1161\u11ab",
    "क्षि", "𝒳", "ß", "漢", "a", "b ", " ", "\n", "\r\n", "\ud800", "\u200d", "\u0301",
]  # fmt: skip
ESCAPES = [
    "&amp;", "&#39;", "&lt;\u0301", "\\*", "\\\\", "\\\U0001f469\u200d\U0001f466",
    "<https://a.example/b?c>", "<br>", "%C3%A9", "%F0%9F%99%82", "\\u00e9", "\\n",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(LETTERS) | st.characters()).map("".join)


@pytest.mark.parametrize("unit", UNITS)
@settings(max_examples=50)
@given(text=TEXTS, most=st.integers(1, 40))
@example("🇩🇪🇫🇷🇩🇪", 5)
@example("a🇩🇪🇫🇷", 8)
def test_a_text_is_cut_between_two_letters(unit: str, text: str, most: int) -> None:
    cut = Limit(most, unit).cut(text)
    count = COUNTED[unit]
    assert count(cut) <= most
    if count(text) <= most:
        assert cut == text
        return
    kept = cut.removesuffix("…")
    assert text.startswith(kept)
    assert cut != kept or most < count("…")
    ends = [0, *accumulate(map(len, regex.findall(r"\X", text)))]
    assert len(kept) in ends


@pytest.mark.parametrize("unit", UNITS)
@settings(max_examples=50)
@given(
    pieces=st.lists(st.sampled_from([*ESCAPES, "a", "é", " "])), most=st.integers(3, 40)
)
def test_an_escape_is_kept_whole_or_not_at_all(
    unit: str, pieces: list[str], most: int
) -> None:
    text = "".join(pieces)
    kept = Limit(most, unit).cut(text).removesuffix("…")
    ends = [0, *accumulate(map(len, pieces))]
    assert len(kept) in ends
    if kept != text:
        # No more would have had room.
        longer = text[: ends[ends.index(len(kept)) + 1]]
        assert COUNTED[unit](f"{longer}…") > most


UNDONE: dict[str, Callable[[str], str]] = {
    "slack": html.unescape,
    "html": lambda text: html.unescape(text.replace("<br>", "\n")),
    "url": unquote,
    "markdown": lambda text: re.sub(r"\\(.)", r"\1", text),
    "discord": lambda text: re.sub(r"\\(.)", r"\1", text.replace("@\u200b", "@")),
}


@pytest.mark.parametrize("name", UNDONE)
@settings(max_examples=50)
@given(text=st.text("a&<>\"'é🙂\\*_ @here", max_size=30), most=st.integers(1, 40))
@example("<<<\\<", 15)
@example("\\" * 7 + "&", 9)
def test_what_an_escape_made_can_be_undone_after_it_is_cut(
    name: str, text: str, most: int
) -> None:
    sent = with_value(f"((External: v|line|{name}|truncate:{most}))", text)
    assert len(sent) <= most
    plain = " ".join(text.split())
    if sent != with_value(f"((External: v|line|{name}))", text):
        assert plain.startswith(UNDONE[name](sent.removesuffix("…")))


@pytest.mark.parametrize("unit", UNITS)
def test_a_longest_letter_gives_way_as_a_whole(unit: str) -> None:
    assert Limit(5, unit).cut("e" + "\u0301" * 1_000) == "…"
    assert Limit(5, unit).cut("👩‍👩‍👧‍👦👩‍👩‍👧‍👦") == "…"


@pytest.mark.parametrize("unit", ["characters", "utf-16", "bytes"])
def test_both_filters_of_length_take_each_unit(unit: str) -> None:
    for name in ("truncate", "fits"):
        assert FILTERS[name].build(f"10,{unit}", "text")("abc") == "abc"
        assert with_value(f"((External: v|{name}:2, '{unit}'))", "abc") in (
            "a…",
            "",
            "ab",
        )
