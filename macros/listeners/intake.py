"""A call as it comes: its body within bounds, and its row without credentials."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from ..models import Refusal
from .refusals import CallRefused, incomplete, refused
from .verification import Headers

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
        raise incomplete()
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
    except Exception:  # The server's own, where chunks are not what they say.
        raise incomplete() from None
    if length is None and len(body) > limit:
        raise _too_large()
    if length is not None and len(body) < length:
        raise incomplete()
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
