"""A macro's double beside it, and the macro as a file."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.text import slugify

from feedback.access.actors import may
from feedback.console.scoping import ScopedAdmin
from logs import audit
from logs.models import Action

from ..config import ConfigRefused, clone_macro, export_macro, write
from ..models import Macro


class CopiesMixin(ScopedAdmin[Macro]):
    """What only a POST does, since it leaves an entry in the audit log."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        duplicate, export = wrap(self.duplicate), wrap(self.export)
        return [
            path("<row:pk>/duplicate/", duplicate, name="macros_macro_duplicate"),
            path("<row:pk>/export/", export, name="macros_macro_export"),
            *super().get_urls(),
        ]

    def duplicate(self, request: HttpRequest, pk: int) -> HttpResponse:
        macro = self._to_copy(request, pk)
        if request.method != "POST":
            return _to(macro)
        try:
            made = clone_macro(macro, request.user)
        except ConfigRefused as refusal:
            _tell(request, "Nothing was duplicated.", refusal.problems)
            return _to(macro)
        messages.success(
            request,
            f"{made} has the steps and options of {macro}, and no triggers or"
            " schedules. Give it a name of its own.",
        )
        return _to(made)

    def export(self, request: HttpRequest, pk: int) -> HttpResponse:
        macro = self._to_copy(request, pk)
        if request.method != "POST":
            return _to(macro)
        try:
            text = write(export_macro(macro), "yaml")
        except ConfigRefused as refusal:
            _tell(request, "Nothing was exported.", refusal.problems)
            return _to(macro)
        audit.record(Action.EXPORTED, macro, detail="The macro, as a file.")
        response = HttpResponse(text, content_type="application/yaml; charset=utf-8")
        name = slugify(macro.name) or "macro"
        response["Content-Disposition"] = f'attachment; filename="{name}.yaml"'
        return response

    def _to_copy(self, request: HttpRequest, pk: int) -> Macro:
        macro = self.row_to(request, self.permission_to("change"), pk)
        if not may(request.user, self.permission_to("add"), macro):
            raise PermissionDenied
        return macro


def _to(macro: Macro) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:macros_macro_change", args=[macro.pk]))


def _tell(request: HttpRequest, refused: str, problems: Iterable[str]) -> None:
    for problem in problems:
        messages.error(request, f"{refused} {problem}")
