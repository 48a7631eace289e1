"""The reference of the tag language, with what a feedback type adds to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from feedback.models import FeedbackType

from ..models.scopes import scope_for
from ..reference import ESCAPING, filter_rows, tag_rows

if TYPE_CHECKING:
    from .macros import MacroAdmin


def reference(modeladmin: MacroAdmin, request: HttpRequest) -> HttpResponse:
    if not modeladmin.has_view_permission(request):
        raise PermissionDenied
    types = FeedbackType.objects.visible_to(request.user, "macros.view_macro")
    wanted = request.GET.get("feedback_type", "")
    chosen = next((each for each in types if str(each.pk) == wanted), None)
    context = {
        **modeladmin.admin_site.each_context(request),
        "title": "Dynamic tags",
        "opts": modeladmin.opts,
        "types": types.select_related("project"),
        "chosen": chosen,
        "tags": list(tag_rows(scope_for(chosen) if chosen else None)),
        "filters": filter_rows(),
        "places": ESCAPING,
    }
    return TemplateResponse(request, "admin/macros/macro/tags.html", context)
