"""One tester's page: export all that is stored, and erase for good."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Model
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from logs import audit
from logs.models import Action
from logs.privacy import (
    OUT_OF_REACH,
    ErasureUnfinished,
    erase_tester,
    export_tester,
    footprint,
)

from ..access.actors import may
from ..access.roles import ERASE_TESTER, EXPORT_TESTER
from ..console.scoping import ScopedAdmin
from ..models import Tester


class PrivacyPages(ScopedAdmin[Tester]):
    """The pages beside a tester's own: export and erase."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<row:pk>/export/", wrap(self.export), name="feedback_tester_export"),
            path("<row:pk>/erase/", wrap(self.erase), name="feedback_tester_erase"),
            *super().get_urls(),
        ]

    def has_change_permission(
        self, request: HttpRequest, obj: Model | None = None
    ) -> bool:
        """Nobody fills in again what was erased, not even with a form still open."""
        allowed = super().has_change_permission(request, obj)
        return allowed and getattr(obj, "erased_at", None) is None

    def page_of(self, request: HttpRequest, obj: Tester) -> dict[str, object]:
        return {
            "tester": obj,
            "may_export": may(request.user, EXPORT_TESTER, obj),
            "may_erase": may(request.user, ERASE_TESTER, obj),
        }

    def export(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        tester = self.row_to(request, EXPORT_TESTER, pk)
        audit.record(Action.EXPORTED, tester)
        name = f"tester-{tester.pk}.json"
        return StreamingHttpResponse(
            export_tester(tester),
            content_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def erase(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What will happen and a field for the e-mail; with the e-mail, the deed."""
        tester = self.row_to(request, ERASE_TESTER, pk)
        problem = ""
        if request.method == "POST":
            if request.POST.get("email", "").strip() == tester.email:
                return self._erase(request, tester)
            problem = "That is not the tester's e-mail, so nothing was erased."
        context = {
            **self.admin_site.each_context(request),
            "title": "Erase a tester",
            "opts": self.opts,
            "tester": tester,
            "footprint": footprint(tester),
            "out_of_reach": OUT_OF_REACH,
            "problem": problem,
            # Nothing else is left to do for who is erased already.
            "remove_texts": "remove_texts" in request.POST
            or bool(tester.erased_at and not tester.erasure),
        }
        template = "admin/feedback/tester/erase.html"
        return TemplateResponse(request, template, context)

    def _erase(self, request: HttpRequest, tester: Tester) -> HttpResponse:
        page = reverse("admin:feedback_tester_change", args=[tester.pk])
        remove = "remove_texts" in request.POST
        try:
            erase_tester(tester, request.user, remove_texts=remove)
        except ErasureUnfinished as why:
            messages.warning(request, str(why))
            return HttpResponseRedirect(page)
        messages.success(request, "Erased, as far as it is within reach from here.")
        return HttpResponseRedirect(page)
