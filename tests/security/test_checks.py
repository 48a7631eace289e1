"""Each unsafe combination of settings is named once, and only where it is one."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as configured
from django.core.checks import run_checks

PUBLIC = {
    "ALLOWED_HOSTS": ["feedback.example.com"],
    "BASE_URL": "https://feedback.example.com",
    "DEBUG": False,
    "LOCAL_KEYS": [],
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    "REDIS_URL": "redis://localhost:6379/0",
    "SECURE_SSL_REDIRECT": True,
    "PROXY_COUNT": 1,
}
OWN = {
    **PUBLIC,
    "ALLOWED_HOSTS": ["localhost", "127.0.0.1", "[::1]"],
    "BASE_URL": "http://localhost:8000",
    "LOCAL_KEYS": ["SECRET_KEY", "SECRETS_KEYS"],
    "EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend",
    "SECURE_SSL_REDIRECT": False,
    "PROXY_COUNT": 0,
}
SQLITE = "django.db.backends.sqlite3"
POSTGRES = "django.db.backends.postgresql"


def messages_of(settings: Any, base: dict[str, Any], **changes: Any) -> dict[str, Any]:
    for name, value in (base | changes).items():
        setattr(settings, name, value)
    messages = run_checks(tags=["security"], include_deployment_checks=True)
    ours = [each for each in messages if str(each.id).startswith("centerhook.")]
    assert len({each.id for each in ours}) == len(ours)
    return {str(each.id).removeprefix("centerhook."): each for each in ours}


def test_a_good_public_server_is_left_alone(settings: Any) -> None:
    assert messages_of(settings, PUBLIC) == {}


@pytest.mark.parametrize("debug", [True, False])
def test_the_embedded_default_is_left_alone(settings: Any, debug: bool) -> None:
    assert messages_of(settings, OWN, DEBUG=debug) == {}


@pytest.mark.parametrize(
    ("id", "changes", "word"),
    [
        ("E301", {"DEBUG": True}, "feedback.example.com"),
        ("E301", {"DEBUG": True, "ALLOWED_HOSTS": ["192.168.1.5"]}, "192.168.1.5"),
        ("W302", {"LOCAL_KEYS": ["SECRET_KEY"]}, "SECRET_KEY is not set"),
        ("W303", {"LOCAL_KEYS": ["SECRETS_KEYS"]}, "SECRETS_KEYS is not set"),
        ("W304", {"ALLOWED_HOSTS": ["*"]}, "ALLOWED_HOSTS holds *"),
        ("W305", {"REDIS_URL": "redis://queue.example.com/0"}, "queue.example.com"),
        ("E306", {"BASE_URL": "feedback.example.com"}, "'feedback.example.com'"),
        ("E306", {"BASE_URL": "ftp://feedback.example.com"}, "no browser can open"),
        ("W307", {"BASE_URL": "http://feedback.example.com"}, "without TLS"),
        ("W307", {"BASE_URL": "http://localhost:8000"}, "without TLS"),
        ("W308", {"BASE_URL": "https://other.example.com"}, "other.example.com"),
        ("W309", {"EMAIL_BACKEND": OWN["EMAIL_BACKEND"]}, "EMAIL_URL is not set"),
        ("W310", {"PROXY_COUNT": 0}, "redirects to itself"),
    ],
)
def test_an_unsafe_setting_is_named(
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    id: str,
    changes: dict[str, Any],
    word: str,
) -> None:
    monkeypatch.setitem(configured.DATABASES["default"], "ENGINE", SQLITE)
    message = messages_of(settings, PUBLIC, **changes)[id]
    assert word in message.msg
    assert message.hint
    assert message.is_serious() is (id[0] == "E")


@pytest.mark.parametrize(
    "url",
    ["unix:///run/valkey.sock", "redis://127.0.0.1:6379/0", "redis://[::1]/0"],
)
def test_a_queue_on_this_machine_suits_sqlite(
    settings: Any, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setitem(configured.DATABASES["default"], "ENGINE", SQLITE)
    assert messages_of(settings, PUBLIC, REDIS_URL=url) == {}


def test_a_queue_elsewhere_suits_postgres(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(configured.DATABASES["default"], "ENGINE", POSTGRES)
    assert messages_of(settings, PUBLIC, REDIS_URL="redis://queue.example.com/0") == {}


def test_an_address_without_a_name_is_no_foreign_host(settings: Any) -> None:
    assert messages_of(settings, OWN, BASE_URL="http://[::1]:8000") == {}
