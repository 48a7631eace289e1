"""The log of calls from outside: each with what became of its events, and replay."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IS_POPUP_VAR
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from feedback.access.actors import may
from feedback.access.roles import RUN_MACRO
from feedback.console.paging import MAX_LISTED
from feedback.console.scoping import ReadOnlyAdmin
from logs.models import Run

from .. import queue
from ..models import CallState, InboundCall, InboundEvent
from .call_filters import ListenerFilter, OutcomeFilter, TesterFilter, TicketFilter
from .examples import shown_body
from .replaying import replay_selected

# Events of one call that are shown.
MAX_EVENTS = 200


@admin.register(InboundCall)
class InboundCallAdmin(ReadOnlyAdmin[InboundCall]):
    list_display = ["__str__", "received", "became", "about", "started", "address"]
    list_select_related = ["listener"]
    list_filter = [
        ListenerFilter,
        OutcomeFilter,
        "received_at",
        TicketFilter,
        TesterFilter,
    ]
    search_fields = ["=address"]
    search_help_text = "The whole address that calls came from."
    sortable_by = ["received"]
    list_per_page = 50
    list_title = "Calls from outside"
    show_full_result_count = False
    change_list_template = "admin/macros/inboundcall/change_list.html"
    change_form_template = "admin/macros/inboundcall/call.html"

    def get_urls(self) -> list[URLPattern]:
        progress = self.admin_site.admin_view(self.progress)
        return [
            path("<row:pk>/progress/", progress, name="macros_inboundcall_progress"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboundCall]:
        runs = Run.objects.only("pk", "event")
        events = InboundEvent.objects.select_related("feedback", "tester").defer(
            "detail", "changes", "feedback__description", "feedback__form_values"
        )
        events = events.order_by("position").prefetch_related(Prefetch("runs", runs))
        rows = super().get_queryset(request).defer("body", "headers", "query")
        return rows.prefetch_related(Prefetch("events", events))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        if IS_POPUP_VAR in request.GET or not request.user.has_perm(RUN_MACRO):
            return {}
        name = "replay"
        return {name: (replay_selected, name, "Replay: process it again")}

    def get_list_display(self, request: HttpRequest) -> Any:
        """Whose calls they are is said once where all are of one listener."""
        if ListenerFilter.parameter_name in request.GET:
            return self.list_display
        return ["__str__", "listener", *self.list_display[1:]]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        context = {"most_listed": MAX_LISTED}
        return super().changelist_view(request, context | (extra_context or {}))

    def page_of(self, request: HttpRequest, obj: InboundCall) -> dict[str, object]:
        call, listener = obj, obj.listener
        headers = (call.headers or {}).items()
        return {
            "call": call,
            "title": str(call),
            "subtitle": "",
            "may_replay": may(request.user, RUN_MACRO, call),
            "header_lines": "\n".join(f"{name}: {value}" for name, value in headers),
            "body": shown_body(listener, call),
            "replays": call.replays.order_by("pk")[:MAX_EVENTS],
            **events_of(call),
        }

    def progress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The part of the page that changes until the call was worked on."""
        call = self.row_to(request, self.permission_to("view"), pk)
        page = events_of(call)
        html = render_to_string("admin/macros/inboundcall/events.html", page, request)
        settled = page["settled"]
        return JsonResponse({"html": html, "state": call.state, "settled": settled})

    @admin.display(description="received", ordering="pk")
    def received(self, call: InboundCall) -> str:
        return f"{timezone.localtime(call.received_at):%d %b %Y, %H:%M:%S}"

    @admin.display(description="became")
    def became(self, call: InboundCall) -> str:
        return render_to_string(
            "admin/macros/inboundcall/outcomes.html", {"call": call}
        )

    @admin.display(description="ticket or tester")
    def about(self, call: InboundCall) -> str:
        links = dict.fromkeys(
            record for event in call.events.all() if (record := record_of(event))
        )
        shown = format_html_join(", ", '<a href="{}">{}</a>', list(links)[:3])
        more = f" and {len(links) - 3} more" if len(links) > 3 else ""
        return format_html("{}{}", shown, more) if links else "-"

    @admin.display(description="started")
    def started(self, call: InboundCall) -> str:
        runs = [run.pk for event in call.events.all() for run in event.runs.all()]
        links = ((reverse("admin:logs_run_change", args=[pk]), pk) for pk in runs[:3])
        shown = format_html_join(", ", '<a href="{}">run {}</a>', links)
        more = f" and {len(runs) - 3} more" if len(runs) > 3 else ""
        return format_html("{}{}", shown, more) if runs else "-"


def record_of(event: InboundEvent) -> tuple[str, str] | None:
    """The page and the name of the ticket or tester; None where there is none."""
    if event.feedback is not None:
        page = reverse("admin:feedback_feedback_change", args=[event.feedback_id])
        return page, event.feedback.reference
    if event.tester is not None:
        page = reverse("admin:feedback_tester_change", args=[event.tester_id])
        return page, event.tester.email
    return None


def events_of(call: InboundCall) -> dict[str, object]:
    runs = Run.objects.only("pk", "event", "macro_name", "state")
    rows = InboundEvent.objects.filter(call=call).select_related(
        "feedback", "tester", "repeat_of__call"
    )
    rows = rows.order_by("position").prefetch_related(Prefetch("runs", runs))
    settled = call.state == CallState.DONE
    return {
        "call": call,
        "rows": [(event, record_of(event)) for event in rows[:MAX_EVENTS]],
        "settled": settled,
        "has_worker": settled or queue.has_worker(),
        "max_events": MAX_EVENTS,
    }
