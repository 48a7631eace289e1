"""Requests as they go out, HTTP/1.1 (RFC 9112)."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from requests import PreparedRequest

from macros.http.deadline import Deadline
from macros.http.errors import CLOSED, TransportError
from macros.http.multipart import Multipart
from macros.http.urls import Endpoint

_TOKEN = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+").fullmatch
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]").search
_OURS = frozenset({"content-length", "transfer-encoding"})
_DEFAULTS = (
    ("user-agent", "User-Agent: CenterHook/0.1"),
    ("accept", "Accept: */*"),
    ("accept-encoding", "Accept-Encoding: gzip, deflate"),
)
_EXPECT_BODY = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, slots=True)
class Outbound:
    """A request as it goes on the wire: in one piece, so that it is one packet.

    Only files follow piece by piece.
    """

    head: bytes
    parts: Multipart | None = None

    def chunks(self) -> Iterator[bytes]:
        yield self.head
        if self.parts is not None:
            yield from self.parts.chunks()


def encode(request: PreparedRequest, endpoint: Endpoint) -> Outbound:
    """The request as it goes on the wire.

    `Content-Length` is always ours, so that and `Transfer-Encoding` are left out.
    `Host`, `User-Agent`, `Accept` and `Accept-Encoding` are added where missing.
    """
    method = request.method or ""
    if not _TOKEN(method):
        _refuse("The method is not valid.")
    lines = [f"{method} {endpoint.path} HTTP/1.1"]
    names = set()
    for name, value in request.headers.items():
        if isinstance(value, bytes):  # The library allows them.
            value = _text_of(name, value)
        if not _TOKEN(name):
            _refuse("A header has a name that is not valid.")
        if _CONTROL(value):
            _refuse(f"The header {name} contains a line break or control character.")
        lowered = name.lower()
        if lowered not in _OURS:
            names.add(lowered)
            lines.append(f"{name}: {value}")
    if "host" not in names:
        lines.insert(1, f"Host: {endpoint.host_header}")
    lines += [line for name, line in _DEFAULTS if name not in names]
    body = _body(request.body)
    if body is not None or method in _EXPECT_BODY:
        lines.append(f"Content-Length: {len(body or b'')}")
    lines.append("\r\n")
    head = _encode_lines(lines)
    if isinstance(body, Multipart):
        return Outbound(head, body)
    return Outbound(head + (body or b""))


def _text_of(name: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        _refuse(f"The header {name} is not in UTF-8.")


def _body(body: object) -> bytes | Multipart | None:
    if body is None or isinstance(body, bytes | Multipart):
        return body
    if isinstance(body, str):
        return body.encode("utf-8", "replace")
    # A file or generator could not go out a second time, and has no length.
    _refuse("The body is not text or bytes.")


def _encode_lines(lines: list[str]) -> bytes:
    """Always UTF-8, so that a letter's bytes do not depend on its neighbours."""
    try:
        return "\r\n".join(lines).encode()
    except UnicodeEncodeError as error:
        raise TransportError("A header contains broken text.", "render") from error


def _refuse(sentence: str) -> NoReturn:
    raise TransportError(sentence, "render")


def transmit(sock: socket.socket, data: Outbound, deadline: Deadline) -> bool:
    """Sends it all, or returns False when the other side stopped listening.

    A server that refuses a request early closes its end and may still have responded,
    so the response is looked for all the same. A slow upload may take until the
    deadline, but no pause may be longer than the read limit.
    """
    try:
        for chunk in data.chunks():
            view = memoryview(chunk)
            while view:
                deadline.bound(sock)
                view = view[sock.send(view) :]
    except CLOSED:
        return False
    return True
