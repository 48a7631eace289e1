"""`/metrics` for Prometheus, read when it is asked for.

The figures are those of the whole service, whichever process answers: nothing is kept
in a process, so any number of them may run.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from centerhook import __version__
from feedback import mode
from logs.models import BOUNDS, BUCKETS

from . import readings

PREFIX = "centerhook_"
_WHERE = ("community", "destination")
# From milliseconds to Prometheus' seconds.
_LIMITS = (*(f"{bound / 1000:g}" for bound in BOUNDS), "+Inf")


class ServiceCollector(Collector):
    def collect(self) -> Iterator[Metric]:
        now = timezone.now()
        info = InfoMetricFamily(f"{PREFIX}build", "The version of CenterHook.")
        info.add_metric([], {"version": __version__})
        yield info
        yield from _deliveries()
        yield from _work(now)
        yield from _troubles(now)
        yield from _queue(now)

    def describe(self) -> Iterator[Metric]:
        """Registering reads nothing."""
        return iter(())


def _deliveries() -> Iterator[Metric]:
    ended = CounterMetricFamily(
        f"{PREFIX}deliveries",
        "Deliveries that ended, by outcome. One that is resent counts again.",
        labels=[*_WHERE, "outcome"],
    )
    times = HistogramMetricFamily(
        f"{PREFIX}response_seconds",
        "How long destinations took to respond, attempt by attempt. The sum is not"
        " kept.",
        labels=_WHERE,
    )
    for each in readings.totals():
        where = [each.community, each.destination]
        for outcome in readings.OUTCOMES:
            ended.add_metric([*where, outcome], each.columns[outcome])
        if each.destination:
            times.add_metric(where, buckets=_buckets(each), sum_value=None)
    yield ended
    yield times


def _buckets(each: readings.Totals) -> list[tuple[str, float]]:
    """Each holds those before it, too."""
    so_far, buckets = 0, []
    for limit, name in zip(_LIMITS, BUCKETS, strict=True):
        so_far += each.columns[name]
        buckets.append((limit, float(so_far)))
    return buckets


def _work(now: datetime) -> Iterator[Metric]:
    yield _by("runs", "Runs that have not ended.", "state", readings.runs_by_state())
    yield _one(
        "deliveries_open",
        "Deliveries of those runs that have not ended.",
        readings.open_deliveries(),
    )
    due, late = readings.due(now)
    limit = f"{readings.MAX_COUNTED:,}"
    yield _one("deliveries_due", f"Deliveries to attempt now, up to {limit}.", due)
    yield _one("deliveries_due_oldest_seconds", "How late the oldest of them is.", late)
    yield _one(
        "deliveries_retrying",
        f"Deliveries that wait for another attempt, up to {limit}.",
        readings.retries(now),
    )


def _troubles(now: datetime) -> Iterator[Metric]:
    present = mode.current()
    modes = {each.value: int(each == present) for each in mode.Mode}
    yield _by("mode", "1 for the mode it is in.", "mode", modes)
    yield _by(
        "breakers",
        "Destinations by their circuit breaker.",
        "state",
        readings.breakers(),
    )
    yield _one(
        "destinations_paused",
        "Destinations that a person paused.",
        readings.paused_destinations(),
    )
    yield _one("macros_paused", "Macros that are paused.", readings.paused_macros())
    yield _one(
        "schedules_overdue",
        "Schedules that nobody started when they were due.",
        readings.overdue_schedules(now),
    )
    limit = f"{readings.MAX_COUNTED:,}"
    waiting, age = readings.waiting_calls(now)
    yield _one(
        "calls_waiting", f"Calls from outside that wait, up to {limit}.", waiting
    )
    yield _one("calls_waiting_oldest_seconds", "How old the oldest of them is.", age)


def _queue(now: datetime) -> Iterator[Metric]:
    reading = readings.queue_reading(now)
    yield _one("redis_up", "1 where Redis responds.", reading is not None)
    if reading is None:
        return
    yield _one("queue_jobs", "Jobs that wait for a worker.", reading.jobs)
    yield _one("queue_oldest_seconds", "How long the oldest job waits.", reading.oldest)
    yield _one("workers", "Workers that are alive.", reading.workers)
    yield _one("clocks", "Clocks that looked within an hour.", len(reading.clocks))
    if reading.clocks:
        yield _one(
            "clock_age_seconds",
            "Since a clock last looked for what is due.",
            reading.clocks[0],
        )


def _one(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"{PREFIX}{name}", text, value=float(value))


def _by(name: str, text: str, label: str, values: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(f"{PREFIX}{name}", text, labels=[label])
    for each, value in values.items():
        family.add_metric([str(each)], value)
    return family


def exposition() -> bytes:
    """In the text format 0.0.4 of Prometheus."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ServiceCollector())
    return generate_latest(registry)
