"""Our engine beside the plain pattern, in pairs, on one machine, in one run."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from types import FrameType
from typing import TYPE_CHECKING, Any

from . import (
    engine,
    listeners,
    million,
    packages,
    pages,
    rendering,
    report,
    rest,
    retention,
    triggers,
)
from .ground import Ground, prepared, say
from .processes import peak_memory_mb, printed, reset_peak_memory, running

if TYPE_CHECKING:
    from feedback.models import FeedbackType


# Paths of the receiver: it responds at once, and after 100 ms.
FAST, SLOW = "/ok", "/delay/100"
# And so slowly that a big run holds all it may have; how big that run is.
VERY_SLOW, BESIDE = "/delay/3000", 10_000


@dataclass(frozen=True)
class Sizes:
    """How many requests each measurement sends."""

    rounds: int
    fast: int
    fast_plain: int
    slow: int
    slow_plain: int
    long: int
    bare: int
    perform: int  # Only started: no worker lives any more.
    memory_base: int = 1_000
    warm_up: int = 500


FULL = Sizes(3, 10_000, 300, 4_000, 60, 100_000, 3_000, 100_000)
QUICK = Sizes(1, 4_000, 150, 2_000, 30, 5_000, 1_000, 100_000)


@dataclass
class Series:
    """The figures of one receiver, one entry a round."""

    ours: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    plain_cpu: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        return median(a / b for a, b in zip(self.ours, self.plain, strict=True))

    @property
    def cpu_vs_bare(self) -> float:
        return median(a / b for a, b in zip(self.cpu, self.bare, strict=True))


class Bench:
    def __init__(self, sizes: Sizes, ground: Ground, of: FeedbackType) -> None:
        self.sizes = sizes
        self.env = ground.env
        self.receiver = ground.receiver
        self.of = of
        self.fast, self.slow = Series(), Series()
        self.figures: dict[str, report.Figure] = {"database": ground.vendor}

    def run(self) -> None:
        sizes = self.sizes
        with engine.working(self.env) as worker:
            self._memory(worker)
            for _ in range(sizes.rounds):
                self._pair(worker, self.fast, FAST, sizes.fast, sizes.fast_plain)
                bare = self._child("bare", self.receiver.url + FAST, sizes.bare)
                self.fast.bare.append(bare["cpu_us"])
            for _ in range(sizes.rounds):
                self._pair(worker, self.slow, SLOW, sizes.slow, sizes.slow_plain)
            self._two_workers(worker)
            self._beside_slow(worker)
        self._perform()
        self._sum_up()

    def _memory(self, worker: engine.Worker) -> None:
        """Also warms the worker up."""
        macro = engine.macro(self.of, self.receiver.url + FAST)
        worker.measure(macro, self.sizes.warm_up, self.receiver)
        base = worker.measure(macro, self.sizes.memory_base, self.receiver)
        long = worker.measure(macro, self.sizes.long, self.receiver)
        say(f"long run: {long.per_second:,.0f}/s, {long.cpu_us:,.0f} us")
        self.figures["delivery_memory_mb"] = base.peak_mb
        self.figures["delivery_memory_growth_mb"] = long.peak_mb - base.peak_mb
        self.figures["delivery_long_per_second"] = long.per_second
        self.figures["delivery_long_tickets"] = self.sizes.long
        # The last, since it loads what decrypts and what looks for it in responses.
        macro = engine.macro_with_secret(self.of, self.receiver.url + FAST)
        secret = worker.measure(macro, self.sizes.memory_base, self.receiver)
        self.figures["delivery_secret_memory_mb"] = secret.peak_mb

    def _pair(
        self, worker: engine.Worker, series: Series, path: str, ours: int, plain: int
    ) -> None:
        url = self.receiver.url + path
        mine = worker.measure(engine.macro(self.of, url), ours, self.receiver)
        theirs = self._child("work", self.env["REDIS_URL"], url, plain)
        series.ours.append(mine.per_second)
        series.cpu.append(mine.cpu_us)
        series.plain.append(theirs["per_second"])
        series.plain_cpu.append(theirs["cpu_us"])
        say(
            f"{path}: ours {mine.per_second:,.0f}/s, {mine.cpu_us:,.0f} us;"
            f" plain {theirs['per_second']:,.1f}/s"
        )

    def _two_workers(self, first: engine.Worker) -> None:
        macro = engine.macro(self.of, self.receiver.url + SLOW)
        tickets = 2 * self.sizes.slow
        with engine.working(self.env):
            first.measure(macro, self.sizes.warm_up, self.receiver)
            both = [
                first.measure(macro, tickets, self.receiver).per_second
                for _ in range(self.sizes.rounds)
            ]
        say(f"{SLOW}, two workers: {median(both):,.0f}/s")
        self.figures["two_workers_ratio"] = median(both) / median(self.slow.ours)

    def _beside_slow(self, worker: engine.Worker) -> None:
        """Its URL by another host name, so that it is another destination."""
        slow = engine.macro(self.of, self.receiver.url + VERY_SLOW)
        elsewhere = self.receiver.url.replace("127.0.0.1", "localhost")
        quick = engine.macro(self.of, elsewhere + FAST)
        seconds = worker.beside(slow, BESIDE, quick, 5)
        say(f"a run of 1 beside {BESIDE:,} to {VERY_SLOW}: {seconds:.2f} s")
        self.figures["beside_slow_seconds"] = seconds

    def _child(self, function: str, *arguments: str | int) -> dict[str, float]:
        listed = ", ".join(map(repr, arguments))
        code = f"from tests.bench import plain; plain.{function}({listed})"
        with running("-c", code, env=self.env) as process:
            return printed(process)

    def _perform(self) -> None:
        """No worker is alive, so this is the cost of the click alone."""
        macro = engine.macro(self.of, self.receiver.url + FAST)
        pid = os.getpid()
        reset_peak_memory(pid)
        before, begun = peak_memory_mb(pid), time.monotonic()
        engine.start(macro, self.sizes.perform)
        self.figures["perform_action_100k_seconds"] = time.monotonic() - begun
        growth = peak_memory_mb(pid) - before
        self.figures["perform_action_100k_memory_mb"] = growth

    def _sum_up(self) -> None:
        fast, slow = self.fast, self.slow
        self.figures |= {
            "delivery_fast_per_second": median(fast.ours),
            "plain_fast_per_second": median(fast.plain),
            "delivery_fast_ratio": fast.ratio,
            "delivery_100ms_per_second": median(slow.ours),
            "plain_100ms_per_second": median(slow.plain),
            "delivery_100ms_ratio": slow.ratio,
            "delivery_cpu_us": median(fast.cpu),
            "delivery_100ms_cpu_us": median(slow.cpu),
            "plain_cpu_us": median(fast.plain_cpu),
            "bare_post_cpu_us": median(fast.bare),
            "delivery_cpu_vs_bare_post": fast.cpu_vs_bare,
        }


# What is measured over so many rows that it takes PostgreSQL, by its option.
LARGE: dict[str, Any] = {
    "million": million,
    "pages": pages,
    "packages": packages,
    "rest": rest,
    "retention": retention,
}


def main() -> None:
    options = _options()
    signal.signal(signal.SIGTERM, _leave)
    begun = time.monotonic()
    large = [name for name in LARGE if getattr(options, name)]
    postgres = options.postgres or bool(large)
    with tempfile.TemporaryDirectory(prefix="centerhook-bench-") as folder:
        with prepared(Path(folder), postgres) as ground:
            if large:
                figures, rows = _large(large, ground, options.million_size)
            elif options.listeners:
                figures = {"database": ground.vendor, **listeners.run(ground, 3)}
                rows = report.LISTENER_ROWS
            else:
                figures, rows = _compare(ground, options.quick), report.ROWS
        report.show(figures, rows)
    say(f"\n{time.monotonic() - begun:.0f} s")
    if options.million_size == million.MILLION:
        path = report.write(figures)
        say(f"Figures in {path.relative_to(Path.cwd())}")


def _large(
    names: list[str], ground: Ground, size: int
) -> tuple[dict[str, report.Figure], tuple[report.Row, ...]]:
    """One after the other, in the same database."""
    figures: dict[str, report.Figure] = {}
    rows: tuple[report.Row, ...] = ()
    for name in names:
        say(f"\n{name}")
        figures |= LARGE[name].run(ground, size)
        rows += tuple(row for row in LARGE[name].ROWS if row not in rows)
    return figures, rows


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="Under a minute.")
    parser.add_argument(
        "--postgres", action="store_true", help="On a temporary PostgreSQL cluster."
    )
    parser.add_argument(
        "--listeners", action="store_true", help="Only the calls from outside."
    )
    parser.add_argument(
        "--million",
        action="store_true",
        help="One run of 1,000,000 and a log of 5,000,000 instead, on a temporary"
        " PostgreSQL cluster; about 10 minutes.",
    )
    parser.add_argument(
        "--pages",
        action="store_true",
        help="Pages over 1,000,000 tickets and 10,000,000 deliveries instead, on a"
        " temporary PostgreSQL cluster; about 3 minutes.",
    )
    parser.add_argument(
        "--rest",
        action="store_true",
        help="The REST API over 1,000,000 tickets instead, on a temporary PostgreSQL"
        " cluster; about 2 minutes.",
    )
    parser.add_argument(
        "--packages",
        action="store_true",
        help="Data packages of 1,000,000 tickets instead, on a temporary PostgreSQL"
        " cluster; about 3 minutes.",
    )
    parser.add_argument(
        "--retention",
        action="store_true",
        help="Deliveries while 10,000,000 old rows go instead, on a temporary"
        " PostgreSQL cluster; about 10 minutes.",
    )
    parser.add_argument(
        "--million-size",
        type=int,
        default=million.MILLION,
        help="A smaller one to rehearse: its figures are only shown.",
    )
    return parser.parse_args()


def _compare(ground: Ground, quick: bool) -> dict[str, report.Figure]:
    sizes = QUICK if quick else FULL
    begun = time.monotonic()
    of = engine.seed(max(sizes.perform, sizes.long))
    say(f"{ground.vendor}, seeded in {time.monotonic() - begun:.0f} s")
    bench = Bench(sizes, ground, of)
    bench.figures["render_slack_per_second"] = rendering.slack_per_second()
    bench.run()
    figures = bench.figures | triggers.run(ground, sizes.rounds)
    return figures | listeners.run(ground, sizes.rounds)


def _leave(signum: int, frame: FrameType | None) -> None:
    """Through the `finally` of everything that was started."""
    sys.exit(128 + signum)


if __name__ == "__main__":
    main()
