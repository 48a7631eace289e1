from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IS_POPUP_VAR
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from feedback.access.roles import RUN_MACRO
from feedback.console.parts import moment
from feedback.console.scoping import ReadOnlyAdmin

from ..console import delivery_badge, response_badge, test_badge
from ..models import Delivery, Resend
from .delivery_page import live_part, page_of
from .log_filters import (
    FILTERS,
    LogList,
    rows_searched,
    whose_log,
)
from .resend import resend_selected


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = [
        "when",
        "response",
        "subject",
        "macro",
        "standing",
        "goes_to",
    ]
    list_display_links = ["when", "subject"]
    list_select_related = ["run", "destination"]
    list_filter = FILTERS
    linked_parameters = ("run", "feedback", "tester", "destination")
    search_fields = ["subject_label"]
    search_help_text = (
        "A ticket's reference, a tester's e-mail, a macro's name or a run's number."
    )
    # Any other order would sort the whole log.
    sortable_by = ()
    list_per_page = 50
    list_title = "Webhook log"
    change_list_template = "admin/logs/delivery/change_list.html"
    change_form_template = "admin/logs/delivery/delivery.html"

    def get_urls(self) -> list[URLPattern]:
        progress = self.admin_site.admin_view(self.progress)
        return [
            path("<row:pk>/progress/", progress, name="logs_delivery_progress"),
            *super().get_urls(),
        ]

    def progress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The parts of the page that change while the delivery is under way."""
        delivery = self.row_to(request, self.permission_to("view"), pk)
        page = live_part(delivery, request)
        html = render_to_string("admin/logs/delivery/live.html", page, request)
        return JsonResponse(
            {
                "html": html,
                "standing": delivery_badge(delivery),
                "state": page["progress"],
                "settled": page["settled"],
            }
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        """Joined, so that a destination that was deleted is none."""
        rows = super().get_queryset(request).select_related("destination")
        return rows.defer("run__snapshot")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LogList]:
        return LogList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        whose = whose_log(request)
        title = f"{self.list_title} {whose}".strip()
        context = {"title": title, "whose": whose}
        return super().changelist_view(request, context | (extra_context or {}))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        super().get_search_results(request, queryset.none(), search_term)
        return rows_searched(queryset, search_term, request.user), False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        if IS_POPUP_VAR in request.GET or not request.user.has_perm(RUN_MACRO):
            return {}
        return {
            name: (partial(resend_selected, kind=kind), name, f"Resend: {label}")
            for kind in Resend
            for name, label in [(f"resend_{kind}", kind.label.lower())]
        }

    def page_of(self, request: HttpRequest, obj: Delivery) -> dict[str, object]:
        return page_of(obj, request)

    @admin.display(description="time")
    def when(self, delivery: Delivery) -> SafeString:
        """When it ended; while it has not, when it was queued."""
        return moment(delivery.finished_at or delivery.run.created_at, True)

    @admin.display
    def response(self, delivery: Delivery) -> SafeString:
        return response_badge(delivery)

    @admin.display
    def subject(self, delivery: Delivery) -> str:
        return str(delivery)

    @admin.display
    def macro(self, delivery: Delivery) -> SafeString:
        run = delivery.run
        url = reverse("admin:logs_run_change", args=[run.pk])
        link = format_html('<a class="quiet" href="{}">run {}</a>', url, run.pk)
        return format_html("{} {} {}", run.macro_name, link, test_badge(run))

    @admin.display(description="state")
    def standing(self, delivery: Delivery) -> SafeString:
        tries = delivery.attempts
        more = format_html(' <small class="quiet">{} tries</small>', tries)
        return format_html("{}{}", delivery_badge(delivery), more if tries > 1 else "")

    @admin.display(description="destination")
    def goes_to(self, delivery: Delivery) -> str:
        return delivery.destination.host if delivery.destination else "-"
