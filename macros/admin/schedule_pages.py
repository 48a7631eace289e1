"""The pages beside a schedule's own, and what they show."""

from __future__ import annotations

import re
import uuid
from itertools import islice

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Prefetch
from django.forms import ModelForm, modelform_factory
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from feedback.access.roles import RUN_MACRO
from feedback.access.unlocking import explain_lock
from logs import audit
from logs.models import Action, Run

from ..models import OccurrenceOutcome, Schedule
from ..runs import RunRefused, not_run_on
from ..schedules.calendar import moments, problems_of
from ..schedules.starting import KEPT, run_now, subjects_for
from ..schedules.words import on_day, remark, sentence
from .automation_pages import AutomationAdmin
from .schedule_form import ScheduleForm

SHOWN = 5
_KEY = re.compile(r"[0-9a-f]{32}")


class SchedulePages(AutomationAdmin[Schedule]):
    def get_urls(self) -> list[URLPattern]:
        wrap, one = self.admin_site.admin_view, "<row:pk>/"
        pages = {"past": self.past, "run": self.run_page, "toggle": self.toggle}
        return [
            path("moments/", wrap(self.preview), name="macros_schedule_moments"),
            *(
                path(f"{one}{name}/", wrap(view), name=f"macros_schedule_{name}")
                for name, view in pages.items()
            ),
            *super().get_urls(),
        ]

    def preview(self, request: HttpRequest) -> HttpResponse:
        """What the form means as it is by now; nothing is saved."""
        allowed = any(self._has(request, each, None) for each in ("add", "change"))
        if not allowed:
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseRedirect(reverse("admin:macros_schedule_add"))
        form = modelform_factory(Schedule, form=ScheduleForm)(request.POST)
        valid = form.is_valid()
        context = moments_of(form.instance) if valid else {"problems": _faults(form)}
        html = render_to_string("admin/macros/schedule/moments.html", context)
        return JsonResponse({"html": html})

    def past(self, request: HttpRequest, pk: int) -> HttpResponse:
        schedule = self.row_to(request, self.permission_to("view"), pk)
        # A run keeps its macro, which may be much.
        runs = Run.objects.defer("snapshot")
        rows = schedule.occurrences.prefetch_related(Prefetch("run", runs))
        zone = schedule.time_zone
        listed = [(row, on_day(row.scheduled_for, zone)) for row in rows[: KEPT * 2]]
        return self._page(request, schedule, "past", rows=listed, kept=KEPT)

    def run_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How many it would be, and on a POST the run."""
        schedule = self.row_to(request, RUN_MACRO, pk)
        if request.method == "POST":
            return self._start(request, schedule)
        context: dict[str, object] = {"key": uuid.uuid4().hex}
        try:
            subjects, words = subjects_for(schedule)
        except RunRefused as refusal:
            context["problem"] = str(refusal)
        else:
            context["count"] = not_run_on(schedule.macro, subjects).count()
            context["selection"] = words
        if schedule.macro.is_locked():
            context["lock"] = explain_lock(schedule.community, request.user)
        return self._page(request, schedule, "run_now", **context)

    def _start(self, request: HttpRequest, schedule: Schedule) -> HttpResponse:
        key = request.POST.get("key", "")
        key = key if _KEY.fullmatch(key) else uuid.uuid4().hex
        occurrence = run_now(schedule, request.user, key)
        if occurrence.outcome == OccurrenceOutcome.STARTED and occurrence.run:
            page = reverse("admin:logs_run_change", args=[occurrence.run.pk])
            return HttpResponseRedirect(page)
        messages.error(request, occurrence.detail)
        page = reverse("admin:macros_schedule_change", args=[schedule.pk])
        return HttpResponseRedirect(page)

    def toggle(self, request: HttpRequest, pk: int) -> HttpResponse:
        """On or off with one click, from wherever it is listed."""
        schedule = self.row_to(request, self.permission_to("change"), pk)
        if request.method == "POST":
            schedule.is_active = not schedule.is_active
            try:
                if schedule.is_active:
                    schedule.full_clean(exclude=["community", "project"])
            except ValidationError as error:
                messages.error(request, " ".join(error.messages))
                return HttpResponseRedirect(_back(request, pk))
            on = schedule.is_active
            action = Action.SWITCHED_ON if on else Action.SWITCHED_OFF
            with transaction.atomic():
                schedule.save(update_fields=["is_active"])
                audit.record(action, schedule)
            messages.success(request, f"{schedule} is {'on' if on else 'off'}.")
        return HttpResponseRedirect(_back(request, pk))

    def _page(
        self,
        request: HttpRequest,
        schedule: Schedule,
        template: str,
        **context: object,
    ) -> HttpResponse:
        shared = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "schedule": schedule,
            "title": str(schedule),
        }
        name = f"admin/macros/schedule/{template}.html"
        return TemplateResponse(request, name, shared | context)


def _back(request: HttpRequest, pk: int) -> str:
    """To the page that the button stood on; the list's is in the list's own form."""
    page, allowed = request.POST.get("next", ""), {request.get_host()}
    if url_has_allowed_host_and_scheme(page, allowed):
        return page
    if "action" in request.POST:
        return reverse("admin:macros_schedule_changelist")
    return reverse("admin:macros_schedule_change", args=[pk])


def shown_next(schedule: Schedule) -> str:
    """Its next moment, in its zone."""
    moment, zone = schedule.next_run_at, schedule.time_zone
    return f"{on_day(moment, zone)} {zone}" if moment else ""


def moments_of(schedule: Schedule) -> dict[str, object]:
    timetable, zone = schedule.timetable, schedule.time_zone
    if problems := problems_of(timetable):
        return {"problems": list(problems.values())}
    listed = islice(moments(timetable, timezone.now()), SHOWN)
    return {
        "words": sentence(timetable),
        "remark": remark(timetable),
        "zone": zone,
        "moments": [(on_day(each, zone), on_day(each, "UTC")) for each in listed],
        "next_run": shown_next(schedule),
        "is_off": not schedule.is_active,
    }


def _faults(form: ModelForm) -> list[str]:
    return [
        f"{form.fields[name].label or name}: {text}"
        for name, texts in form.errors.items()
        for text in texts
    ]
