"""When a schedule runs, as people say it."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from .calendar import LAST_DAY, Timetable, time_zones

WEEKDAYS = [
    (1, "Monday"),
    (2, "Tuesday"),
    (3, "Wednesday"),
    (4, "Thursday"),
    (5, "Friday"),
    (6, "Saturday"),
    (7, "Sunday"),
]
_NAMES = dict(WEEKDAYS)
_ORDINALS = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}
# Which months have no such day.
_SHORT = {
    29: "In February it runs in leap years only.",
    30: "In February, which has no such day, it does not run.",
    31: "In February and other months without such a day it does not run.",
}


def sentence(timetable: Timetable) -> str:
    """`Every weekday at 09:00 Europe/Berlin`, without a full stop."""
    end = timetable.end
    until = f", until {on_day(end, timetable.time_zone)}" if end else ""
    return f"{_rate(timetable)}{until}"


def remark(timetable: Timetable) -> str:
    """What people might not expect of it; empty where there is nothing."""
    if timetable.rate != "monthly" or timetable.month_day is None:
        return ""
    return _SHORT.get(timetable.month_day, "")


def on_day(moment: datetime, time_zone: str) -> str:
    """`26 Nov 2026, 09:00`, as the clocks there show it; in UTC where nobody knows."""
    known = time_zone in time_zones()
    local = moment.astimezone(ZoneInfo(time_zone) if known else UTC)
    return f"{local.day} {local:%b %Y, %H:%M}"


def _rate(timetable: Timetable) -> str:
    zone = _known(timetable.time_zone)
    at = f"{timetable.at:%H:%M} {zone}" if timetable.at else zone
    match timetable.rate:
        case "once":
            return f"Once, on {on_day(timetable.start, timetable.time_zone)} {zone}"
        case "minutes" | "hours":
            return _every(timetable)
        case "daily":
            return f"Every day at {at}"
        case "weekly":
            return f"{_weekdays(timetable.weekdays)} at {at}"
        case "monthly":
            return f"On {_month_day(timetable.month_day)} of every month at {at}"
        case _:
            return f"{_cron(timetable.cron)}, {zone}"


def _known(time_zone: str) -> str:
    return time_zone if time_zone in time_zones() else f"{time_zone} (unknown)"


def _every(timetable: Timetable) -> str:
    unit, count = timetable.rate, timetable.every
    many = unit.removesuffix("s") if count == 1 else f"{count:,} {unit}"
    from_then = on_day(timetable.start, timetable.time_zone)
    return f"Every {many} from {from_then} {_known(timetable.time_zone)} on"


def _weekdays(days: tuple[int, ...]) -> str:
    if set(days) == set(_NAMES):
        return "Every day"
    if set(days) == {1, 2, 3, 4, 5}:
        return "Every weekday"
    names = [_NAMES[day] for day in sorted(set(days)) if day in _NAMES]
    *first, last = names or ["week"]
    return f"Every {', '.join(first)} and {last}" if first else f"Every {last}"


def _month_day(day: int | None) -> str:
    if day is None:
        return "a day"
    return "the last day" if day == LAST_DAY else f"the {day}{_ORDINALS.get(day, 'th')}"


def _cron(expression: str) -> str:
    try:
        return CronSim(expression, datetime(2026, 1, 1)).explain()
    except (CronSimError, AssertionError, IndexError, TypeError, ValueError):
        return f"At {expression}"
