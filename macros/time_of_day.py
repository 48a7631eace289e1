"""What the clock of each machine says, beside Redis' own, which all can ask."""

from __future__ import annotations

import time

from redis import Redis

_CLOCKS = "centerhook:clocks"
_KEPT_SECONDS = 3600


def note(redis: Redis, process: str, moment: float) -> None:
    """What time it is to a process. Raises RedisError."""
    redis.hset(_CLOCKS, process, f"{_time(redis)} {moment}")
    redis.expire(_CLOCKS, _KEPT_SECONDS)


def offsets(redis: Redis, within: float) -> dict[str, float]:
    """How many seconds the clock of each process is ahead of this machine's.

    Of those that noted theirs `within` so many seconds by Redis' clock: one that is an
    hour behind would seem long gone by its own. Raises RedisError.
    """
    at, own = _time(redis), time.time()
    ahead = {}
    for name, text in redis.hgetall(_CLOCKS).items():
        seen, theirs = map(float, text_of(text).split())
        if at - seen <= within:
            ahead[text_of(name)] = (theirs - seen) - (own - at)
    return ahead


def _time(redis: Redis) -> float:
    seconds, microseconds = redis.time()
    return float(seconds + microseconds / 1e6)


def text_of(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
