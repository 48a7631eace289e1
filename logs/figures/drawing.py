"""The charts of the figures."""

from __future__ import annotations

from datetime import datetime

from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from feedback.console.charts import Chart, Column, Series
from feedback.console.parts import Meaning, bar

from .deliveries import Figures, Totals
from .periods import day_before
from .tickets import DAYS, Counts, Standing

# From the foot of a column up; each with what of the totals it shows.
OUTCOMES = {
    "good": Series("delivered", Meaning.GOOD),
    "problems": Series("delivered with a problem", Meaning.WAITING),
    "failed": Series("failed", Meaning.BAD),
    "skipped": Series("skipped", Meaning.IDLE),
    "cancelled": Series("cancelled", "rest"),
}


def deliveries_chart(figures: Figures) -> Chart:
    """Deliveries by outcome; an outcome that never came about has no part in it."""
    shown = {
        name: series
        for name, series in OUTCOMES.items()
        if name in ("good", "failed") or getattr(figures.total, name)
    }
    return Chart(
        f"Deliveries by outcome, last {figures.period.label}",
        list(shown.values()),
        [
            Column(start, [getattr(totals, name) for name in shown])
            for start, totals in figures.parts
        ],
        is_by_day=figures.period.is_by_day,
        is_zoomed=True,
    )


def outcomes_bar(totals: Totals, label: str) -> SafeString:
    parts = [
        (series.colour, getattr(totals, name), series.name)
        for name, series in OUTCOMES.items()
    ]
    return bar(parts, label)


def tickets_chart(standing: Standing, name: str, now: datetime) -> Chart:
    """Tickets by status at the end of each of the last days."""
    statuses = standing.statuses
    starts = [day_before(now, back) for back in range(DAYS - 1, -1, -1)]
    days = [standing.days.get(localtime(start).date(), Counts()) for start in starts]
    return Chart(
        f"{name}: tickets by status, last {DAYS} days",
        [Series(each.name, each.colour) for each in statuses],
        [
            Column(start, [day[each.pk] for each in statuses])
            for start, day in zip(starts, days, strict=True)
        ],
        is_by_day=True,
    )


def tickets_bar(standing: Standing, name: str) -> SafeString:
    parts = [
        (status.colour, standing.now[status.pk], status.name)
        for status in standing.statuses
    ]
    return bar(parts, f"{name}: tickets by status")
