"""Settings as the environment makes them: on one's own machine and in public."""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from gunicorn.config import make_settings

ROOT = Path(__file__).resolve().parents[2]
SHOWN = """
import json
from centerhook import settings as s
names = [name for name in dir(s) if name.startswith(("SECURE_", "SESSION_", "CSRF_"))]
print(json.dumps({name: getattr(s, name) for name in [*names, "SECRET_KEY"]}))
"""


def settings_with(**environment: str) -> dict[str, Any]:
    env = {"PATH": os.environ["PATH"], "SECRET_KEY": "x", "SECRETS_KEYS": "x"}
    shown = subprocess.run(
        [sys.executable, "-c", SHOWN],
        cwd=ROOT,
        env=env | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    settings: dict[str, Any] = json.loads(shown.stdout)
    return settings


def test_the_production_example_passes_djangos_deployment_checks() -> None:
    check = [sys.executable, ".ci/check-deploy", "--fail-level", "WARNING"]
    done = subprocess.run(check, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "no issues (0 silenced)" in done.stdout


def test_the_same_check_fails_once_the_example_is_weakened(tmp_path: Path) -> None:
    """Else the test above could not fail."""
    for folder in ("centerhook", "feedback", "logs", "macros", "manage.py", ".ci"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    example = (ROOT / "deploy" / "production.env.example").read_text()
    (tmp_path / "deploy").mkdir()
    weak = example.replace("https://", "http://")
    (tmp_path / "deploy" / "production.env.example").write_text(weak)
    script = (ROOT / ".ci" / "check-deploy").read_text()
    script = script.replace("Path(__file__).resolve().parent.parent", "Path.cwd()")
    check = [sys.executable, "-c", script, "--fail-level", "WARNING"]
    done = subprocess.run(check, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "centerhook.W307" in done.stderr and "security.W008" in done.stderr


@pytest.mark.parametrize(
    "key", ["$beginning", r"\$escaped", r"in\$side$$", "$$", "${HOME}"]
)
def test_a_key_is_taken_as_it_stands(tmp_path: Path, key: str) -> None:
    assert settings_with(SECRET_KEY=key)["SECRET_KEY"] == key
    file = tmp_path / "key"
    file.write_text(f"{key}\n")
    settings = settings_with(SECRET_KEY="", SECRET_KEY_FILE=str(file))
    assert settings["SECRET_KEY"] == key


def test_https_switches_everything_on() -> None:
    settings = settings_with(BASE_URL="https://feedback.example.com", PROXY_COUNT="1")
    assert settings["SECURE_SSL_REDIRECT"] is True
    assert settings["SECURE_HSTS_SECONDS"] == 31_536_000
    assert settings["SECURE_PROXY_SSL_HEADER"] == ["HTTP_X_FORWARDED_PROTO", "https"]
    assert settings["SESSION_COOKIE_SECURE"] and settings["CSRF_COOKIE_SECURE"]
    assert settings["SESSION_COOKIE_NAME"] == "__Host-sessionid"
    assert settings["CSRF_COOKIE_NAME"] == "__Host-csrftoken"
    assert settings["CSRF_COOKIE_HTTPONLY"]


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"BASE_URL": "http://127.0.0.1:8000"},
        {"BASE_URL": "https://feedback.example.com", "DEBUG": "on"},
    ],
    ids=["nothing set", "the demo", "debug"],
)
def test_without_tls_nothing_locks_people_out(environment: dict[str, str]) -> None:
    settings = settings_with(**environment)
    assert settings["SECURE_SSL_REDIRECT"] is False
    assert settings["SECURE_HSTS_SECONDS"] == 0
    assert not settings["SESSION_COOKIE_SECURE"] and not settings["CSRF_COOKIE_SECURE"]
    assert settings["SESSION_COOKIE_NAME"] == "sessionid"
    assert "SECURE_PROXY_SSL_HEADER" not in settings


def test_no_proxy_no_header_is_believed() -> None:
    settings = settings_with(BASE_URL="https://feedback.example.com")
    assert "SECURE_PROXY_SSL_HEADER" not in settings


def test_gunicorn_knows_every_setting() -> None:
    given = runpy.run_path(str(ROOT / "deploy" / "gunicorn.py"))
    names = {name for name in given if not name.startswith("__")}
    assert names <= set(make_settings())
    assert given["timeout"] > 0 and given["worker_class"] == "gthread"
    assert given["bind"].startswith("127.0.0.1:")


def test_the_proxy_buffers_and_has_time_limits() -> None:
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    named = {line.split()[0] for line in lines if line.endswith(";")}
    assert named >= {
        *("client_header_timeout", "client_body_timeout", "send_timeout"),
        *("limit_req", "limit_conn", "client_max_body_size"),
    }
    assert {"proxy_request_buffering on;", "proxy_buffering on;"} <= set(lines)
    assert "client_max_body_size 20m;" in lines
    assert settings.UPLOAD_MAX_BYTES == 20_000_000
    served = runpy.run_path(str(ROOT / "deploy" / "gunicorn.py"))
    kept = re.search(r"keepalive_timeout (\d+)s", text)
    assert kept and int(kept[1]) < served["keepalive"]
    assert text.count("{") == text.count("}")
