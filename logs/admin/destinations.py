from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from feedback.console.parts import moment as shown_moment
from feedback.console.scoping import ScopedAdmin
from macros.auth.authentication import tls_problems
from macros.authoring.presets import published_rate

from .. import audit
from ..console import destination_badge
from ..models import Action, BreakerState, Destination
from ..recording.waiting import (
    count_waiting,
    ended_by_hand,
    explain_trouble,
    resume,
)


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
_HEALTH = ("standing", "next_probe", "last_success", "last_failure", "first_used")


class StandingFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("works", "Takes requests"),
            ("down", "Down: failed too often"),
            ("held", "Paused or asked to wait"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        down = ~Q(breaker=BreakerState.CLOSED)
        match self.value():
            case None:
                return queryset
            case "works":
                troubled = Destination.objects.troubled().values("pk")
                return queryset.exclude(pk__in=troubled)
            case "down":
                return queryset.filter(down)
            case "held":
                held = Q(is_paused=True) | Q(held_until__gt=timezone.now())
                return queryset.filter(held)
        return queryset.none()


@admin.register(Destination)
class DestinationAdmin(ScopedAdmin):
    """People set its rate limit and TLS; its health is read-only."""

    form = DestinationForm

    list_display = [
        "origin",
        "standing",
        "limits",
        "last_success",
        "last_failure",
        "community",
    ]
    list_select_related = ["community"]
    list_filter = [StandingFilter]
    change_list_template = "admin/logs/destination/change_list.html"
    search_fields = ["origin"]
    readonly_fields = ["community", "origin", "rate_in_words", "network", *_HEALTH]

    def get_fieldsets(
        self, request: HttpRequest, obj: Destination | None = None
    ) -> list[Any]:
        """Who only looks reads sentences in place of switches."""
        may_change = self.has_change_permission(request, obj)
        network = "allows_inside" if request.user.is_superuser else "network"
        limits = ["rate", "rate_in_words", "concurrency"]
        health = list(_HEALTH)
        if obj is None or obj.breaker == BreakerState.CLOSED:
            health.remove("next_probe")
        if obj is None or obj.rate is None:
            limits.remove("rate_in_words")
        return [
            (None, {"fields": ["origin", "community"]}),
            ("How it stands", {"fields": health}),
            ("Limits", {"fields": [*limits, *(["is_paused"] if may_change else [])]}),
            ("Where it may be", {"fields": [network]}),
            ("TLS", {"classes": ["collapse"], "fields": _TLS}),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        context = {"title": "Destinations", **(extra_context or {})}
        return super().changelist_view(request, context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        resume_ = self.admin_site.admin_view(self.resume)
        return [
            path("<row:pk>/resume/", resume_, name="logs_destination_resume"),
            *super().get_urls(),
        ]

    def resume(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A person says that the destination works again, or need not be waited for."""
        destination = self.row_to(request, self.permission_to("change"), pk)
        if request.method == "POST":
            now = timezone.now()
            with transaction.atomic():
                detail = ended_by_hand(destination, now)
                resume(destination, now)
                audit.record(Action.RESUMED, destination, detail=detail)
            messages.success(request, f"Requests go to {destination} again.")
        page = reverse("admin:logs_destination_change", args=[pk])
        return HttpResponseRedirect(page)

    @admin.display(description="state")
    def standing(self, destination: Destination) -> SafeString:
        return destination_badge(destination, timezone.now())

    @admin.display(description="tried again")
    def next_probe(self, destination: Destination) -> SafeString:
        if destination.breaker == BreakerState.CLOSED:
            return SafeString("-")
        return shown_moment(destination.probe_at, True)

    @admin.display(description="limits")
    def limits(self, destination: Destination) -> str:
        parts = []
        if destination.rate is not None:
            parts.append(f"{destination.rate:g} a second")
        if destination.concurrency is not None:
            parts.append(f"{destination.concurrency} at once")
        return ", ".join(parts) or "none"

    @admin.display(description="last success")
    def last_success(self, destination: Destination) -> SafeString:
        return shown_moment(destination.last_success_at)

    @admin.display(description="last failure")
    def last_failure(self, destination: Destination) -> SafeString:
        return shown_moment(destination.last_failure_at)

    @admin.display(description="first used")
    def first_used(self, destination: Destination) -> SafeString:
        return shown_moment(destination.created_at)

    @admin.display(description="addresses")
    def network(self, destination: Destination) -> str:
        if destination.allows_inside:
            return "It may be on a private network or this machine."
        return "Public addresses only. A superuser can allow an inside address."

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

    def page_of(self, request: HttpRequest, obj: Destination) -> dict[str, object]:
        now = timezone.now()
        until = obj.wait_until(now)
        if until is None and obj.breaker == BreakerState.CLOSED:
            return {"destination": obj}
        sentence = explain_trouble(obj, now, count_waiting(obj))
        return {"destination": obj, "trouble": sentence, "is_held": bool(until)}
