"""Servers of a test's own, which it may stop and start again."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.core.management import call_command
from redis import Redis
from rq import Queue, Worker

from centerhook.embedded import valkey
from macros.queue import QUEUE


class OwnValkey:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running = ExitStack()
        self.url = f"unix://{folder / 'v.sock'}"

    def start(self) -> None:
        server = valkey(self._folder / "v.sock", self._folder / "data")
        self._running.enter_context(server)

    def stop(self) -> None:
        self._running.close()

    def known_workers(self) -> int:
        with Redis.from_url(self.url) as client:
            return len(Worker.all(queue=Queue(QUEUE, connection=client)))


class OwnPostgres:
    """A cluster made by the functions of `.ci/postgres`, reached by a socket."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = self._run('start_postgres; echo "$postgres_dir"').strip()

    @property
    def settings(self) -> dict[str, Any]:
        """What differs from the settings of the suite's own database."""
        return {
            "NAME": "centerhook",
            "USER": "centerhook",
            "PASSWORD": "",
            "HOST": self._folder,
            "PORT": "",
            "OPTIONS": {},
        }

    def migrate(self) -> None:
        call_command("migrate", verbosity=0)

    def restart(self, mode: str) -> None:
        """`fast` ends every session; `immediate` is a crash, and its recovery."""
        self._run(
            f'as_postgres "$postgres_bin/pg_ctl" -D "{self._folder}/data"'
            f' -l "{self._folder}/log" -m {mode} -w -s restart'
        )

    def stop(self) -> None:
        self._run(f'postgres_dir="{self._folder}"; stop_postgres')

    def _run(self, commands: str) -> str:
        script = f"set -e; . .ci/postgres; {commands}"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self._root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout
