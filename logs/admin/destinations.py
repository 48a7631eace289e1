from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from feedback.console.scoping import ScopedAdmin
from macros.auth.authentication import tls_problems
from macros.authoring.presets import published_rate

from .. import audit
from ..models import Action, BreakerState, Destination
from ..recording.waiting import count_waiting, explain_trouble, moment, resume


class DestinationForm(forms.ModelForm):
    """Refuses TLS material that could not work before it fails every delivery."""

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        material = {name: self.cleaned_data.get(name, "") for name in _TLS}
        if "rate" in self.changed_data:
            self.instance.rate_from = ""
        for field, problem in tls_problems(self.instance.community_id, **material):
            self.add_error(field, problem)
        return cleaned


_TLS = ("ca_certificates", "client_certificate", "client_key_secret")
_HEALTH = (
    "breaker_in_words",
    "hold_in_words",
    "consecutive_failures",
    "last_success_at",
    "last_failure_at",
    "created_at",
)


@admin.register(Destination)
class DestinationAdmin(ScopedAdmin):
    """People set its rate limit and TLS; its health is read-only."""

    form = DestinationForm

    list_display = [
        "origin",
        "community",
        "breaker_in_words",
        "hold_in_words",
        "is_paused",
        "rate",
        "concurrency",
        "consecutive_failures",
        "last_success_at",
    ]
    list_select_related = ["community"]
    list_filter = ["breaker", "is_paused"]
    search_fields = ["origin"]
    readonly_fields = ["community", "origin", "rate_in_words", *_HEALTH]
    fieldsets = [
        (None, {"fields": ["origin", "community"]}),
        (
            "Rate limit",
            {"fields": ["rate", "rate_in_words", "concurrency", "is_paused"]},
        ),
        ("Address policy", {"fields": ["allows_inside"]}),
        (
            "TLS",
            {
                "classes": ["collapse"],
                "fields": _TLS,
            },
        ),
        ("Health", {"fields": _HEALTH}),
    ]

    def get_readonly_fields(
        self, request: HttpRequest, obj: Destination | None = None
    ) -> list[str]:
        opens = [] if request.user.is_superuser else ["allows_inside"]
        return [*super().get_readonly_fields(request, obj), *opens]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        resume_ = self.admin_site.admin_view(self.resume)
        return [
            path("<int:pk>/resume/", resume_, name="logs_destination_resume"),
            *super().get_urls(),
        ]

    def resume(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A person says that the destination works again, or need not be waited for."""
        destination = self.row_to(request, self.permission_to("change"), pk)
        if request.method == "POST":
            now = timezone.now()
            with transaction.atomic():
                detail = _ended_by_hand(destination, now)
                resume(destination, now)
                audit.record(Action.RESUMED, destination, detail=detail)
            messages.success(request, f"Requests go to {destination} again.")
        page = reverse("admin:logs_destination_change", args=[pk])
        return HttpResponseRedirect(page)

    @admin.display(description="circuit breaker", ordering="breaker")
    def breaker_in_words(self, destination: Destination) -> str:
        words = str(BreakerState(destination.breaker).label)
        if destination.breaker == BreakerState.OPEN and destination.probe_at:
            words += f" until it tries again at {destination.probe_at:%H:%M:%S} UTC"
        return words

    @admin.display(description="rate set by")
    def rate_in_words(self, destination: Destination) -> str:
        if destination.rate is None:
            return "-"
        if not destination.rate_from:
            return "a person"
        rate = published_rate(destination.origin)
        if rate is None:
            return f"the preset for {destination.rate_from}"
        return format_html(
            'the preset for {}: {} in {} s, as <a href="{}">its manual</a> says',
            rate.vendor,
            rate.requests,
            rate.seconds,
            rate.documentation,
        )

    @admin.display(description="asked to wait", ordering="held_until")
    def hold_in_words(self, destination: Destination) -> str:
        now = timezone.now()
        until = destination.wait_until(now)
        return f"until {moment(until, now)}" if until else "-"

    def page_of(self, request: HttpRequest, obj: Destination) -> dict[str, object]:
        now = timezone.now()
        until = obj.wait_until(now)
        if until is None and obj.breaker == BreakerState.CLOSED:
            return {"destination": obj}
        sentence = explain_trouble(obj, now, count_waiting(obj))
        return {"destination": obj, "trouble": sentence, "is_held": bool(until)}


def _ended_by_hand(destination: Destination, now: datetime) -> str:
    if until := destination.wait_until(now):
        return f"Its wait until {moment(until, now)} was ended by hand."
    return "The circuit breaker was closed by hand."
