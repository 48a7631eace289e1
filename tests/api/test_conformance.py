"""The API keeps to its schema, whatever is sent: schemathesis on a live server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from tests import factories

ROOT = Path(__file__).resolve().parents[2]
SCOPES = ("read", "write", "run", "listener", "data", "secrets", "manage")

pytestmark = [pytest.mark.django_db(transaction=True)]


def test_every_phase_and_check(
    live_server: LiveServer, tmp_path: Path, settings
) -> None:
    settings.API_PER_MINUTE = 0
    of = factories.feedback_type()
    factories.one_of_everything(of)
    scopes = dict.fromkeys([f"scope_{scope}" for scope in SCOPES], True)
    _, token = factories.api_key(of.project.community, **scopes)
    command = [
        *(sys.executable, "-m", "schemathesis.cli"),
        *("--config-file", str(ROOT / "schemathesis.toml"), "run"),
        f"{live_server.url}/api/v1/schema/",
        *("--header", f"Authorization: Bearer {token}"),
        *("--seed", os.environ.get("SEED", "1")),
        *("--max-examples", os.environ.get("EXAMPLES", "3")),
        *("--checks", "all"),
        *("--continue-on-failure",),
        *os.environ.get("ST", "").split(),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
