"""The API keeps to its schema, whatever is sent: schemathesis on a live server.

Here for some of the operations, other ones with SEED=2; `make conformance` takes all.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from centerhook.api import openapi_spec
from feedback.access import keys
from feedback.models import KeyScope
from tests import factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sweep]

ROOT = Path(__file__).resolve().parents[2]
SEED = os.environ.get("SEED", "1")
IS_WHOLE = os.environ.get("CONFORMANCE") == "whole"
SOME = 6


def some_operations() -> list[str]:
    spec: dict[str, Any] = openapi_spec()
    names = [
        operation["operationId"]
        for operations in spec["paths"].values()
        for operation in operations.values()
    ]
    chosen = random.Random(SEED).sample(sorted(names), SOME)  # noqa: S311
    pattern = "|".join(re.escape(name) for name in chosen)
    return ["--include-operation-id-regex", f"^({pattern})$"]


def test_every_phase_and_check(
    live_server: LiveServer,
    tmp_path: Path,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # It tries wrong keys by the hundred, and is to be told of each.
    settings.API_PER_MINUTE = 0
    monkeypatch.setattr(keys, "REFUSALS_AN_HOUR", 10**6)
    of = factories.feedback_type()
    factories.one_of_everything(of)
    scopes = dict.fromkeys([f"scope_{scope}" for scope in KeyScope.values], True)
    _, token = factories.api_key(of.project.community, **scopes)
    command = [
        *(sys.executable, "-m", "schemathesis.cli"),
        *("--config-file", str(ROOT / "schemathesis.toml"), "run"),
        f"{live_server.url}/api/v1/schema/",
        *("--header", f"Authorization: Bearer {token}", "--checks", "all"),
        *("--phases", "examples,coverage,fuzzing,stateful"),
        *("--seed", re.sub(r"\D", "", SEED) or "1", "--continue-on-failure"),
        *("--max-examples", "20" if IS_WHOLE else "1"),
        *([] if IS_WHOLE else some_operations()),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
