from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

import requests
from requests import PreparedRequest
from requests.cookies import RequestsCookieJar
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

from macros.http.multipart import Multipart
from macros.http.room import Permit

Cut = Literal["", "size", "deadline", "connection", "encoding"]


@dataclass(frozen=True, slots=True)
class Request:
    """One request as a template renders it. No name stands twice in `headers`."""

    method: str
    url: str
    headers: Sequence[tuple[str, str]] = ()
    body: bytes | Multipart | None = None

    @property
    def text(self) -> str:
        """The body as people read it; of a file by its name."""
        if isinstance(self.body, Multipart):
            return self.body.in_words()
        return (self.body or b"").decode("utf-8", "replace")

    def prepare(self) -> PreparedRequest:
        """For `Client.send`: as it is, with nothing worked out a second time."""
        prepared = PreparedRequest()
        prepared.method = self.method
        prepared.url = self.url
        prepared.headers = CaseInsensitiveDict(self.headers)
        prepared.body = self.body  # type: ignore[assignment]
        return prepared


class Response(requests.Response):
    """What the server sent back. A status line with its headers always makes one.

    `fields` are the headers as they came, in order, also those of one name. `cut` says
    why the body is not whole: `size` (more than `max_bytes`), `deadline` (a time limit
    passed), `connection` (it broke, or the framing was wrong), or `encoding` (gzip or
    deflate did not decode; undecodable bytes stay raw). `connect_ms` covers DNS, TCP
    and TLS, and is None on a kept connection. No cookie is kept.
    """

    _content_consumed = True
    _next = None

    def __init__(
        self,
        request: PreparedRequest,
        status: int,
        reason: str,
        fields: Sequence[tuple[str, str]],
        body: bytes,
        *,
        cut: Cut = "",
        connect_ms: int | None = None,
        first_byte_ms: int | None = None,
        permit: Permit | None = None,
    ) -> None:
        # The library's own __init__ takes longer than parsing the whole response.
        self.request = request
        self.url = request.url or ""
        self.status_code = status
        self.reason = reason
        self.fields = fields
        self._content = body
        self.cut: Cut = cut
        self.connect_ms = connect_ms
        self.first_byte_ms = first_byte_ms
        # Where its body is a long one.
        self.permit = permit

    @property
    def body(self) -> bytes:
        return self._content or b""

    def __getattr__(self, name: str) -> object:
        """Called once for each of what is made only when it is asked for."""
        if name not in _MADE_LATE:
            raise AttributeError(name)
        value = self.__dict__[name] = _MADE_LATE[name](self)
        return value


def _joined(response: Response) -> CaseInsensitiveDict[str]:
    values: dict[str, list[str]] = {}
    for name, value in response.fields:
        values.setdefault(name.lower(), []).append(value)
    # RFC 9110 5.3: values of one name may be joined by commas.
    return CaseInsensitiveDict(
        (name, ", ".join(values[name.lower()])) for name, _ in response.fields
    )


_MADE_LATE: dict[str, Callable[[Response], object]] = {
    "headers": _joined,
    "encoding": lambda response: get_encoding_from_headers(response.headers),
    "cookies": lambda response: RequestsCookieJar(),
    "history": lambda response: [],
    "raw": lambda response: BytesIO(response.body),
}
