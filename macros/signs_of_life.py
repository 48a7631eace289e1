"""Workers and clocks say in Redis that they are alive, and what time it is to them.

Every function raises RedisError.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from redis import Redis

# A process without a sign of life for so long is forgotten.
KEPT_SECONDS = 3600
_PROCESSES = "centerhook:processes"
# What their clocks say, each beside the moment by Redis' own, which all can ask.
_CLOCKS = "centerhook:clocks"


@dataclass(frozen=True, slots=True)
class Process:
    """A worker or a clock that gave a sign of life, `age` seconds ago."""

    kind: str
    name: str
    version: str
    age: float


def note(redis: Redis, kind: str, name: str, version: str, now: datetime) -> None:
    own, moment = f"{kind} {name}", now.timestamp()
    redis.hset(_PROCESSES, own, f"{moment} {version}")
    redis.hset(_CLOCKS, own, f"{time_of(redis)} {moment}")
    for kept in (_PROCESSES, _CLOCKS):
        redis.expire(kept, KEPT_SECONDS)


def processes(redis: Redis, now: datetime) -> list[Process]:
    """The youngest signs of life first, but none of those long gone."""
    noted = redis.hgetall(_PROCESSES)
    every = [_process(name, text, now) for name, text in noted.items()]
    alive = [each for each in every if each.age <= KEPT_SECONDS]
    gone = {f"{each.kind} {each.name}" for each in every if each not in alive}
    if gone:
        _forget(redis, gone - _seen(redis))
    return sorted(alive, key=lambda each: each.age)


def _seen(redis: Redis) -> set[str]:
    """Whom Redis' clock knows: one that is an hour behind seems gone by its own."""
    return {name for name, age, _ in _clocks(redis) if age <= KEPT_SECONDS}


def _forget(redis: Redis, names: set[str]) -> None:
    for kept in (_PROCESSES, _CLOCKS) if names else ():
        redis.hdel(kept, *names)


def _process(name: bytes | str, text: bytes | str, now: datetime) -> Process:
    kind, _, own = _text(name).partition(" ")
    at, _, version = _text(text).partition(" ")
    return Process(kind, own, version, max(0.0, now.timestamp() - float(at)))


def clock_offsets(redis: Redis, within: float) -> dict[str, float]:
    """How many seconds the clock of each process is ahead of this machine's.

    Of those that gave a sign of life `within` so many seconds, by Redis' clock.
    """
    own = time.time() - time_of(redis)
    return {name: ahead - own for name, age, ahead in _clocks(redis) if age <= within}


def _clocks(redis: Redis) -> Iterator[tuple[str, float, float]]:
    """Name, age by Redis' clock, and how far its own is ahead of that."""
    at = time_of(redis)
    for name, text in redis.hgetall(_CLOCKS).items():
        seen, theirs = map(float, _text(text).split())
        yield _text(name), at - seen, theirs - seen


def time_of(redis: Redis) -> float:
    """What its server's own clock says, which all can ask."""
    seconds, microseconds = redis.time()
    return float(seconds + microseconds / 1e6)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
