"""The one way to Redis: a server, or the sentinels that know which server it is.

REDIS_URL is `redis://host:6379/0`, `rediss://` with TLS, `unix:///path`, or
`redis+sentinel://host:26379,host:26379,host:26379/NAME/0` (`rediss+sentinel://`), where
NAME is what the sentinels call the server that is to be found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from redis import Redis
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.exceptions import ConnectionError
from redis.retry import Retry
from redis.sentinel import MasterNotFoundError, Sentinel

SENTINEL_PORT = 26379
# What one sentinel is waited for, in seconds, before the next one is asked.
PATIENCE = 1.0
EXAMPLES = (
    "redis://host:6379/0, or redis+sentinel://host:26379,host:26379,host:26379/NAME/0"
    " with the name that the sentinels know the server by"
)
# Not what a library says of it, which may quote a part of the password.
_UNREADABLE = (
    f"REDIS_URL can't be read. It is like {EXAMPLES}; special characters of a password"
    " are percent-encoded."
)
_SENTINELS = re.compile(
    r"(?P<scheme>rediss?)\+sentinel://(?:(?P<login>[^@/?]*)@)?(?P<hosts>[^@/?]+)"
    r"/(?P<name>[^/?]+)(?:/(?P<db>\d*))?(?:\?(?P<query>.*))?"
)
_HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:]+)(?::(?P<port>\d{1,5}))?")


class UnreadableUrl(ConnectionError):
    """What is wrong with a URL, without it, since a password may be in it.

    For whoever asks Redis it is away; system checks say why.
    """


@dataclass(frozen=True, slots=True)
class Watched:
    """What sentinels are asked for, and what they are asked with."""

    name: str
    hosts: list[tuple[str, int]]
    # Arguments of a connection to the server, and to each sentinel.
    server: dict[str, Any]
    sentinel: dict[str, Any]

    def clients(self) -> list[Redis]:
        """One for each sentinel."""
        return [
            Redis(host, port, decode_responses=True, **self.sentinel)
            for host, port in self.hosts
        ]


class _Sentinels(Sentinel):
    def discover_master(self, service_name: str) -> tuple[str, int]:
        """A sentence where the library has a line of code for each sentinel."""
        try:
            address: tuple[str, int] = super().discover_master(service_name)
        except MasterNotFoundError:
            raise MasterNotFoundError(
                f"the sentinels name no server {service_name} that responds"
            ) from None
        return address


def connect(url: str, **options: Any) -> Redis:
    """A client, which connects when it is used. Raises UnreadableUrl."""
    try:
        client = _client(url, options)
        # An option that no connection has is told here, not at the first command.
        pool = client.connection_pool
        pool.connection_class(**pool.connection_kwargs)
    except (TypeError, ValueError):
        raise UnreadableUrl(_UNREADABLE) from None
    return client


def _client(url: str, options: dict[str, Any]) -> Redis:
    watched = watched_in(url)
    if watched is None:
        return Redis.from_url(url, **options)
    patience = options.get("socket_timeout", PATIENCE)
    times = {"socket_timeout": patience, "socket_connect_timeout": patience}
    sentinel = _Sentinels(watched.hosts, sentinel_kwargs={**watched.sentinel, **times})
    client: Redis = sentinel.master_for(watched.name, **{**watched.server, **options})
    return client


def watched_in(url: str) -> Watched | None:
    """None where the URL is that of a server itself. Raises UnreadableUrl."""
    if "+sentinel:" not in url.partition("/")[0]:
        return None
    match = _SENTINELS.fullmatch(url)
    if match is None:
        raise UnreadableUrl(
            f"REDIS_URL names no sentinels, or no server. It is like {EXAMPLES}."
        )
    at = f"{match['login']}@" if match["login"] else ""
    plain = f"{match['scheme']}://{at}server/{match['db'] or 0}?{match['query'] or ''}"
    try:
        server = parse_url(plain)
    except ValueError:
        raise UnreadableUrl(_UNREADABLE) from None
    server.pop("host")
    if server.pop("connection_class", None):
        server["ssl"] = True
    hosts = [_host(each) for each in match["hosts"].split(",")]
    sentinel = _for_sentinels(server)
    return Watched(unquote(match["name"]), hosts, server, sentinel)


def _for_sentinels(server: dict[str, Any]) -> dict[str, Any]:
    """Takes what is meant for them out of what the URL says."""
    options = {name: value for name, value in server.items() if name[:3] == "ssl"}
    for name in ("username", "password"):
        if f"sentinel_{name}" in server:
            options[name] = server.pop(f"sentinel_{name}")
    times = dict.fromkeys(("socket_timeout", "socket_connect_timeout"), PATIENCE)
    return {**options, **times, "retry": Retry(NoBackoff(), 0)}


def _host(text: str) -> tuple[str, int]:
    match = _HOST.fullmatch(text.strip())
    port = int((match and match["port"]) or SENTINEL_PORT)
    if match is None or not 0 < port < 65536:
        raise UnreadableUrl(
            f"REDIS_URL has a sentinel that is no host and port. It is like {EXAMPLES}."
        )
    return match["host"].strip("[]"), port
