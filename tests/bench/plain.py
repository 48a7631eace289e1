"""What we compare with: one RQ job per webhook, and one bare `requests` session.

Knows no Django. A worker that forks finds `requests` imported already, so no job pays
for the import.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

import requests
from redis import Redis
from rq import Queue, Worker

TIMEOUT = (5.0, 15.0)
_WARM_UP = 200


def payload(number: int) -> dict[str, Any]:
    """As much as a delivery of ours carries."""
    return {
        "reference": f"BUG-{number}",
        "title": f"The screen stays black, report {number}",
        "description": DESCRIPTION,
        "severity": "Major",
        "from": f"tester{number % 1000}@example.com",
        "link": f"http://localhost:8000/admin/feedback/feedback/{number}/change/",
    }


DESCRIPTION = (
    "After the update the screen stays black for a minute.\n"
    "Pressing the power button twice brings it back, but the app has lost its state."
)
HEADERS = {"Authorization": "Bearer bench-0123456789abcdef"}


def post(url: str, data: dict[str, Any]) -> None:
    """The job."""
    requests.post(url, json=data, headers=HEADERS, timeout=TIMEOUT)


def work(redis_url: str, url: str, count: int) -> None:
    """Queue `count` jobs, then time the stock worker on them."""
    queue = Queue("plain", connection=Redis.from_url(redis_url))
    queue.enqueue_many(
        [Queue.prepare_data(post, args=(url, payload(n))) for n in range(count)]
    )
    worker = Worker([queue], connection=queue.connection)
    begun, cpu = time.monotonic(), _cpu()
    worker.work(burst=True, logging_level="WARNING")
    seconds = time.monotonic() - begun
    _print(per_second=count / seconds, cpu_us=(_cpu() - cpu) / count * 1e6)


def bare(url: str, count: int) -> None:
    """One session, one process, one request after the other."""
    with requests.Session() as session:
        for number in range(_WARM_UP):
            _post_bare(session, url, number)
        begun, cpu = time.monotonic(), time.process_time()
        for number in range(count):
            _post_bare(session, url, number)
        cpu = time.process_time() - cpu
        seconds = time.monotonic() - begun
    _print(per_second=count / seconds, cpu_us=cpu / count * 1e6)


def _post_bare(session: requests.Session, url: str, number: int) -> None:
    session.post(url, json=payload(number), headers=HEADERS, timeout=TIMEOUT)


def _cpu() -> float:
    """CPU of this process and of its children that have ended."""
    times = os.times()
    return sum(times[:4])


def _print(**figures: float) -> None:
    json.dump(figures, sys.stdout)
