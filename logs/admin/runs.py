from __future__ import annotations

from collections.abc import Callable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
)
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from feedback.access.roles import RUN_MACRO
from feedback.console.parts import moment
from feedback.console.scoping import ReadOnlyAdmin
from macros.runs.control import cancel_run, confirm_run, pause_run, resume_run

from ..console import run_badge, run_bar, spoken, test_badge
from ..models import DeliveryState, Run, RunState
from .run_page import can_be_ended, live_part, page_of

# What people can do with a run, by the last part of its URL, and the message after it.
ORDERS: dict[str, tuple[Callable[[Run], bool], str]] = {
    "confirm": (confirm_run, "Confirmed: the run is on its way."),
    "pause": (pause_run, "Paused: nothing more is sent until the run is resumed."),
    "resume": (resume_run, "Resumed."),
    "cancel": (cancel_run, "Cancelled: nothing more of this run is sent."),
}


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = [
        "named",
        "standing",
        "outcome",
        "started",
        "took",
    ]
    # Any other order would sort all runs.
    sortable_by = ()
    list_per_page = 50
    list_filter = ["state", "cause", "created_at"]
    linked_parameters = ("trigger", "schedule", "listener")
    search_fields = ["macro_name", "actor_name", "cause_name"]
    date_hierarchy = "created_at"
    list_title = "Runs"
    change_list_template = "admin/logs/run/change_list.html"
    change_form_template = "admin/logs/run/run.html"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<row:pk>/progress/", wrap(self.progress), name="logs_run_progress"),
            *(
                path(
                    f"<row:pk>/{order}/",
                    wrap(self.control),
                    {"order": order},
                    name=f"logs_run_{order}",
                )
                for order in ORDERS
            ),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        return super().get_queryset(request).defer("snapshot")

    def page_of(self, request: HttpRequest, obj: Run) -> dict[str, object]:
        return page_of(obj, request.user)

    @admin.display(description="run")
    def named(self, run: Run) -> SafeString:
        return format_html("{} {}", run, test_badge(run))

    @admin.display(description="state")
    def standing(self, run: Run) -> SafeString:
        return run_badge(run)

    @admin.display(description="deliveries")
    def outcome(self, run: Run) -> SafeString:
        words = f"{run.ended:,} of {run.total:,}" if run.pending else f"{run.total:,}"
        return format_html('{}<span class="number">{}</span>', run_bar(run), words)

    @admin.display
    def started(self, run: Run) -> SafeString:
        by = run.cause_in_words
        if run.actor_name:
            by = f"{run.actor_name} ({run.get_cause_display()})"
        when = moment(run.created_at)
        return format_html('{} <small class="quiet">by {}</small>', when, by)

    @admin.display(description="took")
    def took(self, run: Run) -> str:
        return spoken(run.finished_at - run.created_at) if run.finished_at else "-"

    def progress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The part of the page that changes while the run goes on."""
        run = self.row_to(request, self.permission_to("view"), pk)
        page = live_part(run)
        html = render_to_string("admin/logs/run/progress.html", page, request)
        return JsonResponse(
            {
                "html": html,
                "standing": run_badge(run),
                "state": run.state,
                "settled": run.is_settled,
            }
        )

    def control(self, request: HttpRequest, pk: int, order: str) -> HttpResponse:
        run = self.row_to(request, RUN_MACRO, pk)
        act, done = ORDERS[order]
        if request.method != "POST" and order == "cancel":
            return self._ask(request, run)
        if request.method == "POST":
            if act(run):
                messages.success(request, done)
            else:
                run.refresh_from_db(fields=["state"])
                state = run.get_state_display().lower()
                messages.warning(request, f"Nothing was changed: the run is {state}.")
        return HttpResponseRedirect(reverse("admin:logs_run_change", args=[pk]))

    def _ask(self, request: HttpRequest, run: Run) -> HttpResponse:
        """What would be lost comes first, since nobody can take it back."""
        page = reverse("admin:logs_run_change", args=[run.pk])
        if not can_be_ended(run):
            state = run.get_state_display().lower()
            messages.warning(request, f"Nothing can be cancelled: the run is {state}.")
            return HttpResponseRedirect(page)
        held = run.deliveries.filter(state=DeliveryState.PENDING).exclude(lease="")
        context: dict[str, object] = {
            **self.admin_site.each_context(request),
            "title": f"Cancel run {run.pk}?",
            "opts": self.opts,
            "run": run,
            "on_their_way": held.count(),
            "is_dropped": run.state == RunState.UNCONFIRMED,
        }
        return TemplateResponse(request, "admin/logs/run/cancel.html", context)
