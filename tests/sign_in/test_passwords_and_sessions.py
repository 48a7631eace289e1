"""How good a password has to be, and how long a sign-in lasts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from centerhook.checks.limits import check_sign_in_limits

from .conftest import PASSWORD

if TYPE_CHECKING:
    from pytest_django import Settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("new", "why"),
    [
        ("kJ8#x2.qZ", "at least 10 characters"),
        ("password123", "too common"),
        ("8649173520", "entirely numeric"),
        ("nora@example.com", "too similar to the"),
    ],
)
def test_a_weak_password_is_refused_with_the_reason(
    nora: User, client: Client, new: str, why: str
) -> None:
    client.force_login(nora)
    fields = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    page = client.post("/admin/password_change/", fields)
    assert why in page.content.decode()
    nora.refresh_from_db()
    assert nora.check_password(PASSWORD)


def test_a_password_is_changed_and_other_sessions_end(nora: User) -> None:
    here, elsewhere = Client(), Client()
    for client in (here, elsewhere):
        client.force_login(nora)
    new = "four plain words here"
    fields = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    page = here.post("/admin/password_change/", fields, follow=True)
    assert "Your password was changed." in page.content.decode()
    assert here.get("/admin/").status_code == 200
    assert elsewhere.get("/admin/").status_code == 302


def settings_with(**variables: str) -> dict[str, Any]:
    """The settings of a process of its own, as these variables make them."""
    names = ("COOKIE_AGE", "EXPIRE_AT_BROWSER_CLOSE", "SAVE_EVERY_REQUEST")
    program = (
        "import json; from centerhook import settings;"
        f"print(json.dumps([getattr(settings, 'SESSION_' + n) for n in {names}]))"
    )
    output = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        check=True,
    ).stdout
    return dict(zip(names, json.loads(output), strict=True))


def test_a_sign_in_lasts_two_weeks_or_as_long_as_is_set() -> None:
    assert settings_with() == {
        "COOKIE_AGE": 14 * 24 * 3600,
        "EXPIRE_AT_BROWSER_CLOSE": False,
        "SAVE_EVERY_REQUEST": False,
    }
    assert settings_with(SESSION_HOURS="8")["COOKIE_AGE"] == 8 * 3600


def test_a_short_session_ends_with_the_browser_and_after_half_an_hour_of_rest() -> None:
    short = {
        "COOKIE_AGE": 1800,
        "EXPIRE_AT_BROWSER_CLOSE": True,
        "SAVE_EVERY_REQUEST": True,
    }
    assert settings_with(SHORT_SESSIONS="on") == short
    longer = settings_with(SHORT_SESSIONS="on", SESSION_HOURS="2")
    assert longer == {**short, "COOKIE_AGE": 7200}


def test_limits_that_lock_everybody_out_are_an_error(settings: Settings) -> None:
    assert check_sign_in_limits() == []
    settings.SIGN_IN_TRIES = 0
    settings.SESSION_COOKIE_AGE = 0
    names = [error.msg.split()[0] for error in check_sign_in_limits()]
    assert names == ["SIGN_IN_TRIES", "SESSION_HOURS"]
