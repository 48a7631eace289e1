from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.fields.related import RelatedField
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from feedback.access.actors import may
from feedback.access.roles import RUN_MACRO
from feedback.access.unlocking import explain_lock
from feedback.console.scoping import edited_pk

from ..models import Macro, Schedule, fitting
from ..schedules.listing import last_of, with_last
from ..schedules.words import sentence
from .schedule_form import TIMING, ScheduleForm
from .schedule_pages import SchedulePages, moments_of, shown_next


@admin.register(Schedule)
class ScheduleAdmin(SchedulePages):
    form = ScheduleForm
    change_form_template = "admin/macros/schedule/change_form.html"
    list_display = ["name", "macro", "in_words", "next_run", "last_result"]
    list_select_related = ["macro__feedback_type__project", "filter"]
    list_filter = ["is_active", "rate"]

    def get_form(
        self,
        request: HttpRequest,
        obj: Schedule | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> type[ModelForm]:
        macro = self.macro_of(request, obj)
        kwargs["form"] = type("FittingScheduleForm", (ScheduleForm,), {"macro": macro})
        return super().get_form(request, obj, change, **kwargs)

    def get_list_display(self, request: HttpRequest) -> Any:
        switch = "switch" if self.has_change_permission(request) else "is_active"
        return ["name", switch, *self.list_display[1:]]

    def get_fieldsets(self, request: HttpRequest, obj: Schedule | None = None) -> Any:
        about = ["macro_page", "name", "description", "is_active"]
        selection = ["filter", "only_undelivered", "only_changed"]
        timing = TIMING
        if obj is not None and not self.has_change_permission(request, obj):
            timing = ["in_words", "start_at", "end_at"]
        return [
            (None, {"fields": about}),
            ("Runs on", {"fields": selection}),
            ("When", {"fields": timing}),
            ("If it can't start on time", {"fields": ["missed", "overlap"]}),
        ]

    def get_field_queryset(
        self, db: str | None, db_field: RelatedField, request: HttpRequest
    ) -> QuerySet | None:
        rows = super().get_field_queryset(db, db_field, request)
        if db_field.name != "filter" or rows is None:
            return rows
        own = Macro.objects.filter(schedules=edited_pk(request)).first()
        macro = own or self.chosen(request)
        return rows.filter(fitting(macro)) if macro else rows

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return with_last(super().get_queryset(request))

    def page_of(self, request: HttpRequest, obj: Schedule) -> dict[str, object]:
        macro, user = obj.macro, request.user
        locked = macro.is_locked()
        return {
            "lock": explain_lock(macro.community, user) if locked else None,
            "may_run": may(user, RUN_MACRO, obj),
            "is_overdue": obj.is_overdue(timezone.now()),
            "last_result": last_of(obj),
            **moments_of(obj),
        }

    @admin.display(description="when")
    def in_words(self, schedule: Schedule) -> str:
        return sentence(schedule.timetable)

    @admin.display(description="next run", ordering="next_run_at")
    def next_run(self, schedule: Schedule) -> str:
        if schedule.next_run_at is None:
            return "-"
        shown = shown_next(schedule)
        if schedule.is_overdue(timezone.now()):
            overdue = '<span class="state state-failed">Overdue</span> since {}'
            return format_html(overdue, shown)
        return shown

    @admin.display(description="last moment")
    def last_result(self, schedule: Schedule) -> str:
        label = last_of(schedule)
        page = reverse("admin:macros_schedule_past", args=[schedule.pk])
        return format_html('<a href="{}">{}</a>', page, label) if label else "-"

    @admin.display(description="on", ordering="is_active")
    def switch(self, schedule: Schedule) -> str:
        """The list's rows stand in its form, so the button only names another URL."""
        word, other = ("On", "off") if schedule.is_active else ("Off", "on")
        page = reverse("admin:macros_schedule_toggle", args=[schedule.pk])
        button = '<button type="submit" class="button" formaction="{}">Switch {}'
        return format_html(f"{{}} {button}</button>", word, page, other)
