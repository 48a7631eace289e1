from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.forms import Textarea
from django.http import HttpRequest
from django.utils.html import format_html

from feedback.scoping import ScopedAdmin, ScopedMixin

from ..models import Macro, WebRequest


class WebRequestInline(ScopedMixin, admin.StackedInline):
    model = WebRequest
    fk_name = "macro"
    extra = 0
    fields = [("position", "method"), "url", "headers", "body_kind", "body"]

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        rows = {"url": 1, "headers": 3, "body": 12}.get(db_field.name)
        if rows:
            attrs = {
                "rows": rows,
                "class": "vLargeTextField code",
                "spellcheck": "false",
            }
            kwargs["widget"] = Textarea(attrs=attrs)
        return super().formfield_for_dbfield(db_field, request, **kwargs)


@admin.register(Macro)
class MacroAdmin(ScopedAdmin):
    list_display = ["name", "feedback_type", "is_active", "webhook_log", "modified_at"]
    list_select_related = ["feedback_type__project"]
    list_filter = ["is_active"]
    search_fields = ["name", "description"]
    autocomplete_fields = ["feedback_type"]
    fields = ["feedback_type", "name", "description", "is_active", "retry_ladder"]
    inlines = [WebRequestInline]

    @admin.display(description="webhook log")
    def webhook_log(self, macro: Macro) -> str:
        return format_html(
            '<a href="../../logs/delivery/?run__macro={}">Webhook log</a>', macro.pk
        )
