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
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from feedback.access.actors import may
from feedback.access.roles import RUN_MACRO
from feedback.console.scoping import ReadOnlyAdmin
from macros import queue
from macros.runs.control import cancel_run, confirm_run, pause_run, resume_run

from ..models import Delivery, DeliveryState, Run, RunState
from ..recording.waiting import troubles_of

# Rows on a run's page; the whole list is one click away.
SHOWN = 10

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
        "__str__",
        "state",
        "total",
        "delivered",
        "problems",
        "failed",
        "pending",
        "cause_in_words",
        "actor_name",
        "created_at",
    ]
    list_filter = ["state", "cause", "created_at"]
    linked_parameters = ("trigger", "schedule", "listener")
    search_fields = ["macro_name", "actor_name", "cause_name"]
    date_hierarchy = "created_at"
    list_title = "Runs"
    change_form_template = "admin/logs/run/run.html"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/progress/", wrap(self.progress), name="logs_run_progress"),
            *(
                path(
                    f"<int:pk>/{order}/",
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
        user, macro = request.user, obj.macro
        return {
            **_page(obj),
            "may_run": may(user, RUN_MACRO, obj),
            "cause_url": _cause_url(obj),
            "may_see_version": macro and may(user, "macros.change_macro", macro),
        }

    @admin.display(description="cause", ordering="cause")
    def cause_in_words(self, run: Run) -> str:
        return run.cause_in_words

    def progress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The part of the page that changes while the run goes on."""
        run = self.row_to(request, self.permission_to("view"), pk)
        html = render_to_string("admin/logs/run/progress.html", _page(run), request)
        return JsonResponse(
            {"html": html, "state": run.state, "settled": run.is_settled}
        )

    def control(self, request: HttpRequest, pk: int, order: str) -> HttpResponse:
        run = self.row_to(request, RUN_MACRO, pk)
        act, done = ORDERS[order]
        if request.method == "POST":
            if act(run):
                messages.success(request, done)
            else:
                run.refresh_from_db(fields=["state"])
                state = run.get_state_display().lower()
                messages.warning(request, f"Nothing was changed: the run is {state}.")
        return HttpResponseRedirect(reverse("admin:logs_run_change", args=[pk]))


def _cause_url(run: Run) -> str:
    """The page of what started it: of a listener, the call's while that is kept."""
    call = run.event.call_id if run.event else None
    for name, pk in (
        ("trigger", run.trigger_id),
        ("schedule", run.schedule_id),
        ("inboundcall", call),
        ("listener", run.listener_id),
    ):
        if pk:
            return reverse(f"admin:macros_{name}_change", args=[pk])
    return ""


def _page(run: Run) -> dict[str, object]:
    rows = Delivery.objects.filter(run=run).select_related("destination")
    retrying = rows.filter(state=DeliveryState.PENDING, attempts__gt=0)
    return {
        "run": run,
        "title": str(run),
        "subtitle": "",
        "counts": [
            (state, label, count)
            for state, label, count in (
                (DeliveryState.DELIVERED, "Delivered", run.delivered),
                (DeliveryState.FAILED, "Failed", run.failed),
                (DeliveryState.PENDING, "Pending", run.pending),
                (DeliveryState.SKIPPED, "Skipped", run.skipped),
                (DeliveryState.CANCELLED, "Cancelled", run.cancelled),
            )
        ],
        "can_be_paused": run.state == RunState.ACTIVE,
        "can_be_cancelled": run.state in (RunState.ACTIVE, RunState.PAUSED),
        "can_be_confirmed": run.state == RunState.UNCONFIRMED,
        "retrying": 0 if run.is_settled else retrying.count(),
        "failures": rows.filter(state=DeliveryState.FAILED).order_by("pk")[:SHOWN],
        "deliveries": rows.order_by("pk")[:SHOWN],
        "has_worker": run.is_settled or queue.has_worker(),
        "troubles": troubles_of(run, timezone.now()),
    }
