"""A database and a Valkey of its own for every test process.

Loaded as a plugin (`-p tests.environment`), since pytest-django reads the settings
before any conftest does anything.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

_stack = ExitStack()


def _set_up() -> None:
    folder = tempfile.mkdtemp(prefix="centerhook-test-")
    _stack.callback(shutil.rmtree, folder, ignore_errors=True)
    os.environ["SECRET_KEY"] = "only-for-tests"
    os.environ["SECRETS_KEYS"] = "b25seS1mb3ItdGVzdHMtb25seS1mb3ItdGVzdHMtISE="
    os.environ["ALLOWED_NETWORKS"] = "127.0.0.0/8"
    os.environ["API_PER_MINUTE"] = "0"
    os.environ["ATTACHMENTS_DIR"] = f"{folder}/attachments"
    os.environ["PACKAGES_DIR"] = f"{folder}/packages"
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/unused.sqlite3"
        os.environ["TEST_DATABASE"] = f"{folder}/test.sqlite3"
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if "REDIS_URL" not in os.environ or "TEST_REDIS_EMBEDDED" in os.environ:
        from centerhook.embedded import valkey

        os.environ["TEST_REDIS_EMBEDDED"] = "1"
        server = valkey(Path(folder) / "v.sock", Path(folder) / "valkey")
        os.environ["REDIS_URL"] = _stack.enter_context(server)
    elif worker:
        # Every parallel process has a numbered database of the given server.
        os.environ["REDIS_URL"] += f"/{int(worker.removeprefix('gw')) + 1}"


def pytest_unconfigure(config: pytest.Config) -> None:
    _stack.close()


_set_up()
