"""Traces by the real instrumentation, as deploy/otel.env sets it: no key is in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from centerhook.urls import urlpatterns

ROOT = Path(__file__).resolve().parents[2]
KEY = "a-key-that-nobody-else-has"
# Without tables: what the pages say is not the point.
ASK = """
import sys
import django
django.setup()
from django.test import Client
browser = Client(raise_request_exception=False, headers={"host": "localhost"})
for address in sys.argv[1:]:
    browser.get(address, headers={"Authorization": f"Bearer {address}"})
"""

pytestmark = pytest.mark.processes


def given() -> dict[str, str]:
    lines = (ROOT / "deploy" / "otel.env").read_text().splitlines()
    pairs = (line.partition("=") for line in lines if not line.startswith("#"))
    return {name: value for name, _, value in pairs}


def spans(*addresses: str) -> tuple[list[dict[str, Any]], str]:
    """What would be exported, and as text."""
    tool = Path(sys.executable).with_name("opentelemetry-instrument")
    environment = {**os.environ, **given(), "OTEL_TRACES_EXPORTER": "console"}
    done = subprocess.run(
        [str(tool), sys.executable, "-c", ASK, *addresses],
        cwd=ROOT,
        env={**environment, "PYTHONPATH": str(ROOT), "LOG_LEVEL": "CRITICAL"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=120,
    )
    decoder, text, every = json.JSONDecoder(), done.stdout.strip(), []
    while text:
        span, end = decoder.raw_decode(text)
        every.append(span)
        text = text[end:].lstrip()
    return every, done.stdout


def test_a_page_is_traced_and_an_address_with_a_key_is_not() -> None:
    with_key = [f"/{door}/{KEY}/?key={KEY}" for door in ("hooks", "sources", "data")]
    every, text = spans(
        "/admin/login/", "/healthz", f"/single-sign-on/callback/?code={KEY}", *with_key
    )
    traced = {each["attributes"].get("http.url") for each in every} - {None}
    assert traced == {"http://localhost/admin/login/"}
    assert KEY not in text
    assert all(each["events"] == [] for each in every)


def test_every_door_that_is_no_page_of_people_is_left_out() -> None:
    left_out = given()["OTEL_PYTHON_DJANGO_EXCLUDED_URLS"].split(",")
    doors = {f"/{each.pattern}" for each in urlpatterns} - {"/", "/admin/", "/api/"}
    assert doors | {"/hooks/"} <= set(left_out)
