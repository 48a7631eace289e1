"""What the pages of triggers and of schedules have in common."""

from __future__ import annotations

from typing import Any, TypeVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html

from feedback.console.scoping import ScopedAdmin
from feedback.texts import NUMBER

from ..models import Automation, Macro

A = TypeVar("A", bound=Automation)


class AutomationAdmin(ScopedAdmin[A]):
    """First the macro is chosen, since the rest of the form depends on it."""

    linked_parameters = ("macro",)
    search_fields = ["name", "description", "macro__name"]

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        if self.has_add_permission(request) and self.chosen(request) is None:
            context = {
                **self.admin_site.each_context(request),
                "title": "Which macro is to run?",
                "opts": self.opts,
                "macros": self._macros(request),
            }
            template = "admin/macros/choose_macro.html"
            return TemplateResponse(request, template, context)
        return super().add_view(request, form_url, extra_context)

    def macro_of(self, request: HttpRequest, obj: A | None) -> Macro | None:
        return obj.macro if obj else self.chosen(request)

    def chosen(self, request: HttpRequest) -> Macro | None:
        """The macro that the address of a new one's form names."""
        pk = request.GET.get("macro", "")
        if not NUMBER.fullmatch(pk):
            return None
        return self._macros(request).filter(pk=int(pk)).first()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*super().get_readonly_fields(request, obj), "macro_page", "in_words"]

    @admin.display(description="macro")
    def macro_page(self, row: A) -> str:
        macro = row.macro
        page = reverse("admin:macros_macro_change", args=[macro.pk])
        return format_html('<a href="{}">{}</a>: {}', page, macro, macro.runs_on)

    def _macros(self, request: HttpRequest) -> QuerySet[Macro]:
        macros = Macro.objects.visible_to(request.user, self.permission_to("add"))
        related = ("feedback_type__project", "project", "community")
        return macros.select_related(*related)
