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
    names = {host: _names(client) for host, client in clients.items()}
    away = [f"{host[0]}:{host[1]}" for host in clients if names[host] is None]
    if away:
        yield warning(
            "sentinel_away",
            f"{len(away)} of {len(clients)} sentinels do not respond:"
            f" {', '.join(away)}.",
            "Start them, or take them out of REDIS_URL. Where most of the sentinels are"
            " away, no other server takes the place of one that fails.",
        )
    knowing = [host for host in clients if watched.name in (names[host] or ())]
    if knowing:
        yield from _failover(clients[knowing[0]], watched.name)
    elif len(away) < len(clients):
        yield _unknown(watched.name, set().union(*filter(None, names.values())))


def _unknown(name: str, others: set[str]) -> Finding:
    return bad(
        "sentinel_unknown_name",
        f"The sentinels know no server by the name {name}. They know"
        f" {', '.join(sorted(others)) or 'none'}.",
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
    reasons = []
    try:
        replicas: list[dict[str, Any]] = client.sentinel_slaves(name)
        flags = [str(each["flags"]).split(",") for each in replicas]
        if not any(map(_DOWN.isdisjoint, flags)):
            reasons.append("no replica is there")
        client.execute_command("SENTINEL", "CKQUORUM", name)
    except RedisError as error:
        reasons.append(str(error))
    if reasons:
        why = "; ".join(reasons)
        yield bad(
            "no_failover",
            f"If the Redis server {name} failed now, none would take its place: {why}.",
            "Start the replicas and the sentinels that are missing. Until then all"
            " works, and deliveries would come late if Redis failed.",
        )
