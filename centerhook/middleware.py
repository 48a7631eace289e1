"""What holds for every request and every response, whichever page it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse

from feedback import mode
from feedback.rest import details
from logs import audit
from macros.listeners import door

GetResponse = Callable[[HttpRequest], HttpResponse]
_FOR_PROGRAMS = ("/api/", "/data/", "/lookups/", "/sources/")


def is_for_programs(request: HttpRequest) -> bool:
    """Whether it gets problem details in place of a page."""
    return request.path.startswith(_FOR_PROGRAMS)


def calls_from_outside(get_response: GetResponse) -> GetResponse:
    """Takes the calls of listeners past all that is there for people and programs."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(door.PREFIX):
            return door.respond(request)
        return get_response(request)

    return middleware


def audited(get_response: GetResponse) -> GetResponse:
    """Lets the audit log know whose request is at work, and from where."""

    def middleware(request: HttpRequest) -> HttpResponse:
        with audit.during(request):
            return get_response(request)

    return middleware


# No page needs any of these features of a browser.
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer",
        "camera",
        "display-capture",
        "geolocation",
        "gyroscope",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "usb",
    )
)


def page_headers(get_response: GetResponse) -> GetResponse:
    """Adds what neither Django nor django-csp sends.

    A page that does not say how long it may be kept is kept nowhere: not in a shared
    proxy, and not in a browser somebody else sits at next.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("Cache-Control", "no-store, private")
        return response

    return middleware


# What stays possible while nothing can be changed: to sign in and out, and to end it.
_ALWAYS = (
    *("admin:login", "admin:logout", "admin:mode"),
    *("admin:second_factor_code", "admin:second_factor_leave"),
)


@cache
def _always() -> frozenset[str]:
    return frozenset(map(reverse, _ALWAYS))


def read_only(get_response: GetResponse) -> GetResponse:
    """Turns away what would write while the installation is read-only."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not mode.refuses(request.method) or request.path_info in _always():
            return get_response(request)
        if is_for_programs(request):
            sentence = (
                "CenterHook is read-only for now, so nothing was changed. Send the"
                " request again later."
            )
            response: HttpResponse = details.response(
                503, mode.READ_ONLY_CODE, sentence
            )
        else:
            response = HttpResponse(render_to_string("read_only.html"), status=503)
        response.headers["Retry-After"] = str(mode.RETRY_AFTER)
        return response

    return middleware


def upload_limit(get_response: GetResponse) -> GetResponse:
    """Refuses what is too large before a byte of it is read.

    Django's own limits leave out files, which it would put on the disk first. Under
    WSGI a body without a declared length is empty.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        declared = request.META.get("CONTENT_LENGTH") or "0"
        if declared.isdecimal() and int(declared) <= settings.UPLOAD_MAX_BYTES:
            return get_response(request)
        if is_for_programs(request):
            return details.response(413, "too_large", details.TOO_LARGE)
        return HttpResponse(render_to_string("413.html"), status=413)

    return middleware
