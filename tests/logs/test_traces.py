"""Finding one person's values, however they are written."""

from __future__ import annotations

from typing import Any

import pytest

from logs.privacy.traces import Traces

ALL = Traces(
    ["Ann", "O'Brien", "Ann O'Brien", "Grüner Weg 5", "EH1 1AB", "王小明", "X"],
    email="ann.o'brien+beta@example.com",
    phone="+49 (30) 123-4567",
    wide=True,
)
STRICT = Traces([], email="ann@example.com")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Ann said so", "[erased] said so"),
        ("ANN's phone", "[erased]'s phone"),
        ("Annual plans of Joann", None),
        ("ann_obrien, Ann_O'BRIEN", "[erased]_obrien, [erased]_[erased]"),
        ("by Ann  O’Brien, and O'brien", "by [erased], and [erased]"),
        ("gru\u0308ner weg\n5.", "[erased]."),
        ("Grüner Weg 55", None),
        ("我是王小明的朋友", "我是[erased]的朋友"),
        ("Generation X", None),
        ("call +49 30 1234567 or 0049/30/12.34.567", "call [erased] or [erased]"),
        ("?tel=%2B49%2030%201234567&x=1", "?tel=[erased]&x=1"),
        ("order 149301234567, or 4930123456789", None),
        ("<Ann.O'Brien+beta@EXAMPLE.com>", "<[erased]>"),
        ("?to=ann.o%27brien%2Bbeta%40example.com&b=1", "?to=[erased]&b=1"),
        ("&to=ann.o%27brien%2bbeta%40example.com", "&to=[erased]"),
        (
            r'{"a": "\nAnn", "b": "\u003cO\u2019Brien"}',
            r'{"a": "\n[erased]", "b": "\u003c[erased]"}',
        ),
        ("O&#39;Brien &amp; O&#x27;Brien", "[erased] &amp; [erased]"),
        ("Gr%C3%BCner%20Weg%205 gr\\u00fcner weg 5", "[erased] [erased]"),
        ("joann.o'brien+beta@example.com", "joann.[erased]+beta@example.com"),
        ("ann.o'brien+beta@example.com.Thanks", "[erased].Thanks"),
    ],
)
def test_values_are_found_as_whole_words_in_any_form(
    text: str, left: str | None
) -> None:
    expected = text if left is None else left
    assert ALL.erased_from(text) == expected
    assert ALL.are_in(text) is (expected != text)


@pytest.mark.parametrize(
    ("text", "is_there"),
    [
        ("mail ann@example.com.", True),
        ("...ann@example.com", True),
        ("_ann@example.com_", True),
        ("joann@example.com", False),
        ("jo.ann@example.com", False),
        ("jo-ann@example.com", False),
        ("ann@example.com.au", False),
        ("ann@example.com-shop.net", False),
        ("ann@example.community", False),
        ("Ann", False),
    ],
)
def test_a_longer_address_is_another_one(text: str, is_there: bool) -> None:
    assert STRICT.are_in(text) is is_there


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ({"by": ["Ann", {"Ann": 5}]}, {"by": ["[erased]", {"[erased]": 5}]}),
        ({"tel": 49301234567, "ok": True}, {"tel": "[erased]", "ok": True}),
        ({"n": None, "x": 1.5}, {"n": None, "x": 1.5}),
    ],
)
def test_json_is_searched_to_its_ends(value: Any, left: Any) -> None:
    assert ALL.erased_from(value) == left


def test_without_any_value_nothing_is_found() -> None:
    nothing = Traces(["", " ", "X"], email="", phone="12")
    assert nothing.erased_from("X 12 anything") == "X 12 anything"


@pytest.mark.parametrize("sign", ["+", "(", "%2B", "00", "+4", "4 "])
def test_60_000_signs_that_begin_a_number_take_no_longer_than_other_letters(
    sign: str,
) -> None:
    signs = sign * 60_000
    assert ALL.erased_from(f"{signs}x +49 30 1234567") == f"{signs}x [erased]"


def test_no_more_than_eight_separators_stand_between_two_digits() -> None:
    assert ALL.erased_from("+49 (0)30") == "+49 (0)30"
    assert ALL.erased_from(f"+49{' ' * 8}30 1234567") == "[erased]"
    spaced = f"+49{' ' * 9}30 1234567"
    assert ALL.erased_from(spaced) == spaced
