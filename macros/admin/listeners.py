"""Listeners: their list and their page, in sections that say what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from feedback.access.unlocking import explain_lock
from feedback.console.owners import (
    ABOUT,
    Selected,
    choice_of,
    selectable,
    selected_by,
)
from feedback.models import SubjectKind

from ..listeners.addresses import listener_url
from ..listeners.figures import Figures, figures_since, last_calls
from ..models import Listener
from .listener_curl import commands
from .listener_form import EVENTS, RECORD, RESPONSE, ListenerForm
from .listener_parts import ActionInline, CheckInline
from .listener_trying import DryRunPages
from .new_listener import NewListenerPages

SHOWN_CALLS = 10
SHOWN_REFUSALS = 20
_ABOUT_CALLERS = (
    "A caller has to pass one of the ways below, and to call from an allowed address."
    " With neither of the two, every call is refused."
)
_ABOUT_EVENTS = (
    "All of it is optional. Without it each call is one event, and each event counts."
)
_ABOUT_RESPONSE = (
    "Senders are content with any 2xx, and few want more: leave it unless the sender's"
    " manual says otherwise."
)


@admin.register(Listener)
class ListenerAdmin(NewListenerPages, DryRunPages):
    form = ListenerForm
    list_display = ["name", "today", "last_call", "works_on", "address"]
    list_select_related = ["feedback_type__project", "project", "community"]
    list_filter = ["is_active", "subject_kind"]
    list_per_page = 25
    linked_parameters = ("feedback_type", "project")
    search_fields = ["name", "description"]
    inlines = [CheckInline, ActionInline]
    change_form_template = "admin/macros/listener/change_form.html"

    def get_list_display(self, request: HttpRequest) -> Any:
        may_change = self.has_change_permission(request)
        switch = "switch" if may_change else "is_active"
        shown = [each for each in self.list_display if each != "address" or may_change]
        return ["name", switch, *shown[1:], "left_to_delete"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        owners = ("feedback_type__project", "project", "community")
        rows = super().get_queryset(request).select_related(*owners)
        return rows.prefetch_related("keys")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The figures of all rows of the page are looked up together."""
        changelist = super().get_changelist_instance(request)
        rows = list(changelist.result_list)
        pks = [row.pk for row in rows]
        midnight = timezone.localtime().replace(hour=0, minute=0, second=0)
        figures, called_at = figures_since(midnight, pks), last_calls(pks)
        for row in rows:
            row.figures, row.called_at = figures, called_at.get(row.pk)
        changelist.result_list = rows
        return changelist

    def get_fieldsets(self, request: HttpRequest, obj: Listener | None = None) -> Any:
        is_tester = self._kind(request, obj) == SubjectKind.TESTER
        which = "Which tester" if is_tester else "Which ticket"
        caller = ["method", "payload_format", "allowed_ips"]
        return [
            (None, {"fields": ["works_on", "name", "description", "is_active"]}),
            ("Who may call", {"fields": caller, "description": _ABOUT_CALLERS}),
            (which, {"fields": RECORD}),
            ("Which events", {"fields": EVENTS, "description": _ABOUT_EVENTS}),
            (
                "What the sender gets",
                {
                    "fields": RESPONSE,
                    "description": _ABOUT_RESPONSE,
                    "classes": ["collapse"],
                },
            ),
        ]

    def _kind(self, request: HttpRequest, obj: Listener | None) -> str:
        about = None if obj else self.about(request)
        return about.kind if about else getattr(obj, "subject_kind", "")

    def get_readonly_fields(
        self, request: HttpRequest, obj: Listener | None = None
    ) -> list[str]:
        return [*super().get_readonly_fields(request, obj), "works_on"]

    def about(self, request: HttpRequest) -> Selected | None:
        """What a new listener is about, as the address of its form says."""
        if not hasattr(request, "about"):
            rows = self._selectable(request)
            key = request.GET.get(ABOUT, "")
            named = next((each for each in rows if each.key == key), None)
            request.about = named  # type: ignore[attr-defined]
        return request.about  # type: ignore[attr-defined,no-any-return]

    def _selectable(self, request: HttpRequest) -> list[Selected]:
        permission = self.permission_to("add")
        return selectable(request.user, permission, whole_communities=True)

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            return super().add_view(request, form_url, extra_context)
        about = self.about(request)
        if about is None or not about.community.is_unlocked():
            return self._choose(request, about)
        return super().add_view(request, form_url, extra_context)

    def _choose(self, request: HttpRequest, about: Selected | None) -> HttpResponse:
        """First what it is about, since the rest of the form depends on it."""
        context = {
            **self.admin_site.each_context(request),
            "title": "Add listener",
            "opts": self.opts,
            **choice_of(self._selectable(request), about, request.user),
        }
        template = "admin/macros/listener/choose.html"
        return TemplateResponse(request, template, context)

    def get_form(
        self,
        request: HttpRequest,
        obj: Listener | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> type[ModelForm]:
        about = None if obj else self.about(request)
        kwargs["form"] = type("ListenerFormAbout", (ListenerForm,), {"about": about})
        return super().get_form(request, obj, change, **kwargs)

    def _create_formsets(self, request: HttpRequest, obj: Any, change: bool) -> Any:
        """Here listener and parts meet: they are looked at together."""
        request.listener = obj  # type: ignore[attr-defined]
        made = super()._create_formsets(request, obj, change)  # type: ignore[misc]
        obj.parts = {each.prefix: each for each in made[0]}
        return made

    def save_model(
        self, request: HttpRequest, obj: Listener, form: ModelForm, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        if not obj.key:
            obj.renew_key(timezone.now())

    def response_add(
        self, request: HttpRequest, obj: Listener, post_url_continue: str | None = None
    ) -> HttpResponse:
        """To its own page, where its address is."""
        if "_addanother" in request.POST:
            return super().response_add(request, obj, post_url_continue)
        text = f"{obj} is there. Copy its address into the system that is to call."
        self.message_user(request, text)
        return self.to_page(obj.pk)

    def page_of(self, request: HttpRequest, obj: Listener) -> dict[str, object]:
        user, may_change = request.user, self.has_change_permission(request, obj)
        is_locked = not obj.community.is_unlocked()
        address = listener_url(obj) if may_change else ""
        now, checks = timezone.now(), list(obj.checks.all())
        earlier = [
            each for each in obj.keys.all() if each.ends_at and each.ends_at > now
        ]
        calls = obj.calls.defer("body", "headers", "query")
        return {
            "lock": explain_lock(obj.community, user) if is_locked else None,
            "may_change": may_change,
            "address": address,
            "earlier": earlier if may_change else [],
            "lets_in": bool(obj.allowed_ips.strip()) or bool(checks),
            "curls": commands(obj, address, checks if may_change else []),
            "calls": calls.prefetch_related("events")[:SHOWN_CALLS],
            "refusals": obj.refusals.all()[:SHOWN_REFUSALS],
            "does": ", then ".join(map(str, obj.actions.all())).lower(),
        }

    def notes_on_deletion(self, rows: Sequence[Listener]) -> list[str]:
        return ["Calls to its address are refused with 404 from then on." for _ in rows]

    @admin.display(description="works on")
    def works_on(self, row: Listener) -> str:
        return selected_by(row).label

    @admin.display(description="address")
    def address(self, row: Listener) -> str:
        present = next((each for each in row.keys.all() if not each.ends_at), None)
        return f"…/{present.key[:8]}…" if present else "-"

    @admin.display(description="last call")
    def last_call(self, row: Any) -> str:
        if row.called_at is None:
            return "-"
        page = f"{reverse('admin:macros_inboundcall_changelist')}?listener={row.pk}"
        shown = f"{timezone.localtime(row.called_at):%d %b %Y, %H:%M}"
        return format_html('<a href="{}">{}</a>', page, shown)

    @admin.display(description="events today")
    def today(self, row: Any) -> str:
        figures: Figures = row.figures
        shown = format_html_join(
            " ",
            '<span class="outcome outcome-{}">{} {}</span>',
            (
                (each.meaning, f"{count:,}", each.label.lower())
                for each, count in figures.of(row.pk)
            ),
        )
        at_least = "" if figures.is_whole or not shown else "at least "
        return format_html("{}{}", at_least, shown) if shown else "-"

    @admin.display(description="on", ordering="is_active")
    def switch(self, row: Listener) -> str:
        """The list's rows stand in its form, so the button only names another URL."""
        word, other = ("On", "off") if row.is_active else ("Off", "on")
        page = reverse("admin:macros_listener_toggle", args=[row.pk])
        button = '<button type="submit" class="button" formaction="{}">Switch {}'
        return format_html(f"{{}} {button}</button>", word, page, other)
