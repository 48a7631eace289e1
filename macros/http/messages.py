from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Literal

Cut = Literal["", "size", "deadline", "connection", "encoding"]


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it goes out.

    `Content-Length` is always ours, so that and `Transfer-Encoding` are dropped
    from `headers`. `Host`, `User-Agent`, `Accept` and `Accept-Encoding` are added
    only where missing.
    """

    method: str
    url: str
    headers: Sequence[tuple[str, str]] = ()
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """What a target's TLS needs beyond the usual; all as PEM text.

    `ca` is trusted beside the public authorities. `certificate` (with its chain) and
    `key` are shown to a target that asks who is calling.
    """

    ca: str = ""
    certificate: str = ""
    key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes.

    `connect` covers all addresses of the host and the TLS handshake, `read` one
    silence of the target, `deadline` the whole request, `max_bytes` the decoded
    body that is kept.
    """

    connect: float
    read: float
    deadline: float
    max_bytes: int

    def __post_init__(self) -> None:
        for name in ("connect", "read", "deadline", "max_bytes"):
            value = getattr(self, name)
            if not (isfinite(value) and value > 0):
                raise ValueError(f"{name} must be a finite number above 0")


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds. `connect_ms` covers DNS, TCP and TLS; None on a kept connection."""

    connect_ms: int | None = None
    first_byte_ms: int | None = None
    total_ms: int = 0


@dataclass(slots=True)
class Answer:
    """What the target said. A status line with its headers always makes an answer.

    `cut` says why the body is not whole: `size` (more than `max_bytes`), `deadline`
    (a time limit passed), `connection` (it broke, or the framing was wrong), or
    `encoding` (gzip or deflate did not decode; undecodable bytes stay raw).
    """

    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes
    cut: Cut
    timings: Timings
