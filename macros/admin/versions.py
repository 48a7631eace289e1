"""What a macro was like each time it was saved, and the way back."""

from __future__ import annotations

import re

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from feedback.console.scoping import ScopedAdmin

from ..config import ConfigRefused, Document, changed, differences, restore
from ..models import Macro, MacroVersion

ON_A_PAGE = 20


class VersionsMixin(ScopedAdmin[Macro]):
    """Pages beside a macro's own, for those who may change it."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        every = "<row:pk>/versions/"
        one = f"{every}<row:number>/"
        return [
            path(every, wrap(self.versions), name="macros_macro_versions"),
            path(one, wrap(self.version), name="macros_macro_version"),
            path(f"{one}restore/", wrap(self.restore), name="macros_macro_restore"),
            *super().get_urls(),
        ]

    def versions(self, request: HttpRequest, pk: int) -> HttpResponse:
        macro = self.row_to(request, self.permission_to("change"), pk)
        rows = Paginator(macro.versions.all(), ON_A_PAGE)
        page = rows.get_page(request.GET.get("p"))
        listed = [(row, changed(*_documents(row))) for row in page]
        title = f"Versions: {macro}"
        return self._versions_page(
            request,
            macro,
            "versions",
            title=title,
            rows=listed,
            page=page,
        )

    def version(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        macro = self.row_to(request, self.permission_to("change"), pk)
        version = _version(macro, number)
        newest = macro.versions.latest("number")
        return self._versions_page(
            request,
            macro,
            "version",
            title=f"{macro}, version {number}",
            version=version,
            changes=differences(*_documents(version)),
            is_newest=version == newest,
            since=differences(newest.document, version.document),
        )

    def restore(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        macro = self.row_to(request, self.permission_to("change"), pk)
        version = _version(macro, number)
        if request.method == "POST":
            try:
                made = restore(version, request.user)
            except ConfigRefused as refusal:
                refused = f"Version {number} can't be restored, and nothing was"
                messages.error(request, f"{refused} changed.")
                for problem in refusal.problems:
                    messages.error(request, _in_words(problem))
            else:
                done = f"{macro} is as in version {number} again. That is version"
                messages.success(request, f"{done} {made.number}.")
                page = reverse("admin:macros_macro_change", args=[pk])
                return HttpResponseRedirect(page)
        return HttpResponseRedirect(
            reverse("admin:macros_macro_version", args=[pk, number])
        )

    def _versions_page(
        self,
        request: HttpRequest,
        macro: Macro,
        template: str,
        **context: object,
    ) -> HttpResponse:
        shared = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "macro": macro,
        }
        name = f"admin/macros/macro/{template}.html"
        return TemplateResponse(request, name, shared | context)


def _in_words(problem: str) -> str:
    """`steps[0].auth_user: ...` is "Step 1, auth user: ..."."""

    def step(match: re.Match[str]) -> str:
        name = f", {match[2].replace('_', ' ')}" if match[2] else ""
        return f"Step {int(match[1]) + 1}{name}:"

    return re.sub(r"\Asteps\[(\d+)\](?:\.(\w+))?:", step, problem)


def _version(macro: Macro, number: int) -> MacroVersion:
    version = macro.versions.filter(number=number).first()
    if version is None:
        raise Http404(f"{macro} has no version {number}.")
    return version


def _documents(version: MacroVersion) -> tuple[Document, Document]:
    """The version before and this one; before the first, nothing had changed."""
    before = version.macro.versions.filter(number__lt=version.number).first()
    return (before or version).document, version.document
