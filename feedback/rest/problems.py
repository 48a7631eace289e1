"""Every error as problem details (RFC 9457), and every refusal in the log."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.http import Http404, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from ..access.addresses import client_address
from ..access.keys import KeyRefused
from .details import CONTENT_TYPE, TOO_LARGE, Fault, details

logger = logging.getLogger(__name__)

# More faults than these help nobody, and would make the response to a small body big.
_MAX_ERRORS = 50

_MEMBERS = ("parameter", "header", "pointer")


class Problem(exceptions.APIException):
    """An error response; `errors` say which members of the request are wrong.

    `wait` is in how many seconds to try again.
    """

    wait: int | None = None

    def __init__(
        self, status: int, code: str, detail: str, errors: Iterable[Fault] = ()
    ) -> None:
        super().__init__(detail, code)
        self.status_code = status
        self.code = code
        self.sentence = detail
        self.errors = list(errors)


def in_parameter(name: str, detail: str) -> Fault:
    return {"parameter": name[:100], "detail": detail}


def in_header(name: str, detail: str) -> Fault:
    return {"header": name, "detail": detail}


def in_body(path: Iterable[object], detail: str) -> Fault:
    """`path` is made a JSON pointer (RFC 6901), as a fragment: #/ids/3."""
    names = (str(step)[:100] for step in path)
    steps = (name.replace("~", "~0").replace("/", "~1") for name in names)
    return {"pointer": "#" + "".join(f"/{step}" for step in steps), "detail": detail}


def invalid(faults: Iterable[Fault]) -> Problem:
    faults = list(faults)
    where = "; ".join(f"{_member(fault)}: {fault['detail']}" for fault in faults[:3])
    more = f" And {len(faults) - 3} more." if len(faults) > 3 else ""
    return Problem(400, "invalid", f"{where}{more}", faults[:_MAX_ERRORS])


def refused(refusal: KeyRefused) -> exceptions.APIException:
    if refusal.status == 401:
        return exceptions.AuthenticationFailed(refusal.message, refusal.code)
    problem = Problem(refusal.status, refusal.code, refusal.message)
    problem.wait = refusal.retry_after
    return problem


def _member(fault: Fault) -> str:
    return next(fault[kind] for kind in _MEMBERS if kind in fault)


def handle(exc: Exception, context: dict[str, Any]) -> Response | None:
    """The EXCEPTION_HANDLER of REST framework; None leaves it to Django."""
    known = _known(exc)
    if known is None:
        return None
    headers = {}
    if scheme := getattr(known, "auth_header", None):
        headers["WWW-Authenticate"] = scheme
    if wait := getattr(known, "wait", None):
        headers["Retry-After"] = str(int(wait))
    problem = _problem(known)
    body = details(problem.status_code, problem.code, problem.sentence, problem.errors)
    _log(context["request"], body)
    return Response(
        body, problem.status_code, headers=headers, content_type=CONTENT_TYPE
    )


def _known(exc: Exception) -> exceptions.APIException | None:
    if isinstance(exc, Http404):
        return exceptions.NotFound(str(exc) or None)
    if isinstance(exc, PermissionDenied):
        return exceptions.PermissionDenied(str(exc) or None)
    if isinstance(exc, RequestDataTooBig):
        return Problem(413, "too_large", TOO_LARGE)
    if isinstance(exc, UnreadablePostError):
        return Problem(400, "invalid", "The body broke off. Send all of it.")
    if isinstance(exc, SuspiciousOperation | MultiPartParserError):
        return Problem(400, "invalid", "The request is not understood.")
    return exc if isinstance(exc, exceptions.APIException) else None


def _problem(exc: exceptions.APIException) -> Problem:
    if isinstance(exc, Problem):
        return exc
    if isinstance(exc, exceptions.ValidationError):
        return invalid(in_body(path, text) for path, text in _faults(exc.detail, ()))
    code = exc.get_codes()
    detail = str(exc.detail)
    return Problem(exc.status_code, code if isinstance(code, str) else "error", detail)


def _faults(
    detail: object, path: tuple[object, ...]
) -> Iterator[tuple[tuple[object, ...], str]]:
    """The paths and sentences in what REST framework's serializers raise."""
    if isinstance(detail, dict):
        for name, below in detail.items():
            own = path if name == "non_field_errors" else (*path, name)
            yield from _faults(below, own)
    elif isinstance(detail, list):
        for number, below in enumerate(detail):
            nested = isinstance(below, dict | list)
            yield from _faults(below, (*path, number) if nested else path)
    else:
        yield path, str(detail)


def _log(request: Request, body: dict[str, object]) -> None:
    """The path without its query, which may hold what nobody should read."""
    # Asking for `request.user` would try once more who it is.
    user = vars(request).get("_user")
    logger.warning(
        "API refused %s %s: %s %s (%s, %s)",
        request.method,
        ascii(request.path[:200]),
        body["status"],
        body["code"],
        (user and user.get_username()) or "not signed in",
        client_address(request) or "unknown address",
    )
