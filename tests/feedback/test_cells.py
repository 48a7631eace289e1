"""A cell of an export is shown by the spreadsheet, never calculated."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.transfer.cells import safe_cell

FORMULA = "=+-@\t\r\n＝＋－＠"


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("https://evil.example","Open")',
        "+1+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "＝1+1",
        "＋1",
        "－1",
        "＠SUM(1)",
        "  =1+1",
        "\ufeff=1+1",
        "\u202e=1+1",
        "\0=1",
    ],
)
def test_text_that_would_be_a_formula_is_quoted(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "It breaks", "a=b", "a@b.c", "'=1", "1-2", "  x"])
def test_other_text_is_left_alone(text: str) -> None:
    assert safe_cell(text) == text


@pytest.mark.parametrize(
    "value",
    [
        *(0, -5, 2.5, Decimal("-1.5"), True, None),
        *(date(2026, 1, 2), datetime(2026, 1, 2, tzinfo=UTC)),
    ],
)
def test_numbers_and_dates_stay_what_they_are(value: object) -> None:
    assert safe_cell(value) is value


def test_what_is_no_cell_becomes_text() -> None:
    class Evil:
        def __str__(self) -> str:
            return "=1+1"

    assert safe_cell(Evil()) == "'=1+1"
    assert safe_cell(["=1"]) == "['=1']"


@given(st.text(), st.sampled_from(FORMULA))
def test_no_text_begins_a_formula_in_a_file(text: str, first: str) -> None:
    for value in (text, first + text):
        file = io.StringIO(newline="")
        csv.writer(file).writerow([safe_cell(value)])
        file.seek(0)
        (row,) = csv.reader(file)
        assert row[0].endswith(value)
        assert not row[0].startswith(tuple(FORMULA))
