"""The embedded Valkey server as a process of its own, which ends with its parent.

Run as `python -m centerhook.demo.valkey SOCKET DATA_DIR`.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

from centerhook.demo.stopping import Stopped, listen, pause
from centerhook.embedded import valkey


def main(socket: str, data_dir: str) -> None:
    listen()
    with suppress(Stopped), valkey(Path(socket), Path(data_dir)):
        while True:
            pause(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
