"""Our engine under measurement: rows, a real worker process, runs on many tickets."""

from __future__ import annotations

import itertools
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from . import plain
from .processes import Receiver, cpu_seconds, peak_memory_mb, reset_peak_memory, running

if TYPE_CHECKING:
    from feedback.models import FeedbackType, Tester
    from logs.models import Run
    from macros.models import Macro

_CHUNK = 5_000
_TESTERS = 1_000
_POLL = 0.02
_PATIENCE = 180.0
_BODY = """{
  "reference": "((Reference))",
  "title": "((Title))",
  "description": "((Description))",
  "severity": ((Field: Severity)),
  "from": "((Submitter Email))",
  "link": "((Ticket URL))"
}"""


@dataclass(slots=True)
class Measured:
    per_second: float
    cpu_us: float
    peak_mb: float


def seed(tickets: int) -> FeedbackType:
    from tests import factories

    made = factories.feedback_type()
    testers = [factories.tester(made) for _ in range(_TESTERS)]
    for start in range(0, tickets, _CHUNK):
        numbers = range(start, min(start + _CHUNK, tickets))
        _submit(made, numbers, itertools.cycle(testers))
    return made


def _submit(of: FeedbackType, numbers: range, submitters: Iterator[Tester]) -> None:
    from feedback.models import Feedback

    status = of.first_status()
    Feedback.objects.submit_many(
        of,
        [
            Feedback(
                status=status,
                submitter=next(submitters),
                title=data["title"],
                description=data["description"],
                form_values={"severity": data["severity"]},
            )
            for data in map(plain.payload, numbers)
        ],
    )


def macro(of: FeedbackType, url: str) -> Macro:
    return _macro(of, url, plain.HEADERS)


def macro_with_secret(of: FeedbackType, url: str) -> Macro:
    from tests import factories

    factories.secret(of, "token")
    token = {"Authorization": "Bearer ((Secret: token))"}
    return _macro(of, url, plain.HEADERS | token)


def _macro(of: FeedbackType, url: str, headers: Mapping[str, str]) -> Macro:
    from tests import factories

    lines = "\n".join(f"{name}: {text}" for name, text in headers.items())
    return factories.macro(of, url, headers=lines, body=_BODY)


@contextmanager
def working(env: Mapping[str, str]) -> Iterator[Worker]:
    """One more worker of ours, from when it has registered."""
    import django_rq
    import rq

    queue = django_rq.get_queue("deliveries")
    before = rq.Worker.count(queue=queue)
    with running("manage.py", "worker", env=env) as process:
        give_up = time.monotonic() + 30
        while rq.Worker.count(queue=queue) == before:
            if process.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError("The worker did not start.")
            time.sleep(_POLL)
        yield Worker(process)


class Worker:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.pid = process.pid

    def check(self) -> None:
        if self._process.poll() is not None:
            raise RuntimeError("The worker ended.")

    def measure(self, macro: Macro, tickets: int, receiver: Receiver) -> Measured:
        """One run, from the return of start_run to its end; each ticket must arrive."""
        pid = self.pid
        receiver.reset()
        reset_peak_memory(pid)
        cpu = cpu_seconds(pid)
        run = start(macro, tickets)
        begun = time.monotonic()
        self._wait_for(run)
        seconds = time.monotonic() - begun
        cpu = cpu_seconds(pid) - cpu
        check(run, tickets, receiver)
        return Measured(tickets / seconds, cpu / tickets * 1e6, peak_memory_mb(pid))

    def beside(self, slow: Macro, tickets: int, quick: Macro, times: int) -> float:
        """Seconds from the start of a run of 1 to its end, while a big one goes on.

        The median; polled, so up to 20 ms too long. The big run is cancelled then.
        """
        from macros.runs.control import cancel_run

        big = start(slow, tickets)
        give_up = time.monotonic() + _PATIENCE
        while not big.delivered and time.monotonic() < give_up:
            time.sleep(_POLL)
            big.refresh_from_db(fields=["delivered"])
        seconds = []
        for _ in range(times):
            begun = time.monotonic()
            self._wait_for(start(quick, 1))
            seconds.append(time.monotonic() - begun)
        big.refresh_from_db(fields=["state", "delivered"])
        if big.is_settled or not big.delivered:
            raise RuntimeError("The big run was not going on meanwhile.")
        cancel_run(big)
        self._wait_for(big)
        return median(seconds)

    def _wait_for(self, run: Run) -> None:
        give_up = time.monotonic() + _PATIENCE
        while not run.is_settled:
            time.sleep(_POLL)
            run.refresh_from_db(fields=["state", "delivered"])
            self.check()
            if time.monotonic() > give_up:
                raise RuntimeError(f"{run} did not end in time.")


def check(run: Run, tickets: int, receiver: Receiver) -> None:
    """A delivery counts only if it was received, answered well, and logged."""
    from logs.models import Attempt

    logged = Attempt.objects.filter(delivery__run=run, status=200).count()
    counts = {logged, run.delivered, receiver.distinct()}
    if counts != {tickets}:
        raise RuntimeError(f"Of {tickets} tickets: {counts} delivered.")


def start(macro: Macro, tickets: int) -> Run:
    """Perform the action on the first so many tickets of the type."""
    from feedback.models import Feedback
    from logs.models import Cause
    from macros.runs import start_run

    chosen = Feedback.objects.filter(
        feedback_type=macro.feedback_type, number__lte=tickets
    )
    return start_run(macro, chosen, cause=Cause.ACTION)
