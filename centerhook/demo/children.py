"""Child processes that end when this one does, however it ends."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

# How long a child may take to stop by itself, in seconds.
GRACE = 8.0

_PR_SET_PDEATHSIG = 1


class Children:
    """A context manager; when it ends, the children stop, the last started first."""

    def __init__(self, env: Mapping[str, str], folder: Path) -> None:
        self._env = {**os.environ, **env}
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self, name: str, command: Sequence[str], fds: Sequence[int] = ()) -> None:
        """Run a command with this Python.

        A session of its own keeps a Ctrl-C on the terminal from it, so that it is
        stopped in its turn.
        """
        self._running[name] = subprocess.Popen(  # noqa: S603 - commands of our own
            [sys.executable, *command],
            cwd=self._folder,
            env=self._env,
            pass_fds=fds,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_end_with_parent(os.getpid()),
        )

    def ended(self) -> dict[str, int]:
        """The exit codes of the children that have ended since the last call."""
        codes = {name: child.poll() for name, child in self._running.items()}
        ended = {name: code for name, code in codes.items() if code is not None}
        for name in ended:
            del self._running[name]
        return ended

    def stop(self) -> None:
        while self._running:
            _, child = self._running.popitem()
            child.terminate()
            try:
                child.wait(GRACE)
            except subprocess.TimeoutExpired:
                _kill_session(child)
                child.wait()


def _end_with_parent(parent: int) -> Callable[[], None] | None:
    """What a child does before it starts: ask for SIGTERM at its parent's death.

    Linux only; elsewhere a child can outlive a parent that is killed.
    """
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        # The parent may have died before the request was in place.
        if os.getppid() != parent:
            os._exit(1)

    return ask


def _kill_session(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
