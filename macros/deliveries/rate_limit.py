"""Permits to send, shared by all workers through Redis."""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Protocol

from redis.exceptions import RedisError

from .. import queue

logger = logging.getLogger(__name__)

# Seconds by this worker's own count before Redis is asked again after it was away.
RETRY_REDIS = 5.0
COUNT_EVERY = 10.0
# A slot whose holder died is free again after this long, in seconds.
SLOT_LASTS = 120.0
# How soon to ask again for a slot, in seconds; slots are given back unannounced.
SLOT_WAIT = 0.05

# Both limits in one step: a log of the sends within the window, and the slots in use,
# each with the time it lapses. Returns how many milliseconds to wait; 0 is a permit.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local amount, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local slots, lasts, wait = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
if slots > 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
  if redis.call('ZCARD', KEYS[2]) >= slots then return wait end
end
if amount > 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
  if redis.call('ZCARD', KEYS[1]) >= amount then
    local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
    return math.max(1, tonumber(first[2]) + window - now)
  end
  redis.call('ZADD', KEYS[1], now, ARGV[6])
  redis.call('PEXPIRE', KEYS[1], window)
end
if slots > 0 then
  redis.call('ZADD', KEYS[2], now + lasts, ARGV[6])
  redis.call('PEXPIRE', KEYS[2], lasts)
end
return 0
"""


class Limits(Protocol):
    """What people set on a destination; None is no limit."""

    pk: int
    rate: float | None
    concurrency: int | None


@dataclass(slots=True)
class RateLimiter:
    """The permits of one destination, asked for by one worker.

    Without Redis every worker keeps to its share of the limits by its own count,
    among as many workers as there were when Redis was last there: slower perhaps,
    never faster.
    """

    sent: deque[float] = field(default_factory=lambda: deque(maxlen=10_000))
    held: int = 0
    _redis_again: float = 0.0
    _workers: int = 1
    _counted_at: float = float("-inf")

    def take(self, limits: Limits, token: str) -> float:
        """Seconds to wait before asking again; 0.0 is a permit under this token."""
        wait = self._ask_redis(limits, token)
        if wait is None:
            wait = self._ask_own_count(limits)
        if not wait:
            self.sent.append(time.monotonic())
            self.held += 1
        return wait

    def give_back(self, limits: Limits, token: str) -> None:
        """The request is over; its slot is free for another."""
        self.held = max(0, self.held - 1)
        if limits.concurrency and time.monotonic() >= self._redis_again:
            try:
                queue.redis().zrem(_key(limits, "slots"), token)
            except RedisError:
                self._redis_again = time.monotonic() + RETRY_REDIS

    def _ask_redis(self, limits: Limits, token: str) -> float | None:
        if time.monotonic() < self._redis_again:
            return None
        amount, window = amount_and_window(limits.rate)
        keys = [_key(limits, "sent"), _key(limits, "slots")]
        slots = limits.concurrency or 0
        numbers = [amount, window * 1000, slots, SLOT_LASTS * 1000, SLOT_WAIT * 1000]
        try:
            self._count_workers()
            script: Any = queue.script(_TAKE)
            return float(script(keys=keys, args=[*map(int, numbers), token])) / 1000
        except RedisError as error:
            logger.warning("Redis is away (%s); going by this worker's count", error)
            self._redis_again = time.monotonic() + RETRY_REDIS
            return None

    def _count_workers(self) -> None:
        """Know how many share the limits, for when Redis can't be asked."""
        if time.monotonic() - self._counted_at > COUNT_EVERY:
            self._workers = max(1, queue.count_workers())
            self._counted_at = time.monotonic()

    def _ask_own_count(self, limits: Limits) -> float:
        amount, window = amount_and_window(limits.rate)
        now, share = time.monotonic(), self._workers
        while self.sent and self.sent[0] <= now - window * share:
            self.sent.popleft()
        if limits.concurrency and self.held >= max(1, limits.concurrency // share):
            return SLOT_WAIT
        if amount and len(self.sent) >= amount:
            return self.sent[0] + window * share - now
        return 0.0


def amount_and_window(rate: float | None) -> tuple[int, int]:
    """A rate per second as an amount in a number of whole seconds: 2.5 is 5 in 2."""
    if rate is None:
        return 0, 1
    fraction = Fraction(rate).limit_denominator(100)
    return max(1, fraction.numerator), fraction.denominator


def _key(limits: Limits, name: str) -> str:
    return f"centerhook:limit:{limits.pk}:{name}"
