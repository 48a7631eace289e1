"""Responses as httptools takes them apart, HTTP/1.1 (RFC 9112).

httptools (llhttp, the parser of Node.js) is strict. What it refuses in a body cuts the
body; the status stands. A head that it refuses is repaired and read once more, since
an odd header line must not make a request that was accepted look failed. Real servers
send bare line feeds, folded lines, lines without a colon, spaces before it, control
characters, a length given twice, or a length beside chunks. A connection over which
such a head came is not kept.
"""

from __future__ import annotations

import re

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from macros.http.errors import not_http

END_OF_HEAD = re.compile(rb"\r?\n\r?\n").search
_STATUS_LINE = re.compile(rb"HTTP/1\.\d +(\d{3})(?: ([^\r\n]*))?\r?\n").match
_TOKEN = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+").fullmatch
_LENGTH = re.compile(r"[0-9]{1,18}").fullmatch

_Fields = list[tuple[str, str]]


class ResponseParser:
    """Takes in one response piece by piece, and passes over informational ones."""

    __slots__ = (
        "_parser",
        "body",
        "fields",
        "has_head",
        "is_broken",
        "is_complete",
        "is_cut",
        "is_reusable",
        "reason",
        "status",
    )

    def __init__(self) -> None:
        self.status: int  # Once `has_head`.
        self.reason = b""
        self.fields: _Fields = []
        self.body = bytearray()
        self.has_head = False
        self.is_complete = False
        # Its head goes on beyond what is read of it.
        self.is_cut = False
        # What came was not HTTP, or was more than one response, or goes on as another
        # protocol (101).
        self.is_broken = False
        # RFC 9112 9.3: by its head the connection may serve another request.
        self.is_reusable = False
        self._parser: HttpResponseParser | None = HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(
            # Old servers pad their chunk sizes.
            lenient_spaces_after_chunk_size=True
        )

    def feed(self, data: bytes | bytearray) -> None:
        """Never raises."""
        assert self._parser is not None  # noqa: S101 - for the type checker
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):  # Neither is a kind of the other.
            self.is_broken = True

    def cut_head(self) -> bool:
        """Take the head as far as it came; False where no status has."""
        assert self._parser is not None  # noqa: S101 - for the type checker
        status = self._parser.get_status_code()
        if status < 200:
            return False
        self.status = status
        self.has_head = self.is_cut = True
        return True

    def finish(self) -> None:
        """Parser and callbacks hold each other; let go of both at once."""
        self._parser = None

    def header(self, name: str) -> str:
        """The values of a lower-case name, joined by commas (RFC 9110 5.3)."""
        return ", ".join(value for key, value in self.fields if key.lower() == name)

    @property
    def ends_with_connection(self) -> bool:
        """RFC 9112 6.3: no framing names another end of the body."""
        coding = self.header("transfer-encoding").lower().rpartition(",")[2].strip()
        if coding:
            return coding != "chunked"
        return not self.header("content-length")

    def on_message_begin(self) -> None:
        self.is_broken = self.is_complete

    def on_status(self, part: bytes) -> None:
        self.reason += part

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.has_head:  # Trailers are nobody's.
            self.fields.append(
                (name.decode("latin-1"), value.decode("latin-1").strip(" \t"))
            )

    def on_headers_complete(self) -> None:
        assert self._parser is not None  # noqa: S101 - for the type checker
        self.status = self._parser.get_status_code()
        if self.status < 200 and self.status != 101:  # RFC 9110 15.2
            self.reason = b""
            self.fields.clear()
            return
        self.has_head = True
        self.is_reusable = self._parser.should_keep_alive()

    def on_body(self, part: bytes) -> None:
        self.body += part

    def on_message_complete(self) -> None:
        self.is_complete = self.has_head


def repaired(received: bytearray) -> ResponseParser | None:
    """Reads a head that httptools refused, and gives it what has come of the body.

    None while the head is not whole. Raises TransportError where there is no status
    line. Lines that are no header are left out.
    """
    start = 0
    while end := END_OF_HEAD(received, start):
        line = _STATUS_LINE(received, start)
        if line is None:
            raise not_http()
        status, start = int(line[1]), end.end()
        if status < 200 and status != 101:
            continue
        parser = ResponseParser()
        fields = _fields(received[line.end() : end.start()])
        if (framing := _framing(fields)) is not None:
            parser.feed(b"HTTP/1.1 %d \r\n%s\r\n" % (status, framing))
            parser.feed(received[start:])
        parser.is_broken |= not parser.has_head
        parser.has_head, parser.is_reusable = True, False
        parser.status, parser.fields = status, fields
        parser.reason = bytes(line[2] or b"").lstrip(b" ")
        return parser
    return None


def _fields(lines: bytearray) -> _Fields:
    fields: _Fields = []
    # RFC 9110 5.5: a NUL or a lone CR in a value is replaced by a space.
    text = lines.decode("latin-1").replace("\r\n", "\n")
    for line in text.replace("\r", " ").replace("\0", " ").split("\n"):
        name, colon, value = line.partition(":")
        if line[:1] in (" ", "\t"):
            if fields:  # RFC 9112 5.2: a folded line continues the one before.
                last, start = fields[-1]
                fields[-1] = last, f"{start} {line.strip()}".strip()
        elif colon and _TOKEN(name.rstrip()):
            fields.append((name.rstrip(), value.strip(" \t")))
    return fields


def _framing(fields: _Fields) -> bytes | None:
    """The one header line that frames the body (RFC 9112 6.3); None if none can."""
    codings = [value for name, value in fields if name.lower() == "transfer-encoding"]
    if codings:
        return f"Transfer-Encoding: {', '.join(codings)}\r\n".encode("latin-1")
    values = [value for name, value in fields if name.lower() == "content-length"]
    lengths = {part.strip() for value in values for part in value.split(",")} - {""}
    if not lengths:
        return b""
    length = lengths.pop()
    if lengths or not _LENGTH(length):
        return None
    return f"Content-Length: {length}\r\n".encode()
