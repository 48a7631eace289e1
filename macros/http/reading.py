from __future__ import annotations

import socket
from collections.abc import Callable

from macros.http.deadline import Deadline
from macros.http.errors import head_too_large, not_http
from macros.http.messages import Cut
from macros.http.parsing import END_OF_HEAD, ResponseParser, repaired
from macros.http.room import FREE, Permit

MAX_HEAD = 65_536
# Chunk sizes and extensions, or trailers, without one byte of a body between them.
_MAX_FRAMING = 65_536
_RECEIVE = 65_536
# Seconds that a long body waits for a permit.
_PATIENCE = 5.0


class Disconnected(ConnectionError):
    """The other side closed before it sent a single byte of a response."""


class Reader:
    """Reads one response from a connection, each receive bounded by the deadline.

    `get_permit` finds one for a long body in so many seconds; `permit` is that one.
    """

    __slots__ = ("_deadline", "_get_permit", "is_silent", "permit", "sock")

    def __init__(
        self,
        sock: socket.socket,
        deadline: Deadline,
        get_permit: Callable[[float], Permit | None],
    ) -> None:
        self.sock = sock
        self.permit: Permit | None = None
        self._deadline = deadline
        self._get_permit = get_permit
        self.is_silent = True

    def head(self) -> ResponseParser:
        """Informational heads count toward the limit and are passed over.

        Raises Disconnected, TransportError, and OSError where the connection broke.
        """
        parser = ResponseParser()
        received = bytearray()
        while not parser.has_head:
            # What was accepted must not look failed for a header too many.
            if len(received) >= MAX_HEAD and parser.cut_head():
                return parser
            parser.feed(self._receive_head(received))
            if parser.is_broken and not parser.has_head:
                return self._repaired(received)
        return parser

    def body(
        self, parser: ResponseParser, method: str, limit: int
    ) -> tuple[bytes, Cut]:
        """At most `limit` bytes as they came over the wire. Never raises."""
        if method == "HEAD":
            return b"", ""
        try:
            cut = self._read_body(parser, limit)
        except TimeoutError:
            cut = "deadline"
        except OSError:
            cut = "connection"
        if len(parser.body) > limit:
            cut = "size"
        return bytes(parser.body[:limit]), cut

    def held(self, body: bytes, cut: Cut) -> tuple[bytes, Cut]:
        """A decoded body, or as much of it as may be held."""
        return (body, cut) if self.may_hold(len(body)) else (body[:FREE], "size")

    def may_hold(self, size: int) -> bool:
        """Whether a body of this size may be held, a part of it from now on."""
        if size > FREE and self.permit is None:
            self.permit = self._get_permit(_PATIENCE)
        return size <= FREE or self.permit is not None

    def is_reusable(self, parser: ResponseParser, method: str) -> bool:
        """Call after a body that was read whole.

        After HEAD the parser waits for a body, and would not see what came too much.
        """
        return (
            parser.is_reusable
            and not parser.is_cut
            and not parser.is_broken
            and method != "HEAD"
        )

    def _read_body(self, parser: ResponseParser, limit: int) -> Cut:
        framing = 0
        while not parser.is_complete:
            if parser.is_cut:
                return "size"
            before = len(parser.body)
            if parser.is_broken or framing > _MAX_FRAMING:
                return "connection"
            if before > limit or not self.may_hold(before):
                return "size"
            data = self._receive(_RECEIVE)
            if not data:
                return "" if parser.ends_with_connection else "connection"
            parser.feed(data)
            framing = framing + len(data) if len(parser.body) == before else 0
        return ""

    def _repaired(self, received: bytearray) -> ResponseParser:
        searched = 0
        while True:
            if END_OF_HEAD(received, searched) and (parser := repaired(received)):
                return parser
            if len(received) >= MAX_HEAD:
                return self._repaired_in_part(received)
            searched = len(received) - 3  # Below 0 it is the start.
            self._receive_head(received)

    def _repaired_in_part(self, received: bytearray) -> ResponseParser:
        parser = repaired(received + b"\r\n\r\n")
        if parser is None:
            raise head_too_large(MAX_HEAD)
        parser.is_cut = True
        parser.body.clear()
        return parser

    def _receive_head(self, received: bytearray) -> bytes:
        """Adds to what was received of the head, which can't grow without end."""
        room = MAX_HEAD - len(received)
        if not room:
            raise head_too_large(MAX_HEAD)
        data = self._receive(room)
        if not data:
            raise Disconnected if self.is_silent else not_http()
        if self.is_silent:
            self.is_silent = False
            self._deadline.first_byte()
        received += data
        if not b"HTTP/".startswith(received[:5]):
            raise not_http()
        return data

    def _receive(self, size: int) -> bytes:
        self._deadline.bound(self.sock)
        return self.sock.recv(size)
