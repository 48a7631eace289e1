"""A call from outside: refused, or stored in one statement and responded to.

Nothing that is asked of a person's request is done here: no session, no form token, no
user. What a call means is found out later, by `work`.
"""

from __future__ import annotations

import logging
import math
from datetime import datetime
from functools import lru_cache, partial

from django.db import Error, IntegrityError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from feedback import mode
from feedback.access.addresses import client_address, neighbourhood

from ..models import Refusal
from . import intake, refusals
from .addresses import PREFIX, key_in
from .callers import let_in, token_in
from .entrances import Entrance, Entrances
from .intake import RawCall
from .payloads import Payload, read_payload
from .rate import CallRate
from .refusals import CallRefused, refused
from .storing import store
from .wake_ups import WakeUps

__all__ = ["PREFIX", "entrances", "respond"]

logger = logging.getLogger(__name__)

entrances = Entrances()
rate = CallRate()
wake_ups = WakeUps()

# A response may be HTML with what a caller sent; no browser is to do anything with it.
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
}

_near = lru_cache(maxsize=10_000)(neighbourhood)


def respond(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    try:
        response = _enter(request, now)
    except CallRefused as refusal:
        response = refusal.response()
    except Error:
        logger.exception("A call from outside could not be stored")
        response = refusals.unavailable().response()
    for name, value in HEADERS.items():
        response.headers[name] = value
    if response.status_code != 204:
        # Without it the connection would not be kept.
        response.headers["Content-Length"] = str(len(response.content))
    return response


def _enter(request: HttpRequest, now: datetime) -> HttpResponse:
    if mode.refuses(request.method):
        raise refusals.read_only()
    entrance = entrances.find(key_in(request.path_info), now)
    if entrance is None:
        raise refusals.unknown()
    address = client_address(request)
    try:
        return _take(request, entrance, address, now)
    except CallRefused as refusal:
        refusals.count(entrance.listener, address, refusal, now)
        raise


def _take(
    request: HttpRequest, entrance: Entrance, address: str, now: datetime
) -> HttpResponse:
    length = _look_at(request, entrance, address, now)
    call = intake.receive(request, length, address)
    token = token_in(call)
    checked_by = let_in(entrance, call, token)
    read = partial(_read, entrance, call)
    if (handshake := entrance.reply.handshake(call, read)) is not None:
        return handshake
    if call.method != entrance.method:
        raise _method(entrance)
    try:
        store(call, entrance.listener, checked_by, entrance.credentials(token))
    except IntegrityError:
        # The listener was deleted a moment ago.
        raise refusals.unknown() from None
    response = entrance.reply.response(read, call.received_at)
    wake_ups.add(entrance.listener)
    return response


def _look_at(
    request: HttpRequest, entrance: Entrance, address: str, now: datetime
) -> int | None:
    """What can be refused before the body is read; returns the body's length."""
    if entrance.ends_at is not None and entrance.ends_at <= now:
        raise refused(
            410,
            Refusal.OLD_ADDRESS,
            "This is an old address of the listener, and is not taken any more. Copy"
            " the present one from the listener's page.",
        )
    is_handshake = request.method == "GET" and entrance.reply.takes_get
    if request.method != entrance.method and not is_handshake:
        raise _method(entrance)
    length = intake.check_length(request)
    if not entrance.allows(address):
        raise refused(
            403,
            Refusal.ADDRESS_NOT_ALLOWED,
            "Calls from your address are not allowed by this listener.",
        )
    wait = rate.wait((entrance.listener, _near(address)), now)
    if wait:
        raise refused(
            429,
            Refusal.TOO_MANY,
            "You have sent more calls than this listener takes at once. Wait for as"
            " many seconds as Retry-After says.",
            Retry_After=str(math.ceil(wait)),
        )
    return length


def _method(entrance: Entrance) -> CallRefused:
    sentence = f"Calls of this listener are sent by {entrance.method}."
    return refused(405, Refusal.METHOD, sentence, Allow=entrance.method)


def _read(entrance: Entrance, call: RawCall) -> Payload:
    return read_payload(entrance.payload_format, call.body, call.headers, call.query)
