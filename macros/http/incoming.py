"""Answers as they come in, HTTP/1.1 (RFC 9112).

urllib3 and http.client below it would do, but take three times the CPU per request
(headers parsed as e-mail, then copied), lose every header after one malformed line,
and know no deadline.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass, field

from macros.http.clock import Clock
from macros.http.errors import TransportError
from macros.http.messages import Cut

MAX_HEAD = 65_536
_MAX_LINE = 8_192
_MAX_TRAILERS = 100
_RECEIVE = 65_536

_END_OF_HEAD = re.compile(rb"\r?\n\r?\n").search
_STATUS_LINE = re.compile(rb"HTTP/1\.(\d) +(\d{3})(?: +([^\r\n]*))?\r?\n").match
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}").fullmatch
_LENGTH = re.compile(r"\d{1,18}").fullmatch


class Disconnected(ConnectionError):
    """The other side closed before it sent a single byte of an answer."""


class Broken(Exception):
    def __init__(self, cut: Cut) -> None:
        self.cut = cut


@dataclass(slots=True)
class Head:
    minor: int
    status: int
    reason: str
    headers: list[tuple[str, str]]
    fields: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.fields = {}
        for name, value in self.headers:
            lowered = name.lower()
            before = self.fields.get(lowered)
            # RFC 9110 5.3: values of one name may be joined by commas.
            self.fields[lowered] = value if before is None else f"{before}, {value}"

    def get(self, name: str) -> str:
        return self.fields.get(name, "")


class Reader:
    """Reads one answer. Bytes beyond it make the connection unfit to be kept."""

    __slots__ = ("_buffer", "_clock", "_closed", "_sock", "silent")

    def __init__(self, sock: socket.socket, clock: Clock) -> None:
        self._sock = sock
        self._clock = clock
        self._buffer = bytearray()
        self._closed = False
        self.silent = True

    def head(self) -> Head:
        """Informational answers are passed over (RFC 9110 15.2), but for 101."""
        while True:
            head = _parse(self._take_head())
            if head.status >= 200 or head.status == 101:
                return head

    def body(self, head: Head, method: str, limit: int) -> tuple[bytes, Cut]:
        """At most `limit` bytes as they came over the wire. Never raises."""
        out = bytearray()
        try:
            self._read_body(head, method, out, limit)
        except Broken as broken:
            return bytes(out), broken.cut
        except TimeoutError:
            return bytes(out), "deadline"
        except OSError:
            return bytes(out), "connection"
        return bytes(out), ""

    def reusable(self, head: Head) -> bool:
        """RFC 9112 9.3. Call after a body that was read whole."""
        if self._closed or self._buffer or head.status == 101:
            return False
        tokens = {part.strip() for part in head.get("connection").lower().split(",")}
        if "close" in tokens or (head.minor == 0 and "keep-alive" not in tokens):
            return False
        # RFC 9112 6.1: both at once smells of smuggling.
        return not (head.get("transfer-encoding") and head.get("content-length"))

    def _fill(self) -> bool:
        self._sock.settimeout(self._clock.left(self._clock.limits.read))
        data = self._sock.recv(_RECEIVE)
        if not data:
            self._closed = True
            return False
        if self.silent:
            self.silent = False
            self._clock.first_byte()
        self._buffer += data
        return True

    def _take_head(self) -> bytes:
        buffer, searched = self._buffer, 0
        while not (end := _END_OF_HEAD(buffer, searched)):
            if not b"HTTP/1.".startswith(buffer[:7]):
                raise _not_http()
            if len(buffer) > MAX_HEAD:
                raise _head_too_large()
            searched = max(0, len(buffer) - 3)
            if not self._fill():
                raise Disconnected if self.silent else _not_http()
        if end.end() > MAX_HEAD:
            raise _head_too_large()
        head = bytes(buffer[: end.end()])
        del buffer[: end.end()]
        return head

    def _read_body(self, head: Head, method: str, out: bytearray, limit: int) -> None:
        """Framing by RFC 9112 6.3."""
        if method == "HEAD" or head.status in (101, 204, 304):
            return
        if coding := head.get("transfer-encoding").lower():
            if coding.rpartition(",")[2].strip() == "chunked":
                self._read_chunks(out, limit)
            else:
                self._read_to_close(out, limit)
        elif length := head.get("content-length"):
            lengths = {part.strip() for part in length.split(",")}
            if len(lengths) > 1 or not _LENGTH(length := lengths.pop()):
                raise Broken("connection")
            self._read_exactly(int(length), out, limit)
        else:
            self._read_to_close(out, limit)

    def _read_exactly(self, count: int, out: bytearray, limit: int) -> None:
        buffer = self._buffer
        while count:
            room = limit - len(out)
            if not room:
                raise Broken("size")
            if not buffer and not self._fill():
                raise Broken("connection")
            taken = min(count, room, len(buffer))
            out += buffer[:taken]
            del buffer[:taken]
            count -= taken

    def _read_to_close(self, out: bytearray, limit: int) -> None:
        buffer = self._buffer
        while buffer or self._fill():
            room = limit - len(out)
            if not room:
                raise Broken("size")
            out += buffer[:room]
            del buffer[:room]

    def _read_chunks(self, out: bytearray, limit: int) -> None:
        while size := self._read_chunk_size():
            self._read_exactly(size, out, limit)
            if self._read_line():
                raise Broken("connection")
        for _ in range(_MAX_TRAILERS):
            if not self._read_line():
                return
        raise Broken("connection")

    def _read_chunk_size(self) -> int:
        digits = self._read_line().partition(b";")[0].strip()
        if not _CHUNK_SIZE(digits):
            raise Broken("connection")
        return int(digits, 16)

    def _read_line(self) -> bytes:
        buffer = self._buffer
        while (end := buffer.find(b"\n")) < 0:
            if len(buffer) > _MAX_LINE or not self._fill():
                raise Broken("connection")
        line = bytes(buffer[:end])
        del buffer[: end + 1]
        return line.removesuffix(b"\r")


def _parse(raw: bytes) -> Head:
    status = _STATUS_LINE(raw)
    if not status:
        raise _not_http()
    headers: list[tuple[str, str]] = []
    # RFC 9110 5.5: a NUL or a lone CR in a value is replaced by a space.
    text = raw[status.end() :].decode("latin-1").replace("\r\n", "\n")
    for line in text.replace("\r", " ").replace("\0", " ").split("\n"):
        name, colon, value = line.partition(":")
        if line[:1] in (" ", "\t"):
            if headers:  # RFC 9112 5.2: a folded line continues the one before.
                last, start = headers[-1]
                headers[-1] = last, f"{start} {line.strip()}".strip()
        elif colon and name.strip():
            headers.append((name.rstrip(), value.strip(" \t")))
    minor, code, reason = status.groups()
    return Head(int(minor), int(code), (reason or b"").decode("latin-1"), headers)


def _not_http() -> TransportError:
    return TransportError(
        "The answer was not valid HTTP.", "connect", outcome_unknown=True
    )


def _head_too_large() -> TransportError:
    return TransportError(
        f"The headers of the answer are larger than {MAX_HEAD // 1024} KB.",
        "too_large",
        outcome_unknown=True,
    )
