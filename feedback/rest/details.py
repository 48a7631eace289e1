"""Problem details (RFC 9457), also where REST framework is not loaded."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from django.http import JsonResponse

CONTENT_TYPE = "application/problem+json"
# A request's attribute: what its response says of the caller's rate.
RATE_HEADERS = "rate_headers"
TOO_LARGE = "The body is too large. Send less at once."

Fault = dict[str, str]


def details(
    status: int, code: str, detail: str, errors: Iterable[Fault] = ()
) -> dict[str, object]:
    """The body of a response with problem details."""
    body: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    faults = list(errors)
    return {**body, "errors": faults} if faults else body


def response(status: int, code: str, detail: str) -> JsonResponse:
    """For errors outside of the API's own views."""
    body = details(status, code, detail)
    return JsonResponse(body, status=status, content_type=CONTENT_TYPE)
