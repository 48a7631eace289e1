"""Processes that the benchmark starts, reads and ends, each by its id."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[2]
_TICKS = os.sysconf("SC_CLK_TCK")
_GRACE = 10.0


@contextmanager
def running(*arguments: str, env: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run Python with these arguments in a group of its own, ended on the way out."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.stdout:
        process.stdout.close()


def printed(process: subprocess.Popen[str]) -> dict[str, float]:
    """The JSON object that a process prints before it ends."""
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{process.args} ended with {process.returncode}")
    figures: dict[str, float] = json.loads(output)
    return figures


class Receiver:
    """The local receiver in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        line = process.stdout.readline() if process.stdout else ""
        if "http://" not in line:
            raise RuntimeError("The receiver did not start.")
        self.url = line.split()[-1]

    def distinct(self) -> int:
        """How many deliveries it has seen since the last reset."""
        with urlopen(f"{self.url}/received.json", timeout=30) as response:
            return len(json.load(response)["ids"])

    def first_arrival(self) -> float | None:
        """When the oldest request that it still shows in full came, by `time.time`.

        The first since the last reset as long as there were no more than 200.
        """
        with urlopen(f"{self.url}/received.json?ids=0", timeout=30) as response:
            requests = json.load(response)["requests"]
        return float(requests[0]["at"]) if requests else None

    def reset(self) -> None:
        urlopen(f"{self.url}/reset", data=b"", timeout=10).close()


@contextmanager
def receiving(env: Mapping[str, str]) -> Iterator[Receiver]:
    with running("manage.py", "receiver", env=env) as process:
        yield Receiver(process)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and all its threads, not its children."""
    text = Path(f"/proc/{pid}/stat").read_text()
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def family_cpu_seconds(pid: int) -> float:
    """User and system time of a process and of its children, dead ones included."""
    text = Path(f"/proc/{pid}/stat").read_text()
    fields = text.rpartition(")")[2].split()
    seconds = sum(map(int, fields[11:15])) / _TICKS
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with suppress(OSError):  # It has just ended.
            seconds += cpu_seconds(int(child))
    return seconds


def peak_memory_mb(pid: int) -> float:
    """The largest resident set so far, or since `reset_peak_memory`."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def reset_peak_memory(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")
