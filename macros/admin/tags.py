"""The reference of the tag language, with what a type or community adds to it."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from feedback.console.scoping import ScopedAdmin
from feedback.models import FeedbackType

from ..models import Macro
from ..tags import Scope
from ..tags.reference import ESCAPING, filter_rows, headline, tag_rows
from .owners import choices_of, key_of, tester_owners

_VIEW = "macros.view_macro"


def reference(modeladmin: ScopedAdmin, request: HttpRequest) -> HttpResponse:
    if not modeladmin.has_view_permission(request):
        raise PermissionDenied
    types = list(
        FeedbackType.objects.visible_to(request.user, _VIEW).select_related("project")
    )
    owners = tester_owners(request.user, _VIEW)
    known = {key_of(each): each for each in (*types, *owners)}
    wanted = request.GET.get("of", "")
    scope = Macro.at(known[wanted]).scope() if wanted in known else Scope.of()
    context = {
        **modeladmin.admin_site.each_context(request),
        "title": "Dynamic tags",
        "opts": modeladmin.opts,
        "types": [(key_of(each), str(each)) for each in types],
        "owners": choices_of(owners),
        "wanted": wanted,
        "headline": headline(scope.subject_kind),
        "tags": list(tag_rows(scope)),
        "filters": filter_rows(),
        "escaping": ESCAPING,
    }
    return TemplateResponse(request, "admin/macros/macro/tags.html", context)
