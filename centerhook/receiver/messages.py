"""As much of HTTP/1.1 as the receiver needs: a request in, a response out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from http import HTTPStatus

from .memory import DELIVERY_ID, Received, find_header

MAX_HEAD = 65_536
MAX_BODY = 16_000_000

TEXT = "text/plain; charset=utf-8"


class BadRequest(Exception):
    """The connection can't go on; `status` says why."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


@dataclass(slots=True)
class Parsed:
    """A request, how many bytes it took, and whether the connection ends with it."""

    request: Received
    delivery_id: str
    size: int
    closes: bool


def parse(data: bytes) -> Parsed | None:
    """The first request in `data`, or None while it has not arrived whole."""
    end = data.find(b"\r\n\r\n")
    if end < 0 or end > MAX_HEAD:
        if len(data) > MAX_HEAD:
            raise BadRequest(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        return None
    head = data[:end]
    lowered = head.lower()
    size = end + 4 + _content_length(head, lowered)
    if len(data) < size:
        return None
    line = head.partition(b"\r\n")[0].decode("latin-1").split(" ")
    if len(line) != 3 or not line[1].startswith("/"):
        raise BadRequest(HTTPStatus.BAD_REQUEST)
    request = Received(line[0], line[1], head, data[end + 4 : size], time.time())
    closes = line[2] != "HTTP/1.1" or b"\r\nconnection: close" in lowered
    return Parsed(request, find_header(head, lowered, DELIVERY_ID), size, closes)


def _content_length(head: bytes, lowered: bytes) -> int:
    if b"\r\ntransfer-encoding:" in lowered:
        raise BadRequest(HTTPStatus.LENGTH_REQUIRED)
    text = find_header(head, lowered, b"content-length")
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()):
        raise BadRequest(HTTPStatus.BAD_REQUEST)
    if len(text) > 12 or int(text) > MAX_BODY:
        raise BadRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return int(text)


@dataclass(frozen=True, slots=True)
class Reply:
    """A response as the bytes on the wire, and how many seconds to hold it back."""

    status: int
    data: bytes
    delay: float = 0.0


def reply(
    status: int, content: str = "", kind: str = TEXT, *headers: str, delay: float = 0.0
) -> Reply:
    """`kind` is the Content-Type; `delay` is in seconds."""
    phrase = HTTPStatus(status).phrase if status in _PHRASES else "Unnamed"
    lines = [f"HTTP/1.1 {status} {phrase}", *headers]
    body = content.encode()
    if status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        body = b""
    else:
        lines += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    head = "\r\n".join(lines) + "\r\n\r\n"
    return Reply(status, head.encode("latin-1") + body, delay)


_PHRASES = frozenset(HTTPStatus)
