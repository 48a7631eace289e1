"""Record lookups: their list, and a page that says how to call one."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from macros.authoring.curl import writing

from ..access.actors import reached_wholly
from ..access.unlocking import lock_of
from ..console.about import AboutAdmin
from ..console.owners import Selected, choice_of
from ..lookups import LookupBroken, columns_of
from ..models import Community, FoundBy, LookupKind, RecordLookup
from .lookup_form import LookupForm

_EXAMPLES = {
    FoundBy.ID: "12",
    FoundBy.REFERENCE: "BUG-12",
    FoundBy.EMAIL: "ada@example.com",
    FoundBy.NAME: "Phone Beta",
    FoundBy.EXTERNAL: "NW-41",
}


@admin.register(RecordLookup)
class RecordLookupAdmin(AboutAdmin[RecordLookup]):
    form = LookupForm
    list_display = ["name", "looks_up", "way", "is_active", "modified_at"]
    list_select_related = ["feedback_type__project", "project", "community"]
    list_filter = ["is_active"]
    list_per_page = 25
    search_fields = ["name", "key", "description"]
    readonly_fields = ["looks_up"]
    prepopulated_fields = {"key": ["name"]}
    change_form_template = "admin/feedback/recordlookup/change_form.html"

    def get_fieldsets(
        self, request: HttpRequest, obj: RecordLookup | None = None
    ) -> Any:
        is_written = obj is None or self.has_change_permission(request, obj)
        gives = "columns" if is_written else "gives"
        first = ["looks_up", "name", "key", "description", "is_active"]
        return [
            (None, {"fields": first}),
            ("What the caller gives", {"fields": ["found_by", "external_name"]}),
            ("What the caller gets", {"fields": [gives]}),
        ]

    def get_readonly_fields(
        self, request: HttpRequest, obj: RecordLookup | None = None
    ) -> list[str]:
        fields = super().get_readonly_fields(request, obj)
        is_read = obj is not None and not self.has_change_permission(request, obj)
        return [*fields, "gives"] if is_read else fields

    def get_form(
        self,
        request: HttpRequest,
        obj: RecordLookup | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> type[ModelForm]:
        about = None if obj else self.about(request)
        kwargs["form"] = type("LookupFormAbout", (LookupForm,), {"about": about})
        return super().get_form(request, obj, change, **kwargs)

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        """First what it looks up, since the rest of the form depends on it."""
        if not self.has_add_permission(request):
            return super().add_view(request, form_url, extra_context)
        about = self.about(request)
        if about is not None and about.community.is_unlocked():
            return super().add_view(request, form_url, extra_context)
        context = {
            **self.admin_site.each_context(request),
            "title": "Add record lookup",
            "opts": self.opts,
            **choice_of(self.selectable(request), about, request.user),
        }
        template = "admin/feedback/recordlookup/choose.html"
        return TemplateResponse(request, template, context)

    def page_of(self, request: HttpRequest, obj: RecordLookup) -> dict[str, object]:
        path = reverse("lookup", args=[obj.community_id, obj.key])
        url = f"{settings.BASE_URL}{path}"
        example = f"{url}?{quote(obj.parameter)}={_EXAMPLES[FoundBy(obj.found_by)]}"
        headers = [("Authorization", "Bearer YOUR-API-KEY")]
        try:
            columns_of(obj)
            broken = ""
        except LookupBroken as error:
            broken = str(error)
        return {
            "lock": lock_of(obj.community, request.user),
            "url": url,
            "curl": writing.write("GET", example, headers, None),
            "broken": broken,
        }

    @admin.display(description="looks up")
    def looks_up(self, row: RecordLookup) -> str:
        return row.selects[:1].upper() + row.selects[1:]

    @admin.display(description="by", ordering="found_by")
    def way(self, row: RecordLookup) -> str:
        if row.found_by == FoundBy.EXTERNAL:
            return f"External data: {row.external_name}"
        return str(FoundBy(row.found_by).label).partition(",")[0]

    @admin.display(description="fields")
    def gives(self, row: RecordLookup) -> str:
        return ", ".join(each["name"] for each in row.columns)

    def also_selectable(
        self, request: HttpRequest, rows: list[Selected]
    ) -> list[Selected]:
        where = reached_wholly(request.user, self.permission_to("add"))
        communities = Community.objects.filter(where)
        return [Selected(each, LookupKind.PROJECT) for each in communities]
