from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address

from urllib3.util import Url, parse_url

from macros.http.errors import Blocked, TransportError

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a URL leads.

    `host` as in DNS, without brackets; `path` with its query, percent-encoded.
    """

    scheme: str
    host: str
    port: int
    path: str
    origin: str
    host_header: str


def origin_of(url: str) -> str:
    """`https://host:port`: IDNA, lower case, the port always named.

    Two URLs of one origin share rate limit, pool and breaker. Raises TransportError.
    """
    return endpoint_of(url).origin


@lru_cache(maxsize=1024)
def endpoint_of(url: str) -> Endpoint:
    try:
        parts = parse_url(url)
        scheme = _scheme(parts)
        host = _host(parts.host or "")
    except ValueError as error:
        raise TransportError("The URL is not valid.", "render") from error
    port = parts.port if parts.port is not None else _PORTS[scheme]
    shown = f"[{host.partition('%')[0]}]" if ":" in host else host
    return Endpoint(
        scheme=scheme,
        host=host,
        port=port,
        path=parts.request_uri,
        origin=f"{scheme}://{shown}:{port}",
        host_header=shown if port == _PORTS[scheme] else f"{shown}:{port}",
    )


def _scheme(parts: Url) -> str:
    if parts.scheme not in _PORTS:
        raise Blocked("only http and https")
    if parts.auth is not None:
        raise Blocked("no user name or password in a URL")
    return parts.scheme


def _host(host: str) -> str:
    if host.startswith("["):
        return str(IPv6Address(host[1:-1]))
    # One trailing dot is the DNS root. The labels are checked here because both
    # getaddrinfo and SNI raise a bare UnicodeError for them.
    host = host.removesuffix(".")
    if len(host) > 253 or not all(0 < len(label) < 64 for label in host.split(".")):
        raise ValueError("empty or long label")
    return host
