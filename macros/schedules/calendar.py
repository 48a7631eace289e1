"""When a schedule runs: its moments, worked out from its settings alone.

Whatever is calendar is a cron expression in the schedule's time zone, and cronsim's
work: a daily 02:30 comes once on both days of the change of clocks, and `*/30` goes on
through the hour that is repeated. "Every so many" is plain arithmetic in UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from difflib import get_close_matches
from functools import cache
from itertools import islice, takewhile
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

MAX_EVERY = 10_000
# Moments that are counted one by one; more are "more than".
MAX_COUNTED = 1_000
MAX_YEARS_AHEAD = 10
LAST_DAY = 32
# Years of a start or an end.
_YEARS = range(2000, 2101)
_STEPS = {"minutes": timedelta(minutes=1), "hours": timedelta(hours=1)}
_AT = frozenset({"daily", "weekly", "monthly"})
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Timetable:
    """The settings of a schedule that say when it runs.

    `rate` is a value of `macros.models.Rate`. Weekdays are numbered as in ISO 8601, and
    day 32 is the last of every month. Start and end know their zone.
    """

    rate: str
    start: datetime
    end: datetime | None = None
    time_zone: str = "UTC"
    every: int = 1
    at: time | None = None
    weekdays: tuple[int, ...] = ()
    month_day: int | None = None
    cron: str = ""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def step(self) -> timedelta | None:
        """What lies between two moments, where that is always the same."""
        unit = _STEPS.get(self.rate)
        return unit and unit * self.every

    @property
    def expression(self) -> str:
        """The same as a cron expression, where the calendar says when."""
        if self.rate == "cron":
            return self.cron
        at = self.at or time()
        days = ",".join(map(str, self.weekdays)) if self.rate == "weekly" else "*"
        month_day: object = self.month_day if self.rate == "monthly" else "*"
        if month_day == LAST_DAY:
            month_day = "L"
        return f"{at.minute} {at.hour} {month_day} * {days}"


@dataclass(frozen=True, slots=True)
class Passed:
    """The moments of a stretch of time: the last of them, and how many there were."""

    last: datetime
    count: int

    def __str__(self) -> str:
        if self.count > MAX_COUNTED:
            return f"more than {MAX_COUNTED:,}"
        return f"{self.count:,}"


@cache
def time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def moments(timetable: Timetable, after: datetime) -> Iterator[datetime]:
    """All that come after a moment, in UTC and in order, each of them once."""
    floor = max(after, timetable.start - _INSTANT)
    for moment in _without_end(timetable, floor):
        if timetable.end is not None and moment > timetable.end:
            return
        yield moment


def next_moment(timetable: Timetable, after: datetime) -> datetime | None:
    return next(moments(timetable, after), None)


def _without_end(timetable: Timetable, floor: datetime) -> Iterator[datetime]:
    start, step = timetable.start.astimezone(UTC), timetable.step
    if timetable.rate == "once":
        yield from [start] if start > floor else []
    elif step is not None:
        moment = start + ((floor - start) // step + 1) * step
        while True:
            yield moment
            moment += step
    else:
        for local in CronSim(timetable.expression, floor.astimezone(timetable.zone)):
            moment = local.astimezone(UTC)
            # In the repeated hour it begins with the hour's first pass, and two times
            # that a change of clocks leaves out become one.
            if moment > floor:
                floor = moment
                yield moment


def passed(timetable: Timetable, first: datetime, now: datetime) -> Passed:
    """The moments from `first`, which is one, until now."""
    return Passed(_last(timetable, first, now), _count(timetable, first, now))


def _last(timetable: Timetable, first: datetime, now: datetime) -> datetime:
    """Found by halving, since there may be half a million a year."""
    last, end = first, now
    while (following := next_moment(timetable, last)) and following <= now:
        middle = last + (end - last) / 2
        moment = next_moment(timetable, middle)
        if moment and moment <= now:
            last = moment
        else:
            last, end = following, middle
    return last


def _count(timetable: Timetable, first: datetime, now: datetime) -> int:
    if timetable.step is not None:
        end = min(now, timetable.end or now)
        return max(0, (end - first) // timetable.step) + 1
    later = takewhile(lambda each: each <= now, moments(timetable, first))
    return 1 + sum(1 for _ in islice(later, MAX_COUNTED + 1))


def problems_of(timetable: Timetable) -> dict[str, str]:
    """What keeps it from running, by the names of the schedule's fields."""
    problems = dict(_faults(timetable))
    if not problems and (never := _never(timetable)):
        problems |= never
    return problems


def _faults(timetable: Timetable) -> Iterator[tuple[str, str]]:
    rate, start, end = timetable.rate, timetable.start, timetable.end
    if timetable.time_zone not in time_zones():
        yield "time_zone", _unknown_zone(timetable.time_zone)
    for name, moment in (("start_at", start), ("end_at", end)):
        if moment is not None and moment.year not in _YEARS:
            yield name, f"Give a year from {_YEARS[0]} to {_YEARS[-1]}."
    if end is not None and end <= start:
        yield "end_at", "The end is not after the start."
    if rate in _STEPS and not 1 <= timetable.every <= MAX_EVERY:
        yield "every", f"Give a whole number from 1 to {MAX_EVERY:,}."
    if rate in _AT and timetable.at is None:
        yield "at", "Give the time of day."
    if rate in _AT and timetable.at and (timetable.at.second or timetable.at.tzinfo):
        yield "at", "Give the time of day in hours and minutes."
    days = timetable.weekdays
    if rate == "weekly" and not (days and all(1 <= day <= 7 for day in days)):
        yield "weekdays", "Choose at least one day of the week."
    if rate == "monthly" and timetable.month_day not in range(1, LAST_DAY + 1):
        yield "month_day", "Choose a day of the month."
    if rate == "cron" and (problem := _bad_cron(timetable.cron)):
        yield "cron", problem


def _unknown_zone(name: str) -> str:
    near = get_close_matches(name, sorted(time_zones()), 1)
    return f"There is no time zone '{name}'." + (f" Is it {near[0]}?" if near else "")


def _bad_cron(expression: str) -> str:
    fields = "minute, hour, day of the month, month, day of the week"
    if len(expression.split()) != 5:
        return f"A cron expression has five parts: {fields}. 0 9 * * 1-5 is an example."
    try:
        CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC))
    except (CronSimError, AssertionError, TypeError, ValueError) as error:
        return f"This is not a cron expression: {str(error).lower() or 'bad part'}."
    return ""


def _never(timetable: Timetable) -> dict[str, str]:
    """An expression may be well formed and mean no day that there is."""
    first = next(_without_end(timetable, timetable.start - _INSTANT), None)
    limit = timetable.start + timedelta(days=366 * MAX_YEARS_AHEAD)
    if first is None or first > limit:
        days = f"No such day comes within {MAX_YEARS_AHEAD} years of the start."
        return {"cron": f"{days} It would never run."}
    if timetable.end is not None and first > timetable.end:
        return {"end_at": "No moment comes before the end. It would never run."}
    return {}
