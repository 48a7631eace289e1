from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from feedback.console.scoping import ScopedAdmin
from macros.auth.authentication import tls_problems

from .. import audit
from ..models import Action, BreakerState, Destination


class DestinationForm(forms.ModelForm):
    """Refuses TLS material that could not work before it fails every delivery."""

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        material = {name: self.cleaned_data.get(name, "") for name in _TLS}
        for field, problem in tls_problems(self.instance.community_id, **material):
            self.add_error(field, problem)
        return cleaned


_TLS = ("ca_certificates", "client_certificate", "client_key_secret")
_HEALTH = (
    "breaker_in_words",
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
        "is_paused",
        "rate",
        "concurrency",
        "consecutive_failures",
        "last_success_at",
    ]
    list_select_related = ["community"]
    list_filter = ["breaker", "is_paused"]
    search_fields = ["origin"]
    readonly_fields = ["community", "origin", *_HEALTH]
    fieldsets = [
        (None, {"fields": ["origin", "community"]}),
        ("Rate limit", {"fields": ["rate", "concurrency", "is_paused"]}),
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
        close = self.admin_site.admin_view(self.close_breaker)
        return [
            path("<int:pk>/close-breaker/", close, name="logs_destination_close"),
            *super().get_urls(),
        ]

    def close_breaker(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A person says that the destination works again."""
        destination = self.row_to(request, self.permission_to("change"), pk)
        if request.method == "POST":
            with transaction.atomic():
                destination.close_breaker()
                destination.save(update_fields=Destination.BREAKER_FIELDS)
                detail = "The circuit breaker was closed by hand."
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

    def page_of(self, request: HttpRequest, obj: Destination) -> dict[str, object]:
        is_open = obj.breaker != BreakerState.CLOSED
        return {"breaker_is_open": is_open, "destination": obj}
