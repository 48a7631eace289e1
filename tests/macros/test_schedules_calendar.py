"""The moments of a schedule, and what they are in words."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from macros.schedules.calendar import (
    MAX_COUNTED,
    Timetable,
    moments,
    next_moment,
    passed,
    problems_of,
)
from macros.schedules.words import remark, sentence

START = datetime(2026, 1, 1, tzinfo=UTC)
NINE = time(9)
BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"


def timetable(rate: str, **values: Any) -> Timetable:
    values.setdefault("start", START)
    return Timetable(rate, **values)


def local(of: Timetable, count: int, after: datetime | None = None) -> list[str]:
    """The next moments as the clocks in its zone show them."""
    after = after or of.start - timedelta(seconds=1)
    listed = islice(moments(of, after), count)
    return [f"{each.astimezone(of.zone):%Y-%m-%d %H:%M}" for each in listed]


@pytest.mark.parametrize(
    ("rate", "values", "expected", "words"),
    [
        ("once", {}, ["2026-01-01 00:00"], "Once, on 1 Jan 2026, 00:00 UTC"),
        (
            "minutes",
            {"every": 45},
            ["2026-01-01 00:00", "2026-01-01 00:45", "2026-01-01 01:30"],
            "Every 45 minutes from 1 Jan 2026, 00:00 UTC on",
        ),
        (
            "hours",
            {"every": 1, "end": START + timedelta(hours=1)},
            ["2026-01-01 00:00", "2026-01-01 01:00"],
            "Every hour from 1 Jan 2026, 00:00 UTC on, until 1 Jan 2026, 01:00",
        ),
        (
            "daily",
            {"at": NINE, "time_zone": BERLIN},
            ["2026-01-01 09:00", "2026-01-02 09:00"],
            "Every day at 09:00 Europe/Berlin",
        ),
        (
            "weekly",
            {"at": time(9, 5), "weekdays": (1, 2, 3, 4, 5), "time_zone": BERLIN},
            ["2026-01-01 09:05", "2026-01-02 09:05", "2026-01-05 09:05"],
            "Every weekday at 09:05 Europe/Berlin",
        ),
        (
            "weekly",
            {"at": NINE, "weekdays": (1, 6, 7)},
            ["2026-01-03 09:00", "2026-01-04 09:00", "2026-01-05 09:00"],
            "Every Monday, Saturday and Sunday at 09:00 UTC",
        ),
        (
            "weekly",
            {"at": NINE, "weekdays": (1, 2, 3, 4, 5, 6, 7)},
            ["2026-01-01 09:00", "2026-01-02 09:00"],
            "Every day at 09:00 UTC",
        ),
        (
            "monthly",
            {"at": NINE, "month_day": 31},
            ["2026-01-31 09:00", "2026-03-31 09:00", "2026-05-31 09:00"],
            "On the 31st of every month at 09:00 UTC",
        ),
        (
            "monthly",
            {"at": NINE, "month_day": 29},
            ["2026-01-29 09:00", "2026-03-29 09:00", "2026-04-29 09:00"],
            "On the 29th of every month at 09:00 UTC",
        ),
        (
            "monthly",
            {"at": NINE, "month_day": 32},
            ["2026-01-31 09:00", "2026-02-28 09:00", "2026-03-31 09:00"],
            "On the last day of every month at 09:00 UTC",
        ),
        (
            "cron",
            {"cron": "0 9 * * 1-5"},
            ["2026-01-01 09:00", "2026-01-02 09:00", "2026-01-05 09:00"],
            "At 09:00 on Monday through Friday, UTC",
        ),
        (
            "cron",
            {"cron": "0 0 29 2 *"},
            ["2028-02-29 00:00", "2032-02-29 00:00"],
            "At 00:00 on February 29, UTC",
        ),
    ],
)
def test_each_rate_has_its_moments_and_its_words(
    rate: str, values: dict[str, Any], expected: list[str], words: str
) -> None:
    of = timetable(rate, **values)
    assert problems_of(of) == {}
    assert local(of, len(expected)) == expected
    if rate == "once" or of.end:
        assert local(of, 99) == expected, "and no more"
    assert sentence(of) == words


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (28, ""),
        (29, "In February it runs in leap years only."),
        (30, "In February, which has no such day, it does not run."),
        (31, "In February and other months without such a day it does not run."),
        (32, ""),
    ],
)
def test_a_day_that_months_lack_is_remarked_on(day: int, words: str) -> None:
    assert remark(timetable("monthly", at=NINE, month_day=day)) == words


# Zone, the day its clocks go forward, the day they go back.
CHANGES = [
    (BERLIN, date(2026, 3, 29), date(2026, 10, 25)),
    (NEW_YORK, date(2026, 3, 8), date(2026, 11, 1)),
    (LORD_HOWE, date(2026, 10, 4), date(2026, 4, 5)),
]
DAYS = [
    (zone, day, is_spring)
    for zone, spring, autumn in CHANGES
    for day, is_spring in ((spring, True), (autumn, False))
]


def on(day: date, of: Timetable) -> list[datetime]:
    """Its moments on a day of its zone."""
    midnight = datetime.combine(day, time(), of.zone)
    end = datetime.combine(day + timedelta(days=1), time(), of.zone)
    listed = moments(of, midnight - timedelta(seconds=1))
    return [each for each in islice(listed, 100) if each < end.astimezone(UTC)]


@pytest.mark.parametrize(("zone", "day", "is_spring"), DAYS)
def test_a_daily_half_past_two_comes_once_on_both_days(
    zone: str, day: date, is_spring: bool
) -> None:
    of = timetable("daily", at=time(2, 30), time_zone=zone)
    [moment] = on(day, of)
    # An hour that is left out is made up for when it ends; one that is repeated counts
    # the first time. On Lord Howe half an hour is, before 02:00 or from 02:00 on.
    shown = "03:00" if is_spring and zone != LORD_HOWE else "02:30"
    assert f"{moment.astimezone(ZoneInfo(zone)):%H:%M}" == shown
    assert moment.astimezone(ZoneInfo(zone)).fold == 0
    assert len(on(day + timedelta(days=1), of)) == 1


@pytest.mark.parametrize(
    ("zone", "day", "is_spring", "hourly", "half_hourly"),
    [
        (*DAYS[0], 23, 46),
        (*DAYS[1], 25, 50),
        (*DAYS[2], 23, 46),
        (*DAYS[3], 25, 50),
        # The day has 23 hours and a half, and its clocks skip 02:00.
        (*DAYS[4], 23, 47),
        # It has 24 and a half, and repeats the time from 01:30 to 02:00.
        (*DAYS[5], 24, 49),
    ],
)
def test_what_comes_every_hour_goes_on_through_the_change_of_clocks(
    zone: str, day: date, is_spring: bool, hourly: int, half_hourly: int
) -> None:
    for expression, count in (("0 * * * *", hourly), ("*/30 * * * *", half_hourly)):
        listed = on(day, timetable("cron", cron=expression, time_zone=zone))
        assert len(set(listed)) == len(listed) == count
        assert listed == sorted(listed)
    if zone != LORD_HOWE:
        midnight = datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
        every = timetable("hours", start=midnight, time_zone=zone)
        assert len(on(day, every)) == hourly
        half = timetable("minutes", every=30, start=midnight, time_zone=zone)
        assert len(on(day, half)) == half_hourly


@pytest.mark.parametrize(("zone", "day", "is_spring"), DAYS)
@pytest.mark.parametrize("expression", ["30 2 * * *", "0,30 1-3 * * *", "5 * * * *"])
def test_whenever_a_clock_asks_that_day_no_moment_comes_twice_or_in_the_past(
    zone: str, day: date, is_spring: bool, expression: str
) -> None:
    of = timetable("cron", cron=expression, time_zone=zone)
    all_of_them = on(day, of)
    after = datetime.combine(day, time(), of.zone).astimezone(UTC)
    for _ in range(24 * 6 - 6):
        following = next_moment(of, after)
        later = [each for each in all_of_them if each > after]
        if later:
            assert following == later[0], after
        else:
            assert following and following > after
        after += timedelta(minutes=10)


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"time_zone": "Europe/Berlinn"}, "time_zone", "Is it Europe/Berlin?"),
        ({"time_zone": ""}, "time_zone", "There is no time zone ''."),
        ({"time_zone": "../../etc/passwd"}, "time_zone", "There is no time zone"),
        ({"end": START}, "end_at", "The end is not after the start."),
        ({"start": datetime(1, 1, 1, tzinfo=UTC)}, "start_at", "from 2000 to 2100"),
        ({"rate": "minutes", "every": 0}, "every", "from 1 to 10,000"),
        ({"rate": "hours", "every": 10_001}, "every", "from 1 to 10,000"),
        ({"at": None}, "at", "Give the time of day."),
        ({"at": time(9, 0, 30)}, "at", "in hours and minutes"),
        ({"rate": "weekly"}, "weekdays", "at least one day"),
        ({"rate": "weekly", "weekdays": (8,)}, "weekdays", "at least one day"),
        ({"rate": "monthly"}, "month_day", "Choose a day of the month."),
        ({"rate": "monthly", "month_day": 33}, "month_day", "Choose a day"),
        ({"rate": "cron"}, "cron", "has five parts"),
        ({"rate": "cron", "cron": "* * * * * *"}, "cron", "has five parts"),
        ({"rate": "cron", "cron": "99 * * * *"}, "cron", "bad minute"),
        ({"rate": "cron", "cron": "0 0 30 2 *"}, "cron", "bad day-of-month"),
        ({"rate": "cron", "cron": "0 0 * 2 MON#5"}, "cron", "would never run"),
        ({"end": START + timedelta(hours=1)}, "end_at", "would never run"),
    ],
)
def test_what_makes_no_sense_is_refused(
    values: dict[str, Any], field: str, message: str
) -> None:
    of = Timetable(**{"rate": "daily", "start": START, "at": NINE, **values})
    assert list(problems_of(of)) == [field]
    assert message in problems_of(of)[field]


PARTS = st.text("0123456789*/,-#LWMONTUEFRISD", min_size=1, max_size=8)


@given(st.lists(PARTS, min_size=5, max_size=5).map(" ".join))
def test_any_cron_expression_runs_or_is_refused(expression: str) -> None:
    of = timetable("cron", cron=expression, time_zone=BERLIN)
    assert sentence(of)
    if not problems_of(of):
        listed = list(islice(moments(of, START), 3))
        assert listed and listed == sorted(set(listed))


RATES: list[Timetable] = [
    timetable("minutes", every=7),
    timetable("hours", every=5, end=START + timedelta(days=30)),
    timetable("daily", at=time(2, 30), time_zone=BERLIN),
    timetable("monthly", at=NINE, month_day=31, time_zone=LORD_HOWE),
    timetable("cron", cron="*/20 1-3 * * 0,3", time_zone=NEW_YORK),
    timetable("once"),
]


@pytest.mark.parametrize("of", RATES, ids=lambda of: of.rate)
@given(st.integers(0, 60 * 24 * 60))
def test_what_passed_is_what_one_would_count(of: Timetable, minutes: int) -> None:
    now = START + timedelta(minutes=minutes)
    first = next_moment(of, START - timedelta(seconds=1))
    assert first
    if first > now:
        return
    listed = [first]
    for each in moments(of, first):
        if each > now or len(listed) > 2_000:
            break
        listed.append(each)
    if len(listed) > 2_000:
        return
    stretch = passed(of, first, now)
    assert stretch.last == listed[-1]
    assert stretch.count == len(listed) or stretch.count > MAX_COUNTED < len(listed)
