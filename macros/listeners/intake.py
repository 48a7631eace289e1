"""A call as it comes: its body within bounds, and its row without credentials."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from urllib.parse import unquote_plus

from django.conf import settings
from django.http import HttpRequest
from django.http.request import UnreadablePostError
from django.utils import timezone

from feedback.texts import storable
from logs.redaction import MASK, MIN_REDACTED, is_credential, mask_header

from ..models import InboundCall, Refusal
from .refusals import INCOMPLETE, CallRefused, refused
from .verification import Headers

# What is kept of the headers and the query, in characters.
MAX_HEADERS = 100
MAX_VALUE = 2_000
MAX_QUERY = 8_000

_PIECE = 65_536


@dataclass(frozen=True, slots=True)
class RawCall:
    """A call as it was received; headers by their names in lower case."""

    method: str
    headers: Headers
    query: str
    body: bytes
    address: str
    received_at: datetime


def receive(request: HttpRequest, length: int | None, address: str) -> RawCall:
    """Read it to its end. Raises CallRefused."""
    body = _read_body(request, length)
    return RawCall(
        request.method or "",
        _headers_of(request),
        request.META.get("QUERY_STRING", ""),
        body,
        address,
        # The sender may have taken a while.
        timezone.now(),
    )


def _headers_of(request: HttpRequest) -> dict[str, str]:
    headers = {
        _header_name(name): value
        for name, value in request.META.items()
        if name.startswith("HTTP_")
    }
    if content_type := request.META.get("CONTENT_TYPE"):
        headers["content-type"] = content_type
    return headers


@lru_cache(maxsize=1_000)
def _header_name(name: str) -> str:
    return name.removeprefix("HTTP_").replace("_", "-").lower()


def check_length(request: HttpRequest) -> int | None:
    """The declared length of the body; None where it comes in chunks.

    Raises CallRefused before a byte of it is read.
    """
    declared = request.META.get("CONTENT_LENGTH") or ""
    if not declared:
        is_chunked = "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()
        return None if is_chunked else 0
    if not (declared.isascii() and declared.isdecimal() and len(declared) < 20):
        raise INCOMPLETE
    if int(declared) > settings.INBOUND_MAX_BYTES:
        raise _too_large()
    return int(declared)


def _read_body(request: HttpRequest, length: int | None) -> bytes:
    """All of it, and never more than the limit. Raises CallRefused."""
    limit = settings.INBOUND_MAX_BYTES if length is None else length
    # Django reads nothing where no length is declared; the server knows the end.
    stream = request.META["wsgi.input"] if length is None else request
    body = bytearray()
    try:
        while len(body) <= limit and (piece := stream.read(_rest(body, length, limit))):
            body += piece
    except (OSError, UnreadablePostError, ValueError):
        raise INCOMPLETE from None
    if length is None and len(body) > limit:
        raise _too_large()
    if length is not None and len(body) < length:
        raise INCOMPLETE
    return bytes(body)


def _rest(body: bytearray, length: int | None, limit: int) -> int:
    """How much to ask for: one byte too many tells what is too large."""
    return min(_PIECE, limit - len(body) + (length is None))


def _too_large() -> CallRefused:
    return refused(
        413,
        Refusal.TOO_LARGE,
        f"The body is longer than {settings.INBOUND_MAX_BYTES:,} bytes. Send less at"
        " once, or ask the operator to raise INBOUND_MAX_BYTES.",
    )


def store(
    call: RawCall, listener: int, checked_by: str, credentials: Iterable[str]
) -> None:
    """One INSERT; what opens anything is masked by its name, and by its value."""
    secrets = [each for each in credentials if len(each) >= MIN_REDACTED]
    row = InboundCall(
        listener_id=listener,
        received_at=call.received_at,
        address=call.address,
        method=call.method,
        content_type=storable(call.headers.get("content-type", ""))[:200],
        headers=dict(_masked_headers(call.headers, secrets)),
        query=storable(_masked_query(call.query, secrets))[:MAX_QUERY],
        body=call.body,
        checked_by=checked_by[:100],
    )
    row.save(force_insert=True)


def _masked_headers(headers: Headers, secrets: list[str]) -> Iterator[tuple[str, str]]:
    for number, (name, value) in enumerate(headers.items()):
        if number >= MAX_HEADERS:
            return
        masked = mask_header(name, value)
        if masked is value:
            masked = _without(value, secrets)
        yield storable(name)[:100], storable(masked)[:MAX_VALUE]


def _masked_query(query: str, secrets: list[str]) -> str:
    if not query:
        return ""
    return "&".join(_masked_parameter(each, secrets) for each in query.split("&"))


def _masked_parameter(parameter: str, secrets: list[str]) -> str:
    name, equals, value = parameter.partition("=")
    if equals and value and is_credential(unquote_plus(name)):
        return f"{name}={MASK}"
    plain = unquote_plus(parameter)
    return MASK if any(secret in plain for secret in secrets) else parameter


def _without(value: str, secrets: list[str]) -> str:
    for secret in secrets:
        value = value.replace(secret, MASK)
    return value
