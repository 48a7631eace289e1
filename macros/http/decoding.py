from __future__ import annotations

import zlib

from macros.http.messages import Cut

_GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
# RFC 1952 lets a gzip body hold many members; an endless row of empty ones would
# cost time without ever reaching the size limit.
_MAX_MEMBERS = 100
_MAX_CODINGS = 3


def decode(body: bytes, content_encoding: str, max_bytes: int) -> tuple[bytes, Cut]:
    """Undo gzip and deflate, never holding more than `max_bytes` of any stage.

    An unknown coding leaves the body as it came. Broken data gives the raw body, and
    data that ends too early gives what could be decoded, both with cut "encoding".
    """
    codings = [part.strip().lower() for part in content_encoding.split(",")]
    codings = [coding for coding in codings if coding not in ("", "identity")]
    if not body or not all(c in ("gzip", "x-gzip", "deflate") for c in codings):
        return body, ""
    if len(codings) > _MAX_CODINGS:
        return body, "encoding"
    cut: Cut = ""
    decoded = body
    try:
        for coding in reversed(codings):
            decoded, stage = _decode_one(decoded, coding, max_bytes)
            cut = cut or stage
    except zlib.error:
        return body, "encoding"
    return decoded, cut


def _decode_one(data: bytes, coding: str, max_bytes: int) -> tuple[bytes, Cut]:
    if coding != "deflate":
        return _inflate(data, _GZIP, max_bytes)
    try:
        return _inflate(data, _ZLIB, max_bytes)
    except zlib.error:
        # RFC 9110 8.4.1.2: some senders leave the zlib wrapper away.
        return _inflate(data, _RAW, max_bytes)


def _inflate(data: bytes, window: int, max_bytes: int) -> tuple[bytes, Cut]:
    out = bytearray()
    for member in range(_MAX_MEMBERS):
        stream = zlib.decompressobj(window)
        try:
            out += stream.decompress(data, max_bytes + 1 - len(out))
        except zlib.error:
            if member:
                break  # Padding after the last member, which gzip itself ignores.
            raise
        if len(out) > max_bytes:
            return bytes(out[:max_bytes]), "size"
        if not stream.eof:
            return bytes(out), "encoding"
        data = stream.unused_data
        if not data or window != _GZIP:
            break
    return bytes(out), ""
