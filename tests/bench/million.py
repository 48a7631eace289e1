"""One Perform Action on 1,000,000 tickets, and runs beside a log of 5,000,000."""

from __future__ import annotations

import re
import time
import uuid
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from . import engine, filters, rows
from .ground import Ground, say
from .processes import (
    cpu_seconds,
    family_cpu_seconds,
    peak_memory_mb,
    reset_peak_memory,
)
from .report import Figure, Row

if TYPE_CHECKING:
    from logs.models import Run
    from macros.models import Macro

MILLION = 1_000_000
ROWS: tuple[Row, ...] = (
    ("A filter of ten conditions, counted", "filter_10_conditions_1m_ms", "ms"),
    ("Perform Action: time to response", "perform_action_1m_seconds", "s"),
    ("From then to the first arrival", "first_delivery_1m_seconds", "s"),
    ("The run: rate", "delivery_1m_per_second", "/s"),
    ("The run: rate of its first tenth", "delivery_1m_first_per_second", "/s"),
    ("The run: rate of its last tenth", "delivery_1m_last_per_second", "/s"),
    ("The run: delivered", "delivery_1m_tickets", ""),
    ("Memory growth by it", "delivery_memory_growth_1m_mb", "MB"),
    ("CPU per delivery, run of 1,000", "delivery_cpu_us_run_1k", "us"),
    ("CPU per delivery, run of 10,000", "delivery_cpu_us_run_10k", "us"),
    ("CPU per delivery, run of 100,000", "delivery_cpu_us_run_100k", "us"),
    ("CPU per delivery, what was reached", "delivery_cpu_us_run_1m", "us"),
    ("Database's CPU, run of 1,000", "database_cpu_us_run_1k", "us"),
    ("Database's CPU, run of 10,000", "database_cpu_us_run_10k", "us"),
    ("Database's CPU, run of 100,000", "database_cpu_us_run_100k", "us"),
    ("Database's CPU, what was reached", "database_cpu_us_run_1m", "us"),
    ("Empty log: rate", "log_empty_per_second", "/s"),
    ("Log of 5,000,000: rate", "log_5m_per_second", "/s"),
    ("Empty log: CPU per delivery", "log_empty_cpu_us", "us"),
    ("Log of 5,000,000: CPU", "log_5m_cpu_us", "us"),
    ("Empty log: database's CPU", "log_empty_database_cpu_us", "us"),
    ("Log of 5,000,000: database's CPU", "log_5m_database_cpu_us", "us"),
    ("Log of 5,000,000: attempts in it", "log_5m_attempts", ""),
)
_WARM_UP = 500
# All of it, and what the end of it needs, in seconds.
_BUDGET = 600.0
_RESERVE = 80.0
_POLL = 0.25
# What a run of 100,000 may take, in seconds.
_LONG = 60.0


