"""The URLs of the REST API: its resources, its schema, its documentation."""

from __future__ import annotations

from functools import cache
from typing import Any

from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from feedback.rest import details, schema  # noqa: F401 - it registers itself

# The style elements that Redoc makes: empty ones, which it fills rule by rule, and the
# one of its scroll bars. The browser tests tell when a newer one makes others.
_STYLES = [
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='",
]
_APPS = ("feedback.api.urls", "macros.api.urls", "logs.api.urls")
_LISTS = {
    "communities": "community-list",
    "projects": "project-list",
    "types": "feedbacktype-list",
    "sources": "externalsource-list",
    "members": "member-list",
    "api-keys": "apikey-list",
    "feedback": "feedback-list",
    "comments": "comment-list",
    "testers": "tester-list",
    "filters": "filter-list",
    "lookups": "recordlookup-list",
    "packages": "datapackage-list",
    "macros": "macro-list",
    "versions": "version-list",
    "triggers": "trigger-list",
    "schedules": "schedule-list",
    "listeners": "listener-list",
    "calls": "call-list",
    "events": "event-list",
    "secrets": "secret-list",
    "runs": "run-list",
    "deliveries": "delivery-list",
    "attempts": "attempt-list",
    "destinations": "destination-list",
    "audit": "audit-list",
}


class Root(APIView):
    """The URLs of the lists."""

    permission_classes = [IsAuthenticated]
    schema = None

    def get(self, request: Request) -> Response:
        urls = {
            name: reverse(f"api:{view}", request=request)
            for name, view in _LISTS.items()
        }
        return Response(urls)


@cache
def openapi_spec() -> dict[str, Any]:
    """Made once per process, since it takes time; it is the same for everybody."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    spec: dict[str, Any]
    spec = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return spec


@cache
def _schema() -> bytes:
    return OpenApiJsonRenderer().render(openapi_spec())


def openapi(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_schema(), content_type=OpenApiJsonRenderer.media_type)


def docs(request: HttpRequest) -> HttpResponse:
    return render(request, "api/docs.html")


@csp_update({"style-src": _STYLES})
def reference(request: HttpRequest) -> HttpResponse:
    return render(request, "api/redoc.html")


@csrf_exempt
def not_found(request: HttpRequest) -> HttpResponse:
    """Instead of Django's page, since programs read JSON."""
    message = "There is nothing at this URL. The URLs of the API end with a slash."
    return details.response(404, "not_found", message)


_v1: tuple[list[URLPattern | URLResolver], str] = (
    [
        path("", Root.as_view(), name="root"),
        *(path("", include(app)) for app in _APPS),
        path("schema/", openapi, name="schema"),
        path("docs/", docs, name="docs"),
        path("redoc/", reference, name="redoc"),
    ],
    "api",
)
urlpatterns = [path("v1/", include(_v1)), re_path("", not_found)]
