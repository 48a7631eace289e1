from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme

from feedback.access.unlocking import explain_lock
from logs import audit
from logs.models import Action

from ..models import DecisionOutcome, Macro, Trigger, TriggerDecision
from ..triggers import try_on
from ..triggers.decisions import KEPT
from ..triggers.listing import result_of
from ..triggers.words import sentence
from .automation_pages import AutomationAdmin
from .testing import MAX_NAME, find_subject, name_of_subject, no_such_subject
from .trigger_form import TriggerForm, detail_fields

_ABOUT_LOOPS = (
    "A chain of triggers ends by itself: a trigger runs once in it, whatever its macro"
    " changes."
)
SHOWN_RUNS = 10


@admin.register(Trigger)
class TriggerAdmin(AutomationAdmin[Trigger]):
    form = TriggerForm
    list_display = ["name", "macro", "event", "filter", "is_active", "modified_at"]
    list_select_related = ["macro", "filter"]
    list_filter = ["is_active", "event"]
    change_form_template = "admin/macros/trigger/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<row:pk>/toggle/", wrap(self.toggle), name="macros_trigger_toggle"),
            path("<row:pk>/try/", wrap(self.try_), name="macros_trigger_try"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        owners = ("feedback_type__project", "project", "community")
        macro_owners = [f"macro__{each}" for each in owners]
        of_filter = [f"filter__{each}" for each in owners]
        return super().get_queryset(request).select_related(*macro_owners, *of_filter)

    def get_form(
        self,
        request: HttpRequest,
        obj: Trigger | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> type[forms.ModelForm]:
        macro = self.macro_of(request, obj)
        if macro is not None:
            members = {**self._details(request, macro), "macro": macro}
            kwargs["form"] = type("FittingTriggerForm", (TriggerForm,), members)
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(
        self, request: HttpRequest, obj: Trigger | None = None
    ) -> list[Any]:
        macro = self.macro_of(request, obj)
        about = ["macro_page", "name", "description", "is_active"]
        details = list(self._details(request, macro)) if macro else []
        if not self.has_change_permission(request, obj) and obj:
            about, details = ["in_words", *about], []
        return [
            (None, {"fields": about}),
            ("When", {"fields": ["event", *details, "filter"]}),
            (
                "Options",
                {
                    "fields": ["only_new_matches", "once_per_subject", "limit"],
                },
            ),
            (
                "Automation",
                {"fields": ["follows_automation"], "description": _ABOUT_LOOPS},
            ),
        ]

    def _details(self, request: HttpRequest, macro: Macro) -> dict[str, forms.Field]:
        """Made once a request, and copied by each form."""
        if not hasattr(request, "detail_fields"):
            request.detail_fields = detail_fields(macro)  # type: ignore[attr-defined]
        return request.detail_fields  # type: ignore[attr-defined,no-any-return]

    @admin.display(description="in words")
    def in_words(self, trigger: Trigger) -> str:
        return sentence(trigger)

    def page_of(self, request: HttpRequest, obj: Trigger) -> dict[str, object]:
        related = ("feedback", "tester", "run")
        decisions = obj.decisions.select_related(*related)[:KEPT]
        newest = find_subject(obj.macro, request.user)
        community = obj.macro.community
        is_locked = obj.macro.is_locked()
        return {
            "sentence": sentence(obj),
            "decisions": [(row, subject_of(row), result_of(row)) for row in decisions],
            "runs": obj.runs.visible_to(request.user).defer("snapshot")[:SHOWN_RUNS],
            "subject_noun": obj.subject_kind.label.lower(),
            "subject_name": newest and name_of_subject(obj.macro, newest),
            "lock": explain_lock(community, request.user) if is_locked else None,
            "may_change": self.has_change_permission(request, obj),
        }

    def toggle(self, request: HttpRequest, pk: int) -> HttpResponse:
        """On or off with one click, from wherever it is listed."""
        trigger = self.row_to(request, self.permission_to("change"), pk)
        if request.method == "POST":
            is_on = not trigger.is_active
            action = Action.SWITCHED_ON if is_on else Action.SWITCHED_OFF
            with transaction.atomic():
                rows = Trigger.objects.filter(pk=pk, is_active=not is_on)
                if rows.update(is_active=is_on):
                    audit.record(action, trigger)
            messages.success(request, f"{trigger} is {'on' if is_on else 'off'}.")
        return HttpResponseRedirect(_back(request, pk))

    def try_(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What it decides on one subject, without starting anything."""
        trigger = self.row_to(request, self.permission_to("view"), pk)
        name = request.POST.get("subject", "").strip()[:MAX_NAME]
        if request.method == "POST":
            macro = trigger.macro
            subject = find_subject(macro, request.user, name) if name else None
            if subject is None:
                messages.error(request, no_such_subject(macro, name))
            else:
                messages.info(request, _forecast(name, try_on(trigger, subject.pk)))
        return HttpResponseRedirect(_page(pk))


def subject_of(decision: TriggerDecision) -> tuple[str, str]:
    """Its page and its name."""
    if decision.feedback is not None:
        page = reverse("admin:feedback_feedback_change", args=[decision.feedback_id])
        return page, decision.feedback.reference
    if decision.tester is not None:
        page = reverse("admin:feedback_tester_change", args=[decision.tester_id])
        return page, decision.tester.email
    return "", ""


def _forecast(name: str, decision: TriggerDecision | None) -> str:
    if decision is None:
        return f"{name}: the macro does not run on it."
    starts = (DecisionOutcome.STARTED, DecisionOutcome.UNCONFIRMED)
    if decision.outcome in starts:
        return f"{name}: it would start a run if its event happened now."
    return f"{name}: it would start nothing. {result_of(decision)}"


def _page(pk: int) -> str:
    return reverse("admin:macros_trigger_change", args=[pk])


def _back(request: HttpRequest, pk: int) -> str:
    """To the page that the button stood on."""
    page = request.POST.get("next", "")
    allowed = {request.get_host()}
    return page if url_has_allowed_host_and_scheme(page, allowed) else _page(pk)
