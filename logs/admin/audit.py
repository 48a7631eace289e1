"""The audit log: read, filtered, exported, and changed by nobody."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from feedback.console.parts import moment as shown_moment
from feedback.console.scoping import ReadOnlyAdmin

from ..console.wire import visible
from ..models import Action, AuditEntry
from .audit_export import export, type_name
from .history import changes_in_words, history_page

# Characters of what changed in the list; the entry's own page has all of it.
MAX_TOLD = 200

Choices = list[tuple[str, str]]


class TypeFilter(admin.SimpleListFilter):
    title = "kind of object"
    parameter_name = "object_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """What has a page here, as looking for what there is would read all."""
        models = model_admin.admin_site._registry
        labels = {model._meta.label_lower for model in models} - {"logs.auditentry"}
        return sorted(
            ((label, type_name(label)) for label in labels), key=lambda each: each[1]
        )

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(object_type=self.value()) if self.value() else queryset


class ObjectFilter(admin.SimpleListFilter):
    """One object's history; offered only where its own page leads here."""

    title = "object"
    parameter_name = "object"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        wanted = request.GET.get(self.parameter_name, "")
        label, _, pk = wanted.partition("-")
        return [(wanted, f"{type_name(label)} {pk}")] if pk else []

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        label, _, pk = (self.value() or "").partition("-")
        if not label:
            return queryset
        if not (pk.isascii() and pk.isdecimal() and len(pk) < 19):
            return queryset.none()
        return queryset.filter(object_type=label, object_id=int(pk))


class WhoFilter(admin.SimpleListFilter):
    title = "who"
    parameter_name = "who"
    template = "admin/logs/auditentry/who_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [("", "")]

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        others = {**changelist.filter_params}
        others.pop(self.parameter_name, None)
        yield {
            "selected": bool(self.value()),
            "display": self.value(),
            "others": [
                (name, value)
                for name, values in others.items()
                for value in (values if isinstance(values, list) else [values])
            ],
        }

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        name = (self.value() or "").replace("\0", " ").strip()
        return queryset.filter(actor_name__iexact=name) if name else queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = [
        "when",
        "who",
        "address",
        "action",
        "named",
        "what_changed",
        "community_name",
    ]
    list_filter = ["action", ObjectFilter, TypeFilter, WhoFilter]
    search_fields = ["object_name", "actor_name", "api_key", "address", "detail"]
    search_help_text = "In the names of objects and people, keys, addresses, details."
    date_hierarchy = "moment"
    sortable_by = ["when"]
    list_per_page = 50
    list_title = "Audit log: who did what"
    change_list_template = "admin/logs/auditentry/change_list.html"
    change_form_template = "admin/logs/auditentry/entry.html"

    def get_urls(self) -> list[URLPattern]:
        view = require_POST(self.admin_site.admin_view(self.export))
        return [
            path("export/<str:form>/", view, name="logs_auditentry_export"),
            path(
                "history/<str:label>/<row:pk>/",
                self.admin_site.admin_view(partial(history_page, self.admin_site)),
                name="logs_auditentry_about",
            ),
            *super().get_urls(),
        ]

    def export(self, request: HttpRequest, form: str) -> HttpResponseBase:
        """The entries that the list shows, all pages of them, as a file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            changelist = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(reverse("admin:logs_auditentry_changelist"))
        rows = self.get_queryset(request).filter(
            pk__in=changelist.get_queryset(request).order_by().values("pk")
        )
        return export(request.user, rows, form, _filter_in_words(changelist))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        context = {"query": request.GET.urlencode()}
        return super().changelist_view(request, context | (extra_context or {}))

    def page_of(self, request: HttpRequest, obj: AuditEntry) -> dict[str, object]:
        return {
            "entry": obj,
            "title": f"{obj.get_action_display()}: {obj.object_name or self.who(obj)}",
            "subtitle": "",
            "kind": type_name(obj.object_type),
            "object_url": _page_of(obj),
            "changes": changes_in_words(obj),
        }

    @admin.display(ordering="moment")
    def when(self, entry: AuditEntry) -> SafeString:
        return shown_moment(entry.moment, True)

    @admin.display
    def who(self, entry: AuditEntry) -> str:
        if entry.api_key:
            return f"API key {entry.actor_name} ({entry.api_key}...)"
        return entry.actor_name or "-"

    @admin.display(description="object")
    def named(self, entry: AuditEntry) -> str:
        if not entry.object_type:
            return "-"
        return f"{type_name(entry.object_type)}: {entry.object_name}"

    @admin.display(description="what changed")
    def what_changed(self, entry: AuditEntry) -> str:
        """With the values: `Status: New → Closed`. What is new has no values before."""
        is_new = entry.action == Action.CREATED
        fields = [
            f"{name}: {before or '-'} → {after or '-'}"
            for name, before, after in ([] if is_new else changes_in_words(entry))
        ]
        text = "; ".join([*fields, entry.detail] if entry.detail else fields)
        return visible(text if len(text) <= MAX_TOLD else f"{text[: MAX_TOLD - 1]}…")


def _page_of(entry: AuditEntry) -> str:
    """Where the object is seen, if it still has a page; it may be gone."""
    if entry.object_id is None or entry.action == Action.DELETED:
        return ""
    name = entry.object_type.replace(".", "_")
    try:
        return reverse(f"admin:{name}_change", args=[entry.object_id])
    except NoReverseMatch:
        return ""


def _filter_in_words(changelist: ChangeList) -> str:
    words = [
        f"{name}={value}"
        for name, values in sorted(changelist.filter_params.items())
        for value in (values if isinstance(values, list) else [values])
    ]
    return "; ".join(words) or "all entries"
