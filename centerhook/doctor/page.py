"""The doctor in the admin, for superusers."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.response import TemplateResponse

from .examining import examine


def doctor_page(site: AdminSite, request: HttpRequest) -> TemplateResponse:
    if not request.user.is_superuser:
        raise PermissionDenied
    context = {
        **site.each_context(request),
        "title": "Doctor",
        "report": examine(),
    }
    return TemplateResponse(request, "admin/doctor.html", context)
