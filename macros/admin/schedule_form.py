"""A schedule's form: its times are those of its own time zone."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.contrib.admin.widgets import AdminSplitDateTime
from django.utils import timezone

from ..models import Macro, Rate, Schedule
from ..schedules.calendar import LAST_DAY, MAX_EVERY, time_zones
from ..schedules.words import WEEKDAYS

# What says when it runs; the preview reads these alone.
TIMING = [
    "rate",
    "every",
    "at",
    "weekdays",
    "month_day",
    "cron",
    "time_zone",
    "start_at",
    "end_at",
]
_MOMENTS = ("start_at", "end_at")
_EVERY = [Rate.MINUTES, Rate.HOURS]
_AT = [Rate.DAILY, Rate.WEEKLY, Rate.MONTHLY]


def _of(*rates: Rate, **attributes: str) -> dict[str, str]:
    """The script shows a field only where one of its rates is chosen."""
    return {"data-rates": " ".join(rates), **attributes}


def _month_days() -> list[tuple[str, str]]:
    days = [(str(day), str(day)) for day in range(1, LAST_DAY)]
    return [("", "---------"), *days, (str(LAST_DAY), "The last day")]


def _zones() -> list[tuple[str, str]]:
    return [(name, name) for name in sorted(time_zones())]


class LocalMoment(forms.SplitDateTimeField):
    """Without a time zone, which another field names."""

    widget = AdminSplitDateTime

    def compress(self, data_list: Any) -> datetime | None:
        with timezone.override(UTC):
            moment: datetime | None = super().compress(data_list)
        return moment and moment.replace(tzinfo=None)


class ScheduleForm(forms.ModelForm):
    every = forms.IntegerField(
        min_value=1,
        max_value=MAX_EVERY,
        initial=1,
        required=False,
        widget=forms.NumberInput(_of(*_EVERY)),
        help_text="For minutes and hours: how many lie in between, counted from the"
        " start.",
    )
    at = forms.TimeField(
        initial=time(9),
        required=False,
        widget=forms.TimeInput(_of(*_AT, type="time"), format="%H:%M"),
        help_text="For daily, weekly and monthly: the time of day in the time zone.",
    )
    weekdays = forms.TypedMultipleChoiceField(
        choices=[(str(number), name) for number, name in WEEKDAYS],
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple(_of(Rate.WEEKLY)),
        help_text="For weekly.",
    )
    month_day = forms.TypedChoiceField(
        label="Day of the month",
        choices=_month_days,
        coerce=int,
        empty_value=None,
        required=False,
        widget=forms.Select(_of(Rate.MONTHLY)),
        help_text="For monthly.",
    )
    cron = forms.CharField(
        label="Cron expression",
        max_length=100,
        required=False,
        widget=forms.TextInput(_of(Rate.CRON, placeholder="0 9 * * 1-5")),
        help_text="For a cron expression: minute, hour, day of the month, month, day of"
        " the week.",
    )
    time_zone = forms.ChoiceField(choices=_zones, initial=settings.TIME_ZONE)
    start_at = LocalMoment(
        label="Start",
        help_text="In the time zone above. Nothing runs before.",
    )
    end_at = LocalMoment(
        label="End",
        required=False,
        help_text="In the time zone above. Nothing runs after.",
    )

    class Meta:
        model = Schedule
        fields = TIMING

    # What it runs, where that is known.
    macro: Macro | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row: Schedule = self.instance
        if row.pk is None:
            if self.macro is not None:
                row.macro = self.macro
                row.find_owners()
            self.initial.setdefault("start_at", _this_minute())
            return
        self.initial["weekdays"] = [day for day in row.weekdays.split(",") if day]
        if row.time_zone in time_zones():
            zone = ZoneInfo(row.time_zone)
            for name in _MOMENTS:
                if moment := self.initial.get(name):
                    self.initial[name] = moment.astimezone(zone).replace(tzinfo=None)

    def clean_every(self) -> int:
        return self.cleaned_data["every"] or 1

    def clean_weekdays(self) -> str:
        return ",".join(map(str, self.cleaned_data["weekdays"]))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        name = cleaned.get("time_zone")
        zone = ZoneInfo(name) if name else UTC
        for each in _MOMENTS:
            if moment := cleaned.get(each):
                cleaned[each] = moment.replace(tzinfo=zone)
        return cleaned


def _this_minute() -> datetime:
    """As the server's clock shows it, whose zone a new schedule has at first."""
    return timezone.make_naive(timezone.now()).replace(second=0, microsecond=0)
