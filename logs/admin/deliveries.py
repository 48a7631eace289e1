from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IS_POPUP_VAR, ModelAdmin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from feedback.access.actors import may
from feedback.access.roles import RUN_MACRO
from feedback.console.scoping import ReadOnlyAdmin
from feedback.models import Feedback, Tester
from macros import queue
from macros.authoring import curl
from macros.runs.resend import preview_resend

from ..models import Attempt, Delivery, ErrorClass, Resend, delivery_id
from ..recording.explanations import error_label, explain
from ..recording.waiting import troubles_of
from ..redaction import MASK
from .resend import resend_selected


class ErrorFilter(admin.SimpleListFilter):
    title = "error"
    parameter_name = "last_error"

    def lookups(
        self, request: HttpRequest, model_admin: ModelAdmin
    ) -> list[tuple[str, str]]:
        return [(value, str(label)) for value, label in ErrorClass.choices]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Delivery]
    ) -> QuerySet[Delivery]:
        return queryset.filter(last_error=self.value()) if self.value() else queryset


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = [
        "subject",
        "macro",
        "state",
        "last_status",
        "error",
        "attempts",
        "destination",
        "next_attempt_at",
        "finished_at",
        "run_number",
    ]
    list_select_related = ["run", "destination"]
    list_filter = ["state", ErrorFilter]
    linked_parameters = ("run", "run__macro", "feedback", "tester", "destination")
    search_fields = ["subject_label"]
    list_per_page = 50
    list_title = "Webhook log"
    change_form_template = "admin/logs/delivery/delivery.html"

    def get_urls(self) -> list[URLPattern]:
        progress = self.admin_site.admin_view(self.progress)
        return [
            path("<int:pk>/progress/", progress, name="logs_delivery_progress"),
            *super().get_urls(),
        ]

    def progress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The part of the page that changes while the delivery is under way."""
        delivery = self.row_to(request, self.permission_to("view"), pk)
        page = _log(delivery)
        html = render_to_string("admin/logs/delivery/attempts.html", page, request)
        state, settled = page["progress"], page["settled"]
        return JsonResponse({"html": html, "state": state, "settled": settled})

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        if IS_POPUP_VAR in request.GET or not request.user.has_perm(RUN_MACRO):
            return {}
        return {
            name: (partial(resend_selected, kind=kind), name, f"Resend: {label}")
            for kind in Resend
            for name, label in [(f"resend_{kind}", kind.label.lower())]
        }

    def page_of(self, request: HttpRequest, obj: Delivery) -> dict[str, object]:
        return _page(obj, request)

    @admin.display(ordering="subject_label")
    def subject(self, delivery: Delivery) -> str:
        return str(delivery)

    @admin.display(ordering="run__macro_name")
    def macro(self, delivery: Delivery) -> str:
        return delivery.run.macro_name

    @admin.display(ordering="last_error")
    def error(self, delivery: Delivery) -> str:
        return error_label(delivery.last_error) or "-"

    @admin.display(description="run", ordering="run")
    def run_number(self, delivery: Delivery) -> int:
        return delivery.run_id


def _lines(text: str) -> tuple[str, list[str]]:
    first, *others = text.splitlines() or [""]
    return first, others


def _log(delivery: Delivery) -> dict[str, object]:
    """What has been logged so far."""
    settled = delivery.finished_at is not None
    attempts = list(delivery.attempt_log.all())
    return {
        "attempts": [
            (
                attempt,
                *_lines(explain(attempt)),
                error_label(attempt.error_class),
                _as_curl(attempt),
            )
            for attempt in reversed(attempts)
        ],
        "settled": settled,
        "has_worker": settled or queue.has_worker(),
        "troubles": [] if settled else troubles_of(delivery.run, timezone.now()),
        # If this changes, the whole page has to be loaded again.
        "progress": "sending" if delivery.is_being_sent else delivery.state,
    }


def _page(delivery: Delivery, request: HttpRequest) -> dict[str, object]:
    user = request.user
    this = Delivery.objects.filter(pk=delivery.pk)
    return {
        "delivery": delivery,
        "title": f"Webhook log: {delivery}",
        "subtitle": "",
        "sent_id": delivery_id(delivery.run.key, delivery.pk),
        "may_run": may(user, RUN_MACRO, delivery),
        "resends": [
            (kind, kind.label, preview_resend(this, kind, user)) for kind in Resend
        ],
        **_log(delivery),
        **_subject(delivery),
    }


def _subject(delivery: Delivery) -> dict[str, object]:
    """The ticket or tester, None if it was deleted."""
    model: type[Model] = Feedback if delivery.tester_id is None else Tester
    subject = model._default_manager.filter(pk=delivery.subject_id).first()
    page = f"admin:feedback_{model._meta.model_name}_change"
    return {
        "subject": subject,
        "subject_kind": delivery.run.subject_kind.label,
        "subject_url": reverse(page, args=[subject.pk]) if subject else "",
    }


def _as_curl(attempt: Attempt) -> str:
    """The request as a shell command, with a variable for each mask; or empty."""
    if attempt.method in ("", "MAIL"):
        return ""
    lines = (line.partition(":") for line in attempt.request_headers.splitlines())
    headers = [(name, value.strip()) for name, _, value in lines]
    body = attempt.request_body or None
    return curl.write(attempt.method, attempt.url, headers, body, MASK)
