"""What holds for every request, whichever page it is for."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from logs import audit

GetResponse = Callable[[HttpRequest], HttpResponse]


def audited(get_response: GetResponse) -> GetResponse:
    """Lets the audit log know whose request is at work, and from where."""

    def middleware(request: HttpRequest) -> HttpResponse:
        with audit.during(request):
            return get_response(request)

    return middleware
