"""Triggers and schedules in JSON, with the members that they have in files."""

from __future__ import annotations

from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from feedback.changes import stored
from feedback.models import Filter
from feedback.rest.problems import in_body, invalid
from feedback.rest.serializers import RowNumber

from ..config import Document, Problems, take_details, take_settings
from ..config.members import read_members, settings_of
from ..models import Automation, Macro, Schedule, Trigger
from ..schedules.calendar import LAST_DAY
from ..schedules.words import sentence as timetable_in_words
from .asked import DocumentSerializer, row_seen, switch

A = TypeVar("A", bound=Automation)
_ABOUT = ["id", "macro", "filter", "name", "description", "is_active"]
_TIMES = ["created_at", "modified_at"]


class AutomationSerializer(DocumentSerializer):
    fixed = ("macro",)

    macro = RowNumber(source="macro_id", help_text="What it runs.")
    filter = RowNumber(
        source="filter_id",
        required=False,
        allow_null=True,
        help_text="Which saved filter selects what it runs on; null for all.",
    )

    def write(self, body: Document, problems: Problems) -> Automation:
        model: type[Automation] = self.Meta.model
        row = self._row(model, body)
        if self.instance is not None and body == {"is_active": False}:
            switch(row, False)
            return row
        if "filter" in body:
            row.filter = self._filter(body["filter"])
        fields = settings_of(model)
        values = read_members(body, "", problems, fields=fields, parts=["filter"])
        take_settings(row, values, "", problems)
        self.take(row, body, problems)
        problems.refuse()
        try:
            row.clean_fields()  # First: the others rely on what it reads.
            stored.save(row, self.actor)
        except ValidationError as error:
            problems.add_invalid("", error)
        return row

    def take(self, row: Any, body: Document, problems: Problems) -> None:
        """What else the body says."""

    def _row(self, model: type[A], body: Document) -> A:
        """The stored row, locked, or a new one."""
        own: Any = model._default_manager
        if self.instance is not None:
            rows = own.select_for_update(no_key=True, of=("self",))
            row: A = rows.get(pk=self.instance.pk)
            return row
        number = body.pop("macro", None)
        macro = row_seen(Macro, number, self.actor, "", self._needed())
        if macro is None:
            problem = "Say which macro it runs: its number."
            if number is not None:
                problem = f"There is no macro {str(number)[:60]}."
            raise invalid([in_body(["macro"], problem)])
        made = model(macro=macro)
        made.find_owners()
        return made

    def _needed(self) -> str:
        name = self.Meta.model._meta.model_name  # type: ignore[attr-defined]
        return f"macros.{'change' if self.instance else 'add'}_{name}"

    def _filter(self, number: object) -> Filter | None:
        if number is None:
            return None
        needed = self._needed()
        chosen: Filter | None = row_seen(Filter, number, self.actor, "", needed)
        if chosen is None:
            problem = f"There is no filter {str(number)[:60]}."
            raise invalid([in_body(["filter"], problem)])
        return chosen


@extend_schema_field(OpenApiTypes.OBJECT)
class DetailsField(serializers.JSONField):
    """An object."""


class TriggerSerializer(AutomationSerializer):
    """A trigger: it runs its macro on what an event happens to."""

    event_details = DetailsField(
        required=False,
        help_text="`from_status` and `to_status` (numbers), `field` (the key of a"
        " question), `external` (a name) or `score`, as the event takes them.",
    )

    class Meta:
        model = Trigger
        fields = [
            *_ABOUT,
            *("event", "event_details", "only_new_matches", "once_per_subject"),
            *("follows_automation", "limit", *_TIMES),
        ]
        read_only_fields = _TIMES
        validators: list[object] = []

    def take(self, row: Trigger, body: Document, problems: Problems) -> None:
        if {"event", "event_details"} & {*body}:
            take_details(row, "", problems, by_number=True)


class ScheduleSerializer(AutomationSerializer):
    """A schedule: it runs its macro when the clock says so."""

    at = serializers.CharField(
        required=False,
        allow_null=True,
        help_text="For daily, weekly and monthly: the time of day, such as 09:30.",
    )
    weekdays = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=13,
        help_text="For weekly: 1 for Monday to 7, with commas between them.",
    )
    month_day = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=LAST_DAY,
        help_text=f"For monthly; {LAST_DAY} is the last day of every month.",
    )
    start_at = serializers.DateTimeField(
        required=False, help_text="Nothing runs before; a new one starts now."
    )
    words = serializers.SerializerMethodField(help_text="When it runs, in words.")

    class Meta:
        model = Schedule
        fields = [
            *_ABOUT,
            *("rate", "every", "at", "weekdays", "month_day", "cron", "time_zone"),
            *("start_at", "end_at", "missed", "overlap", "only_undelivered"),
            *("only_changed", "next_run_at", "words", *_TIMES),
        ]
        read_only_fields = ["next_run_at", *_TIMES]
        validators: list[object] = []

    def get_words(self, schedule: Schedule) -> str:
        return timetable_in_words(schedule.timetable)

    def take(self, row: Schedule, body: Document, problems: Problems) -> None:
        if row.pk is None and "start_at" not in body:
            row.start_at = timezone.now().replace(second=0, microsecond=0)
