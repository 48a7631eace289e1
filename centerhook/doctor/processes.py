from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from redis.exceptions import RedisError

from centerhook import __version__
from logs.models import Run, RunState
from macros import queue, right_time, signs_of_life

from .database import APART_ADVICE, MAX_APART_SECONDS
from .findings import Finding, bad, warning

# A clock looks every second.
CLOCK_LATE_SECONDS = 60
WORKER_LATE_SECONDS = 3 * queue.WORKER_TTL
# What makes Redis throw away what it was given.
_SAFE_POLICIES = ("noeviction",)


def redis(now: datetime) -> Iterator[Finding]:
    try:
        info = queue.redis().info("memory")
    except RedisError as error:
        yield bad(
            "redis_away",
            f"Redis does not respond: {error}",
            "Start it, or set REDIS_URL to where it is. Nothing is lost: what is due is"
            " found by the clock and sent later.",
        )
        return
    policy = str(info.get("maxmemory_policy", "noeviction"))
    if policy not in _SAFE_POLICIES and int(info.get("maxmemory", 0)):
        yield warning(
            "redis_forgets",
            f"Redis throws away what it was given when its memory is full ({policy}).",
            "Set maxmemory-policy to noeviction, or give CenterHook a Redis of its own:"
            " lost wake-ups make deliveries late, and lost rates make them too fast.",
        )


def workers(now: datetime) -> Iterator[Finding]:
    if not queue.count_workers():
        yield bad(
            "no_worker",
            "No worker is running, so nothing is delivered.",
            "Start manage.py worker. Nothing is lost meanwhile.",
        )
    yield from _old(now, "worker", WORKER_LATE_SECONDS)


def newer_runs(now: datetime) -> Iterator[Finding]:
    """Those of a newer version, which its workers alone take."""
    open_ones = Run.objects.filter(state__in=[RunState.ACTIVE, RunState.CANCELLING])
    count = open_ones.newer().count()
    if count:
        yield bad(
            "runs_newer",
            f"Unfinished runs of a newer version of CenterHook than {__version__} wait"
            f" for a worker of that version: {count:,}.",
            "Start a worker of the newer version. Or cancel the runs on their pages.",
        )


def clocks(now: datetime) -> Iterator[Finding]:
    ages = [each.age for each in queue.processes(now) if each.kind == "clock"]
    if not ages or ages[0] > CLOCK_LATE_SECONDS:
        since = f"for {ages[0]:,.0f} seconds" if ages else "within the last hour"
        yield bad(
            "no_clock",
            f"No clock has looked for what is due {since}.",
            "Start manage.py clock. Retries and schedules wait for it.",
        )
    yield from _old(now, "clock", CLOCK_LATE_SECONDS)


def clocks_of_machines(now: datetime) -> Iterator[Finding]:
    """The database's own is looked at beside it, where there is one."""
    if sentence := right_time.doubt(now):
        yield bad("clocks_apart", sentence, APART_ADVICE)
    longest = max(CLOCK_LATE_SECONDS, WORKER_LATE_SECONDS)
    offsets = signs_of_life.clock_offsets(queue.redis(), within=longest)
    apart = {
        name: seconds
        for name, seconds in offsets.items()
        if abs(seconds) > MAX_APART_SECONDS
    }
    for name, seconds in sorted(apart.items())[:5]:
        which = "ahead of" if seconds > 0 else "behind"
        yield bad(
            "clocks_apart",
            f"The machine of the {name} is {abs(seconds):,.0f} seconds {which} this"
            " one.",
            APART_ADVICE,
        )


def _old(now: datetime, kind: str, late: int) -> Iterator[Finding]:
    every = [each for each in queue.processes(now) if each.kind == kind]
    others = {
        each.version or "an unknown one"
        for each in every
        if each.age <= late and each.version != __version__
    }
    if others:
        yield warning(
            "other_version",
            f"A {kind} runs another version than this one ({__version__}):"
            f" {', '.join(sorted(others))}.",
            "Fine in the middle of an upgrade. Restart it when the upgrade is done.",
        )
