from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from macros import redis_server

from .findings import Finding, bad, warning

_DOWN = {"s_down", "o_down", "disconnected"}


def sentinels(now: datetime) -> Iterator[Finding]:
    """Whether another server would take the place of one that fails now."""
    try:
        watched = redis_server.watched_in(settings.REDIS_URL)
    except redis_server.UnreadableUrl:
        return  # The settings' checks say so, and Redis is away.
    if watched is None:
        return
    clients = dict(zip(watched.hosts, watched.clients(), strict=True))
    answers = {host: _names(client) for host, client in clients.items()}
    known = {host: names for host, names in answers.items() if names is not None}
    away = [f"{host}:{port}" for host, port in clients if (host, port) not in known]
    if away:
        yield warning(
            "sentinel_away",
            f"{len(away)} of {len(clients)} sentinels do not respond:"
            f" {', '.join(away)}.",
            "Start them, or take them out of REDIS_URL. Where most of the sentinels are"
            " away, no other server takes the place of one that fails.",
        )
    if not known:
        return
    asked = [host for host, names in known.items() if watched.name in names]
    if asked:
        yield from _failover(clients[asked[0]], watched.name)
        return
    names = sorted({name for each in known.values() for name in each})
    yield bad(
        "sentinel_unknown_name",
        f"The sentinels know no server by the name {watched.name}. They know"
        f" {', '.join(names) or 'none'}.",
        "Put the right name into REDIS_URL, after the hosts: the one of the line"
        " sentinel monitor in the sentinels' configuration.",
    )


def _names(client: Redis) -> set[str] | None:
    """What a sentinel calls the servers that it watches; None: it does not respond."""
    try:
        masters: dict[str, Any] = client.sentinel_masters()  # type: ignore[assignment]
    except (RedisError, OSError):
        return None
    return set(masters)


def _failover(client: Redis, name: str) -> Iterator[Finding]:
    why = ""
    try:
        client.execute_command("SENTINEL", "CKQUORUM", name)
    except RedisError as error:
        why = str(error)
    replicas: list[dict[str, Any]] = client.sentinel_slaves(name)
    if not any(_DOWN.isdisjoint(str(each["flags"]).split(",")) for each in replicas):
        why = "no replica is there"
    if why:
        yield bad(
            "no_failover",
            f"If the Redis server {name} failed now, none would take its place: {why}.",
            "Start the replicas and the sentinels that are missing. Until then all"
            " works, and deliveries would come late if Redis failed.",
        )
