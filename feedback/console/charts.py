"""Charts drawn by the server: columns of stacked parts, with a table behind each.

A chart is read without colours by its table, and without a script as a picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import get_default_timezone_name, localtime

# The units of the drawing: it is stretched to its room, and so holds no text.
HEIGHT = 100
_COLUMN = 10
_GAP = 1.5


class Series(NamedTuple):
    """What one part of each column counts; its colour is a meaning or a status's."""

    name: str
    colour: str


class Column(NamedTuple):
    """The counts of all series at one moment, in their order."""

    start: datetime
    counts: Sequence[int]

    @property
    def epoch(self) -> int:
        return int(self.start.timestamp())


@dataclass(frozen=True, slots=True)
class Chart:
    """Columns from the oldest to the newest, and what they are about."""

    title: str
    series: Sequence[Series]
    columns: Sequence[Column]
    is_by_day: bool = False
    # Shown large and for a script to take over, so that one can look closer.
    is_zoomed: bool = False
    top: int = field(init=False)

    def __post_init__(self) -> None:
        tallest = max((sum(each.counts) for each in self.columns), default=0)
        object.__setattr__(self, "top", round_above(tallest))

    @property
    def legend(self) -> list[tuple[Series, int]]:
        sums = [sum(counts) for counts in self._by_series()]
        return list(zip(self.series, sums, strict=True))

    @property
    def is_empty(self) -> bool:
        return not any(any(each.counts) for each in self.columns)

    @property
    def zone(self) -> str:
        return get_default_timezone_name()

    @property
    def middle(self) -> int:
        return self.top // 2

    @property
    def labels(self) -> list[str]:
        """Under the first, the middle and the last column."""
        if not self.columns:
            return []
        at = (0, len(self.columns) // 2, -1)
        return [self.label(self.columns[index]) for index in at]

    @property
    def rows(self) -> list[tuple[str, Column]]:
        """The table behind it, the newest first."""
        return [(self.label(each), each) for each in reversed(self.columns)]

    def label(self, column: Column) -> str:
        pattern = "D j M" if self.is_by_day else "D j M, H:i"
        return date_format(localtime(column.start), pattern)

    @property
    def svg(self) -> SafeString:
        drawn = [(self._drawn(*each),) for each in enumerate(self.columns)]
        return format_html(
            '<svg role="img" aria-label="{}" viewBox="0 0 {} {}"'
            ' preserveAspectRatio="none">{}</svg>',
            f"{self.title}. The table below has the numbers.",
            _COLUMN * len(self.columns),
            HEIGHT,
            format_html_join("", "{}", drawn),
        )

    def _drawn(self, number: int, column: Column) -> SafeString:
        """One column, its parts from the foot up."""
        x, width = number * _COLUMN + _GAP, _COLUMN - 2 * _GAP
        parts, at = [], float(HEIGHT)
        for series, count in zip(self.series, column.counts, strict=True):
            height = HEIGHT * count / self.top
            at -= height
            if count:
                parts.append((series.colour, x, f"{at:.2f}", width, f"{height:.2f}"))
        if not parts:
            return SafeString("")
        rect = '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>'
        return format_html(
            "<g><title>{}</title>{}</g>",
            f"{self.label(column)}: {self._in_words(column)}",
            format_html_join("", rect, parts),
        )

    def _in_words(self, column: Column) -> str:
        pairs = zip(self.series, column.counts, strict=True)
        return ", ".join(f"{count:,} {each.name}" for each, count in pairs if count)

    def _by_series(self) -> list[list[int]]:
        return [
            [each.counts[index] for each in self.columns]
            for index in range(len(self.series))
        ]


def round_above(number: int) -> int:
    """An even number that is easy to read, not below the given one: 2, 4, 10, 20."""
    step = 1
    while True:
        for factor in (2, 4, 6, 8, 10):
            if factor * step >= number:
                return factor * step
        step *= 10
