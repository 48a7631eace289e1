"""Idempotency keys: a request that is sent again does its work once.

After the IETF's draft, draft-ietf-httpapi-idempotency-key-header.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.crypto import salted_hmac
from rest_framework.request import Request
from rest_framework.response import Response

from .. import formats
from ..access.keys import KeyActor
from ..models import StoredResponse
from ..models.numbers import ExactEncoder
from ..models.responses import KEPT
from . import preferences
from .problems import Problem, in_header, invalid
from .rendering import JSONRenderer

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
REUSED = "This key was used for a call that said something else."
_MAX_LENGTH = 255
# Printable ASCII, as the schema says it too.
PATTERN = f"^[ -~]{{1,{_MAX_LENGTH}}}$"
# Seconds in which a web process of another version may be reached.
_NEWER_WAIT = 5
_HEADERS = ("Location", "ETag", preferences.APPLIED)

_Handler = Callable[..., HttpResponseBase]


def key_of(request: Request, *scope: object) -> str:
    """32 hexadecimal digits: the header as it counts for this caller and scope.

    Empty without the header. Raises Problem.
    """
    given = request.headers.get(HEADER)
    if given is None:
        return ""
    if not (given.strip() and re.fullmatch(PATTERN, given)):
        problem = f"Give 1 to {_MAX_LENGTH} ASCII characters, such as a random UUID."
        raise invalid([in_header(HEADER, problem)])
    user: Any = request.user
    who = ("key", user.key.pk) if isinstance(user, KeyActor) else ("user", user.pk)
    # Without our key: a run is known by it for longer than keys live.
    return hashlib.sha256(_written([*who, *scope, given]).encode()).hexdigest()[:32]


def fingerprint(data: object) -> str:
    """Alike for bodies that say the same, however they are written.

    Under our key, so that whoever reads the database can't try values of secrets on it.
    """
    hashed = salted_hmac("idempotency", _written(data), algorithm="sha256")
    return hashed.hexdigest()


def _written(data: object) -> str:
    return json.dumps(data, cls=_Encoder, sort_keys=True, separators=(",", ":"))


class _Encoder(ExactEncoder):
    def default(self, o: Any) -> Any:
        if isinstance(o, UploadedFile):
            return [o.name, _hash(o)]
        return super().default(o)


def _hash(file: UploadedFile) -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


def idempotent(request: Request, handler: _Handler) -> _Handler:
    """The handler, which does its work once for each key in the header.

    Work and response are stored in one transaction: neither is there without the
    other, and of two at once the second waits for the first. A refusal is not stored.
    """
    if HEADER not in request.headers:
        return handler

    def once(*args: Any, **kwargs: Any) -> HttpResponseBase:
        key = key_of(request, request.method, request.path)
        same = fingerprint(request.data)
        with transaction.atomic():
            stored, is_first = _stored(request, key, same)
            if not is_first:
                return _again(stored, same)
            response = handler(*args, **kwargs)
            if isinstance(response, Response):
                _keep(stored, response)
        return response

    return once


def _stored(request: Request, key: str, same: str) -> tuple[StoredResponse, bool]:
    rows = StoredResponse.objects.filter(idempotency_key=key)
    rows.filter(created_at__lt=timezone.now() - KEPT).delete()
    user: Any = request.user
    community = user.key.community if isinstance(user, KeyActor) else None
    return rows.get_or_create(
        idempotency_key=key, defaults={"community": community, "fingerprint": same}
    )


def _again(stored: StoredResponse, same: str) -> HttpResponse:
    if stored.fingerprint != same:
        raise Problem(422, "idempotency_key_reused", REUSED)
    _check_format(stored)
    if not stored.body and stored.status != 204:
        message = (
            "The work of this call was done. Its response is gone, since a person's"
            " data was erased."
        )
        raise Problem(409, "response_erased", message)
    return HttpResponse(
        stored.body,
        status=stored.status,
        content_type="application/json",
        headers={**stored.headers, REPLAYED: "true"},
    )


def _check_format(stored: StoredResponse) -> None:
    """Another web process may be of the version that can say it. Raises Problem."""
    try:
        formats.check(stored.format, formats.RESPONSE, "The kept response")
    except formats.UNREADABLE as error:
        message = f"{error} The work of this call was done. Send it again in a moment."
        problem = Problem(503, "response_newer", message)
        problem.wait = _NEWER_WAIT
        raise problem from None


def _keep(stored: StoredResponse, response: Response) -> None:
    if response.data is not None:
        stored.body = JSONRenderer().render(response.data).decode()
    stored.status = response.status_code
    stored.format = formats.RESPONSE
    stored.headers = {name: response[name] for name in _HEADERS if name in response}
    stored.save()
