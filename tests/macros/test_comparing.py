"""What two texts of a macro have in common, line by line."""

from __future__ import annotations

from difflib import SequenceMatcher

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from macros import config
from macros.config.differences import MAX_LINES
from macros.config.matching import LineMatcher

LINES = st.lists(st.sampled_from("abcdefgh1234 "), max_size=40)
# Some lines that come again and again, and enough others to cut the text at.
LONG = st.integers(1, 40).flatmap(
    lambda size: st.lists(st.integers(0, size).map(str), min_size=110, max_size=160)
)


def applied(old: list[str], new: list[str]) -> list[str]:
    """The new text, made of the old one by what is said to differ."""
    made: list[str] = []
    for tag, i1, i2, j1, j2 in LineMatcher(old, new).get_opcodes():
        assert tag != "equal" or old[i1:i2] == new[j1:j2]
        made += old[i1:i2] if tag == "equal" else new[j1:j2]
    return made


@settings(max_examples=40)
@given(old=LINES | LONG, new=LINES | LONG)
def test_what_differs_leads_from_the_old_text_to_the_new_one(
    old: list[str], new: list[str]
) -> None:
    assert applied(old, new) == new
    tags = [tag for tag, *_ in LineMatcher(old, new).get_opcodes()]
    assert all(one != other for one, other in zip(tags, tags[1:], strict=False))


@given(old=LINES, new=LINES)
def test_short_texts_have_no_less_in_common_than_the_library_sees(
    old: list[str], new: list[str]
) -> None:
    if len(set(old)) < len(old) or len(set(new)) < len(new):
        return
    library = SequenceMatcher(None, old, new, False).get_matching_blocks()
    ours = LineMatcher(old, new).get_matching_blocks()
    assert sum(each.size for each in ours) >= sum(each.size for each in library)


def test_one_line_that_differs_among_2_000_is_shown_with_those_around_it() -> None:
    old = ["x", "y"] * 1_000
    new = [*old[:1_001], "z", *old[1_002:]]
    [difference] = config.differences(
        {"description": "\n".join(old)}, {"description": "\n".join(new)}
    )
    shown = [(line.sign, line.number, line.text) for line in difference.lines]
    assert shown == [
        *((" ", 1000, "y"), (" ", 1001, "x"), ("-", 1002, "y"), ("+", 1002, "z")),
        *((" ", 1003, "x"), (" ", 1004, "y")),
    ]


@pytest.mark.parametrize("extra", [0, 1])
def test_more_lines_than_a_page_holds_are_counted(extra: int) -> None:
    old, long = ["a"] * (MAX_LINES - 1), ["b"] * (MAX_LINES - 1 + 2 * extra)
    before = {"description": "\n".join(old), "name": "A"}
    after = {"description": "\n".join(long), "name": "B"}
    first, second = config.differences(before, after)
    signs = {line.sign for line in first.lines}
    assert signs == {"-", "+"}
    is_compared = len(first.lines) > 2
    assert is_compared is not bool(extra)
    if extra:
        assert first.lines[1].text == "4,001 lines, too many to compare"
    assert [line.text for line in second.lines] == ["A", "B"]


def test_the_lines_of_all_texts_count_together() -> None:
    before = {"description": "a\n" * 3_000, "name": "a\n" * 3_000}
    after = {"description": "b\n" * 3_000, "name": "b\n" * 3_000}
    first, second = config.differences(before, after)
    assert len(first.lines) == 6_000
    assert [line.text for line in second.lines] == [
        "3,000 lines",
        "3,000 lines, too many to compare",
    ]