@dataclass(frozen=True)
class Sizes:
    """A thousandth, a hundredth, a tenth of the tickets, and how large the log is."""

    tickets: int
    runs: tuple[tuple[str, int, int], ...]  # a name, tickets, how often
    tenth: int
    beside_log: int
    log: int

    @classmethod
    def of(cls, tickets: int) -> Sizes:
        runs = (("1k", tickets // 1000, 5), ("10k", tickets // 100, 2))
        return cls(tickets, runs, tickets // 10, tickets // 50, 5 * tickets)


@dataclass(slots=True)
class Sample:
    """Where the worker stood at a moment of the big run."""

    at: float
    delivered: int
    cpu: float
    database_cpu: float


class Million:
    def __init__(self, ground: Ground, sizes: Sizes, begun: float) -> None:
        self.ground = ground
        self.sizes = sizes
        self.ends = begun + _BUDGET
        self.figures: dict[str, Figure] = {}
        self.of = rows.seed(sizes.tickets)
        self.macro = engine.macro(self.of, ground.receiver.url + "/ok")
        self.server = rows.server_pid()
        self.figures["filter_10_conditions_1m_ms"] = filters.count_ms(self.of)

    def run(self) -> None:
        with engine.working(self.ground.env) as worker:
            worker.measure(self.macro, _WARM_UP, self.ground.receiver)
            name, tickets, times = self.sizes.runs[0]
            base = self._series(worker, f"run_{name}", tickets, times)
            self._beside_log(worker, "log_empty")
            for name, tickets, times in self.sizes.runs[1:]:
                self._series(worker, f"run_{name}", tickets, times)
            self._big(worker, base)
            if self.ends - time.monotonic() > _RESERVE + _LONG:
                self._series(worker, "run_100k", self.sizes.tenth, 1)
            self.figures["log_5m_attempts"] = rows.fill_log(self.sizes.log)
            self._beside_log(worker, "log_5m")

    def _series(
        self, worker: engine.Worker, name: str, tickets: int, times: int
    ) -> float:
        """Medians of runs of one size; returns the smallest peak of memory in MB."""
        runs, database = [], []
        for _ in range(times):
            before = family_cpu_seconds(self.server)
            runs.append(worker.measure(self.macro, tickets, self.ground.receiver))
            spent = family_cpu_seconds(self.server) - before
            database.append(spent / tickets * 1e6)
        rate = median(run.per_second for run in runs)
        cpu, server_cpu = median(run.cpu_us for run in runs), median(database)
        say(f"{name}, {tickets:,}: {rate:,.0f}/s, {cpu:.0f} + {server_cpu:.0f} us")
        self.figures |= {
            f"delivery_per_second_{name}": rate,
            f"delivery_cpu_us_{name}": cpu,
            f"database_cpu_us_{name}": server_cpu,
        }
        return min(run.peak_mb for run in runs)

    def _beside_log(self, worker: engine.Worker, name: str) -> None:
        self._series(worker, name, self.sizes.beside_log, 2)
        for old, new in (
            ("delivery_per_second", "per_second"),
            ("delivery_cpu_us", "cpu_us"),
            ("database_cpu_us", "database_cpu_us"),
        ):
            self.figures[f"{name}_{new}"] = self.figures.pop(f"{old}_{name}")

    def _big(self, worker: engine.Worker, base_mb: float) -> None:
        from logs.models import Run

        self.ground.receiver.reset()
        reset_peak_memory(worker.pid)
        begun = time.monotonic()
        pk = click(self.macro, self.sizes.tickets)
        responded, responded_at = time.monotonic(), time.time()
        first = self._first_arrival(responded_at)
        say(f"the click: {responded - begun:.1f} s, first delivery after {first:.2f} s")
        run = Run.objects.get(pk=pk)
        samples = self._follow(worker, run)
        peak = peak_memory_mb(worker.pid)
        if run.delivered == self.sizes.tickets:
            engine.check(run, run.delivered, self.ground.receiver)
        self.figures |= {
            "perform_action_1m_seconds": responded - begun,
            "first_delivery_1m_seconds": first,
            "delivery_1m_tickets": run.delivered,
            "delivery_memory_1m_mb": peak,
            "delivery_memory_growth_1m_mb": peak - base_mb,
        }
        self._take(samples)

    def _first_arrival(self, responded_at: float) -> float:
        while (arrived := self.ground.receiver.first_arrival()) is None:
            time.sleep(0.02)
        return arrived - responded_at

    def _follow(self, worker: engine.Worker, run: Run) -> list[Sample]:
        """A sample at the start and after each tenth, until the end or out of time."""
        from macros.runs.control import cancel_run

        gives_up = self.ends - _RESERVE
        samples = [self._sample(worker, run)]
        while not run.is_settled:
            time.sleep(_POLL)
            worker.check()
            run.refresh_from_db(fields=["state", "delivered", "cancelled"])
            if run.delivered - samples[-1].delivered >= self.sizes.tenth:
                samples.append(self._sample(worker, run))
                self._tell(*samples[-2:])
            if time.monotonic() > gives_up:
                say(f"Out of time at {run.delivered:,} of {self.sizes.tickets:,}.")
                samples.append(self._sample(worker, run))
                cancel_run(run)
                gives_up = float("inf")
        if samples[-1].delivered < run.delivered and not run.cancelled:
            samples.append(self._sample(worker, run))
        return samples

    def _sample(self, worker: engine.Worker, run: Run) -> Sample:
        server_cpu = family_cpu_seconds(self.server)
        now = time.monotonic()
        return Sample(now, run.delivered, cpu_seconds(worker.pid), server_cpu)

    def _tell(self, a: Sample, b: Sample) -> None:
        rate, cpu, database = between(a, b)
        say(f"{b.delivered:>12,}: {rate:,.0f}/s, {cpu:.0f} + {database:.0f} us")

    def _take(self, samples: list[Sample]) -> None:
        rate, cpu, database = between(samples[0], samples[-1])
        last = samples[-2:] if len(samples) < 12 else samples[-3:-1]
        self.figures |= {
            "delivery_1m_per_second": rate,
            "delivery_cpu_us_run_1m": cpu,
            "database_cpu_us_run_1m": database,
            "delivery_1m_first_per_second": between(*samples[:2])[0],
            "delivery_1m_first_cpu_us": between(*samples[:2])[1],
            "delivery_1m_last_per_second": between(*last)[0],
            "delivery_1m_last_cpu_us": between(*last)[1],
        }


def between(a: Sample, b: Sample) -> tuple[float, float, float]:
    """Deliveries per second, CPU of the worker and of the database per delivery."""
    count = max(1, b.delivered - a.delivered)
    cpu, database = (b.cpu - a.cpu) / count, (b.database_cpu - a.database_cpu) / count
    return count / (b.at - a.at), cpu * 1e6, database * 1e6


def click(macro: Macro, tickets: int) -> int:
    """Confirm Perform Action for all tickets of the list; returns the run's number."""
    from django.test import Client
    from django.urls import reverse

    from feedback.models import Feedback
    from feedback.selection.confirmed import digest_of
    from tests import factories

    browser = Client(headers={"host": "localhost"})
    browser.force_login(factories.superuser(__name__.rpartition(".")[2]))
    of = macro.feedback_type_id
    shown = Feedback.objects.filter(feedback_type=of).values_list("pk", flat=True)[:50]
    form = {
        "action": f"macro_{macro.pk}",
        "index": "0",
        "select_across": "1",
        "_selected_action": list(shown),
        "run_key": uuid.uuid4().hex,
        "confirmed_count": str(tickets),
        "typed_count": str(tickets),
        "confirmed_selection": digest_of(Feedback.objects.filter(feedback_type=of)),
    }
    page = reverse("admin:feedback_feedback_changelist")
    response = browser.post(f"{page}?type={of}", form)
    run = re.search(r"/logs/run/(\d+)/", response.headers.get("Location", ""))
    if run is None:
        raise RuntimeError(f"The click gave the status {response.status_code}.")
    return int(run[1])


def run(ground: Ground, size: int) -> dict[str, Figure]:
    measured = Million(ground, Sizes.of(size), time.monotonic())
    measured.run()
    return measured.figures
