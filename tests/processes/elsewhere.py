"""An installation beside the test's own: another database, files and queue."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.db import connection
from redis import Redis
from rq import Queue
from rq.job import JobStatus

from macros.queue import QUEUE
from tests.processes.conftest import ROOT, _test_database_url, wait_until

NAME = "centerhook_elsewhere"
Done = subprocess.CompletedProcess[str]


class Elsewhere:
    def __init__(self, folder: Path, redis_url: str) -> None:
        parts = urlsplit(_test_database_url())
        self.redis_url = redis_url
        self.environment = {
            "DATABASE_URL": urlunsplit(parts._replace(path=f"/{NAME}")),
            "REDIS_URL": redis_url,
            "ATTACHMENTS_DIR": str(folder / "attachments"),
            "PACKAGES_DIR": str(folder / "packages"),
            "LEASE_SECONDS": "3",
        }

    def restore(
        self, backup: Path, **settings: str
    ) -> subprocess.CompletedProcess[str]:
        return run("deploy/restore.sh", str(backup), **self.environment, **settings)

    def manage(self, *words: str, **settings: str) -> str:
        command = (sys.executable, "manage.py", *words)
        return run(*command, **self.environment, **settings).stdout

    def findings(self, **settings: str) -> dict[str, str]:
        """What the doctor says, by the ids."""
        report = json.loads(self.manage("doctor", "--json", **settings))
        return {each["id"]: each["sentence"] for each in report["findings"]}

    def deliver(self, run_id: int) -> None:
        """Have a worker notified of a run, and wait until it has taken the job."""
        with Redis.from_url(self.redis_url) as client:
            job = Queue(QUEUE, connection=client).enqueue("macros.jobs.deliver", run_id)
            wait_until(lambda: job.get_status() == JobStatus.FINISHED)

    def forget(self) -> None:
        """The processes must have ended."""
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")


def run(*command: str, **environment: str) -> Done:
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


@contextmanager
def looked_at() -> Iterator[None]:
    """This process sees the other database."""
    name = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = NAME
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = name
