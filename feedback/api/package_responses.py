"""Files of data packages as responses: compressed, in part, or not at all."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import IO, Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.http import Http404, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import http_date
from rest_framework.request import Request

from ..models import PackageFormat, Snapshot
from ..packages.files import Made
from ..packages.writing import CONTENT_TYPES
from ..rest.problems import Problem
from ..sources.members import KEY_PARAMETER

_BLOCK = 1 << 16
# Smaller ones are not worth it.
_WORTH_COMPRESSING = 1_000
_GZIP = 31  # A window of 32 KB, with the header and foot of gzip.
_NO_WEIGHT = re.compile(r"\s*q\s*=\s*0(\.0*)?\s*")
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


class Whole(NamedTuple):
    """What there is to send, before anybody says how much of it."""

    file: IO[bytes]
    size: int
    form: str
    etag: str
    read_at: datetime | None = None


def with_live(request: Request, made: Made, form: str, cursor: str) -> HttpResponseBase:
    """`cursor` is that of the next page, where there is one."""
    url = _next(request, cursor) if cursor else ""
    is_page = "page_size" in request.query_params
    around = _around_page(url) if is_page and form == PackageFormat.JSON else (b"", b"")
    seen = f"{made.sha256}{url}{is_page}".encode()
    whole = Whole(made.file, made.size, form, hashlib.sha256(seen).hexdigest()[:32])
    response = _answer(request, whole, around)
    if url:
        response["Link"] = f'<{url}>; rel="next"'
    return response


def with_stored(request: Request, snapshot: Snapshot) -> HttpResponseBase:
    """Raises Http404 where the store has lost the file."""
    try:
        file: Any = snapshot.file.open("rb")
    except OSError as error:
        raise Http404(
            "The file of this package is not in the store any more. Make it anew, or"
            " tell the people who run CenterHook."
        ) from error
    etag = snapshot.sha256[:32]
    whole = Whole(file, snapshot.size, snapshot.format, etag, snapshot.read_at)
    return _answer(request, whole, (b"", b""))


def _next(request: Request, cursor: str) -> str:
    """Without the API key, which others' logs would keep."""
    query = request.query_params.copy()
    query.pop(KEY_PARAMETER, None)
    query["cursor"] = cursor
    return f"{settings.BASE_URL}{request.path}?{query.urlencode()}"


def _around_page(url: str) -> tuple[bytes, bytes]:
    """A page of JSON is an object, which says where the next one is."""
    return b'{"rows":', f',"next":{json.dumps(url or None)}}}\n'.encode()


def _answer(
    request: Request, whole: Whole, around: tuple[bytes, bytes]
) -> HttpResponseBase:
    is_stored = whole.read_at is not None
    size = whole.size + sum(map(len, around))
    part = _part(request, whole) if is_stored else None
    is_packed = part is None and _packs(request, whole.form, size)
    response = _unchanged(request, whole, is_packed)
    if response is None:
        first, last = part or (0, size - 1)
        blocks = Blocks(whole.file, around, first, last + 1, is_packed)
        response = StreamingHttpResponse(
            blocks, status=206 if part else 200, content_type=CONTENT_TYPES[whole.form]
        )
        if part:
            response["Content-Range"] = f"bytes {first}-{last}/{size}"
        if is_packed:
            response["Content-Encoding"] = "gzip"
        else:
            response["Content-Length"] = str(last + 1 - first)
    else:
        whole.file.close()
    return _described(response, whole, is_packed)


def _described(
    response: HttpResponseBase, whole: Whole, is_packed: bool
) -> HttpResponseBase:
    # Two forms of one content: they are equal, though not byte by byte.
    response["ETag"] = f'{"W/" if is_packed else ""}"{whole.etag}"'
    if whole.read_at is not None:
        response["Last-Modified"] = http_date(whole.read_at.timestamp())
        response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, no-cache"
    response["X-Content-Type-Options"] = "nosniff"
    patch_vary_headers(response, ["Accept-Encoding", "Authorization", "Cookie"])
    return response


def _unchanged(request: Request, whole: Whole, is_packed: bool) -> Any:
    """A response without content, where the reader has it; else None."""
    read_at = whole.read_at
    moment = int(read_at.timestamp()) if read_at is not None else None
    etag = f'{"W/" if is_packed else ""}"{whole.etag}"'
    return get_conditional_response(request._request, etag, moment)


def _packs(request: Request, form: str, size: int) -> bool:
    if form == PackageFormat.PARQUET or size < _WORTH_COMPRESSING:
        return False
    for each in request.headers.get("Accept-Encoding", "").split(","):
        name, _, weight = each.partition(";")
        if name.strip().lower() in ("gzip", "*"):
            return _NO_WEIGHT.fullmatch(weight) is None
    return False


def _part(request: Request, whole: Whole) -> tuple[int, int] | None:
    """The first and last byte that are asked for; several parts are given as all."""
    match = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    if match is None or match.group() == "bytes=-":
        return None
    if request.headers.get("If-Range", f'"{whole.etag}"') != f'"{whole.etag}"':
        return None
    start, end = match.groups()
    if not start:
        first, last = max(0, whole.size - int(end)), whole.size - 1
    else:
        first = int(start)
        last = min(int(end), whole.size - 1) if end else whole.size - 1
    if first > last:
        problem = f"The file has {whole.size:,} bytes."
        raise Problem(416, "range_not_satisfiable", problem)
    return first, last


class Blocks:
    """The bytes from `start` to `end`, as somebody reads them.

    The connection is closed before the first: it would wait for a slow reader.
    """

    def __init__(
        self,
        file: IO[bytes],
        around: tuple[bytes, bytes],
        start: int,
        end: int,
        is_packed: bool,
    ) -> None:
        self._file = file
        self._before, self._after = around
        self._start, self._end = start, end - len(self._before) - len(self._after)
        self._is_packed = is_packed

    def __iter__(self) -> Iterator[bytes]:
        if not connection.in_atomic_block:
            connection.close()
        if not self._is_packed:
            yield from self._plain()
            return
        # A faster level takes a third of the time, for a tenth more bytes.
        packer = zlib.compressobj(level=1, wbits=_GZIP)
        for block in self._plain():
            if packed := packer.compress(block):
                yield packed
        yield packer.flush()

    def _plain(self) -> Iterator[bytes]:
        if self._before:
            yield self._before
        self._file.seek(self._start)
        left = self._end - self._start
        while left > 0 and (block := self._file.read(min(_BLOCK, left))):
            left -= len(block)
            yield block
        if self._after:
            yield self._after

    def close(self) -> None:
        self._file.close()
