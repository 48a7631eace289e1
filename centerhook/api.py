"""The REST API's addresses: its rooms, its schema, its pages to read."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path, re_path
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from feedback.rest import problems, schema  # noqa: F401 - it registers itself

ROOT = "/api/"
# Each app has a room; what its rows are listed by.
_ROOMS = ("feedback.api.urls", "macros.api.urls", "logs.api.urls")
_LISTS = {
    "feedback": "feedback-list",
    "macros": "macro-list",
    "secrets": "secret-list",
    "runs": "run-list",
    "deliveries": "delivery-list",
}


class Root(APIView):
    """The addresses of the rooms."""

    permission_classes = [IsAuthenticated]
    schema = None

    def get(self, request: Request) -> Response:
        addresses = {
            name: reverse(f"api:{view}", request=request)
            for name, view in _LISTS.items()
        }
        return Response(addresses)


@cache
def _schema() -> bytes:
    """Made once a process: it takes time, and is open to everybody."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    made = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return OpenApiJsonRenderer().render(made)


def openapi(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_schema(), content_type=OpenApiJsonRenderer.media_type)


def docs(request: HttpRequest) -> HttpResponse:
    return render(request, "api/docs.html")


@csrf_exempt
def not_found(request: HttpRequest) -> HttpResponse:
    """In place of Django's page: what calls here reads JSON."""
    told = "There is nothing at this address. Those of the API end with a slash."
    return problems.response(404, "not_found", told)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(ROOT):
        return problems.response(400, "invalid", "The request is not understood.")
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if request.path.startswith(ROOT):
        told = "Something is wrong on our side; it was noted. Try again later."
        return problems.response(500, "server_error", told)
    return defaults.server_error(request)


_v1: tuple[list[Any], str] = (
    [
        path("", Root.as_view(), name="root"),
        *(path("", include(room)) for room in _ROOMS),
        path("schema/", openapi, name="schema"),
        path("docs/", docs, name="docs"),
    ],
    "api",
)
urlpatterns = [path("v1/", include(_v1)), re_path("", not_found)]
