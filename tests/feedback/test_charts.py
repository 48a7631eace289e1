"""Charts that the server draws: exact, bounded, and safe whatever the names are."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from feedback.console.charts import Chart, Column, Series, round_above

START = datetime(2026, 11, 23, tzinfo=UTC)


def chart(*counts: tuple[int, ...], names: tuple[str, ...] = ("a", "b")) -> Chart:
    return Chart(
        "Things",
        [Series(name, "good") for name in names],
        [Column(START + timedelta(hours=n), each) for n, each in enumerate(counts)],
    )


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, 2),
        (1, 2),
        (2, 2),
        (3, 4),
        (10, 10),
        (11, 20),
        (81, 100),
        (10**9 + 1, 2 * 10**9),
    ],
)
def test_the_scale_ends_at_a_round_even_number(number: int, expected: int) -> None:
    assert round_above(number) == expected


def test_parts_stand_on_each_other_and_nothing_is_drawn_for_nothing() -> None:
    drawn = re.findall(
        r'<rect class="good" x="([\d.]+)" y="([\d.]+)" width="7.0" height="([\d.]+)"',
        chart((1, 3), (0, 0), (0, 2)).svg,
    )
    assert drawn == [
        ("1.5", "75.00", "25.00"),
        ("1.5", "0.00", "75.00"),
        ("21.5", "50.00", "50.00"),
    ]


def test_a_name_is_text_wherever_it_stands() -> None:
    svg = chart((1,), names=('"><script>alert(1)</script>',)).svg
    assert "<script" not in svg and "&lt;script&gt;" in svg


def test_a_chart_of_nothing_is_empty() -> None:
    assert chart().is_empty and chart((0, 0)).is_empty
    assert chart().labels == [] and not chart((0, 1)).is_empty


def test_the_table_begins_with_the_newest_and_the_legend_sums_up() -> None:
    made = chart((1, 2), (3, 4))
    assert [label for label, _ in made.rows] == [
        "Mon 23 Nov, 01:00",
        "Mon 23 Nov, 00:00",
    ]
    assert [sum_ for _, sum_ in made.legend] == [4, 6]
