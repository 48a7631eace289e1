"""Dry run: what would become of a call, by a listener's form as it is just now."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone

from ..listeners.dry_run import EventPreview, dry_run
from ..models import InboundCall, Listener, PayloadFormat
from .listener_pages import ListenerPages

# Characters of a body that is pasted.
MAX_PASTED = 1_000_000
_NOTHING_TO_TRY = "Choose a call, or paste the body of one."
_FAULTY = "The dry run comes back once the form is correct."
_TYPES = {
    PayloadFormat.JSON: "application/json",
    PayloadFormat.FORM: "application/x-www-form-urlencoded",
    PayloadFormat.XML: "application/xml",
    PayloadFormat.TEXT: "text/plain; charset=utf-8",
}


class DryRunPages(ListenerPages):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.try_)
        return [
            path("<row:pk>/try/", view, name="macros_listener_try"),
            *super().get_urls(),
        ]

    def try_(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Nothing is saved, and nothing is done."""
        listener = self.row_to(request, self.permission_to("change"), pk)
        if request.method != "POST":
            return self.to_page(pk)
        context: dict[str, object] = {}
        call = self._tried_call(request, listener)
        if call is None:
            context["problem"] = _NOTHING_TO_TRY
        else:
            previews = self._forecast(request, listener, call)
            context = {"previews": previews, "call": call}
            if previews is None:
                context["problem"] = _FAULTY
        html = render_to_string("admin/macros/listener/forecast.html", context)
        if request.headers.get("Accept") == "application/json":
            return JsonResponse({"html": html})
        page = {
            **self.admin_site.each_context(request),
            "title": f"Dry run: {listener}",
            "opts": self.opts,
            "listener": listener,
            "forecast": html,
        }
        return TemplateResponse(request, "admin/macros/listener/tried.html", page)

    def _forecast(
        self, request: HttpRequest, listener: Listener, call: InboundCall
    ) -> list[EventPreview] | None:
        """With the form saved, and that taken back; None where it can't be saved."""
        fields = flatten_fieldsets(self.get_fieldsets(request, listener))
        form_class = self.get_form(request, listener, change=True, fields=fields)
        previews = None
        with transaction.atomic():
            form: Any = form_class(request.POST, instance=listener)
            formsets, _ = self._create_formsets(request, listener, True)  # type: ignore[attr-defined]
            if form.is_valid() and all(each.is_valid() for each in formsets):
                form.save()
                for each in formsets:
                    each.save()
                stored = Listener.objects.get(pk=listener.pk)
                call.listener = stored
                previews = dry_run(stored, call)
            transaction.set_rollback(True)
        return previews

    def _tried_call(
        self, request: HttpRequest, listener: Listener
    ) -> InboundCall | None:
        """A body that was pasted, as a call that is not stored; else a stored call."""
        body = request.POST.get("try-body", "")[:MAX_PASTED]
        if not body.strip():
            try:
                return self.stored_call(listener, request.POST.get("try-call", ""))
            except ValidationError:
                return None
        kind = _TYPES.get(PayloadFormat(listener.payload_format), "")
        return InboundCall(
            listener=listener,
            received_at=timezone.now(),
            method=listener.method,
            content_type=kind,
            headers={"content-type": kind},
            body=body.encode("utf-8", "replace"),
        )
