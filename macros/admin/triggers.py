from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme

from feedback.access.unlocking import explain_lock
from feedback.console.scoping import ScopedAdmin
from feedback.selection.conditions import NUMBER
from logs import audit
from logs.models import Action

from ..models import DecisionOutcome, Macro, Trigger, TriggerDecision
from ..triggers import try_on
from ..triggers.decisions import KEPT
from ..triggers.listing import result_of
from ..triggers.words import sentence
from .testing import MAX_NAME, find_subject, name_of_subject, no_such_subject
from .trigger_form import TriggerForm, detail_fields

_ABOUT_LOOPS = (
    "A chain of triggers ends by itself: a trigger runs once in it, whatever its macro"
    " changes."
)
SHOWN_RUNS = 10


@admin.register(Trigger)
class TriggerAdmin(ScopedAdmin[Trigger]):
    form = TriggerForm
    list_display = ["name", "macro", "event", "filter", "is_active", "modified_at"]
    list_select_related = ["macro", "filter"]
    list_filter = ["is_active", "event"]
    linked_parameters = ("macro",)
    search_fields = ["name", "description", "macro__name"]
    change_form_template = "admin/macros/trigger/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/toggle/", wrap(self.toggle), name="macros_trigger_toggle"),
            path("<int:pk>/try/", wrap(self.try_), name="macros_trigger_try"),
            *super().get_urls(),
        ]

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        """First the macro is chosen, since the rest of the form depends on it."""
        if self.has_add_permission(request) and self._chosen(request) is None:
            context = {
                **self.admin_site.each_context(request),
                "title": "Which macro is to run?",
                "opts": self.opts,
                "macros": self._macros(request),
            }
            template = "admin/macros/trigger/choose_macro.html"
            return TemplateResponse(request, template, context)
        return super().add_view(request, form_url, extra_context)

    def _macros(self, request: HttpRequest) -> Any:
        macros = Macro.objects.visible_to(request.user, self.permission_to("add"))
        related = ("feedback_type__project", "project", "community")
        return macros.select_related(*related)

    def _chosen(self, request: HttpRequest) -> Macro | None:
        pk = request.GET.get("macro", "")
        if not NUMBER.fullmatch(pk):
            return None
        chosen: Macro | None = self._macros(request).filter(pk=int(pk)).first()
        return chosen

    def _macro_of(self, request: HttpRequest, obj: Trigger | None) -> Macro | None:
        return obj.macro if obj else self._chosen(request)

    def get_form(
        self,
        request: HttpRequest,
        obj: Trigger | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> type[forms.ModelForm]:
        macro = self._macro_of(request, obj)
        if macro is not None:
            members = {**detail_fields(macro), "macro": macro}
            kwargs["form"] = type("FittingTriggerForm", (TriggerForm,), members)
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(
        self, request: HttpRequest, obj: Trigger | None = None
    ) -> list[Any]:
        macro = self._macro_of(request, obj)
        about = ["macro_page", "name", "description", "is_active"]
        details = list(detail_fields(macro)) if macro else []
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

    def get_readonly_fields(
        self, request: HttpRequest, obj: Trigger | None = None
    ) -> list[str]:
        return [*super().get_readonly_fields(request, obj), "macro_page", "in_words"]

    @admin.display(description="macro")
    def macro_page(self, trigger: Trigger) -> str:
        macro = trigger.macro
        page = reverse("admin:macros_macro_change", args=[macro.pk])
        return format_html('<a href="{}">{}</a>: {}', page, macro, macro.runs_on)

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
