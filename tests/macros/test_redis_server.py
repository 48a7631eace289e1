"""REDIS_URL: what it may say, and that what can't be read is a sentence."""

from __future__ import annotations

import ast
from pathlib import Path
from traceback import format_exception
from typing import Any

import pytest
from django.core.checks import run_checks
from redis.exceptions import RedisError

from macros import redis_server
from macros.redis_server import UnreadableUrl, connect, watched_in

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("url", "hosts", "server"),
    [
        ("redis+sentinel://a/one", [("a", 26379)], {"db": 0}),
        ("redis+sentinel://a:1,b,[::1]:3/one/2", [("a", 1), ("b", 26379), ("::1", 3)],
         {"db": 2}),
        ("rediss+sentinel://a:1/one/?ssl_cert_reqs=none", [("a", 1)],
         {"db": 0, "ssl": True, "ssl_cert_reqs": "none"}),
        ("redis+sentinel://u:p%40ss@a:1/one?socket_timeout=2", [("a", 1)],
         {"db": 0, "username": "u", "password": "p@ss", "socket_timeout": 2.0}),
    ],
)  # fmt: skip
def test_what_sentinels_are_asked_for(
    url: str, hosts: list[tuple[str, int]], server: dict[str, Any]
) -> None:
    watched = watched_in(url)
    assert watched is not None
    assert (watched.name, watched.hosts, watched.server) == ("one", hosts, server)
    assert connect(url).connection_pool.service_name == "one"  # type: ignore[attr-defined]


def test_sentinels_have_a_password_and_certificates_of_their_own() -> None:
    url = "rediss+sentinel://:one@a/x?sentinel_password=two&ssl_ca_certs=/ca.pem"
    watched = watched_in(url)
    assert watched is not None and watched.server["password"] == "one"
    kept = {"ssl": True, "ssl_ca_certs": "/ca.pem", "password": "two"}
    assert kept.items() <= watched.sentinel.items()
    assert "sentinel_password" not in watched.server
    assert "socket_timeout" in watched.sentinel, "one that hangs is passed over"


@pytest.mark.parametrize("url", ["redis://a:1/0", "unix:///a", "rediss://a"])
def test_a_server_itself_has_no_sentinels(url: str) -> None:
    assert watched_in(url) is None
    assert connect(url).connection_pool


@pytest.mark.parametrize(
    "url",
    [
        "",
        "queue.example.com:6379",
        "redis://s3cret:s3cret@a:port/0",
        "redis://:s3cret@a/0?colour=red",
        "redis+sentinel://:s3cret@a:1",
        "redis+sentinel://:s3cret@a:1/",
        "redis+sentinel://:s3cret@a:1,,b/one",
        "redis+sentinel://:s3cret@a:99999/one",
        "redis+sentinel://:s3cret@a/one/two",
        "redis+sentinel://:s3cret@a/one?socket_timeout=s3cret",
        "redis+sentinel://:s3cret@a/one?colour=red",
        "redis+sentinel:///one/0",
        "redis+sentinel://:s3cret#x@a:1/one/0",
        "redis://:s3cret#x@a:1/0",
        "redis://:s3cret/x@a:1/0",
    ],
)
def test_what_can_not_be_read_is_a_sentence_without_the_password(
    settings: Any, url: str
) -> None:
    with pytest.raises(UnreadableUrl) as caught:
        connect(url)
    assert isinstance(caught.value, RedisError), "as good as away"
    assert "s3cret" not in "".join(format_exception(caught.value))
    settings.REDIS_URL = url
    messages = run_checks(tags=["security"])
    [error] = [each for each in messages if each.id == "centerhook.E105"]
    assert error.msg.startswith("REDIS_URL ") and "s3cret" not in error.msg
    assert "NAME" in error.msg or "socket_timeout" in error.msg
    assert error.is_serious() and error.hint


def test_nothing_else_of_ours_makes_a_connection() -> None:
    """So that sentinels are asked by whatever asks Redis."""
    makers = {"Redis", "StrictRedis", "Sentinel", "from_url", "get_connection"}
    makes = set()
    for app in ("centerhook", "feedback", "logs", "macros"):
        for path in (ROOT / app).rglob("*.py"):
            text = path.read_text()
            if "redis" not in text.lower():
                continue
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Call):
                    function = node.func
                    name = getattr(function, "attr", getattr(function, "id", ""))
                    if name in makers:
                        makes.add(path.relative_to(ROOT).as_posix())
    assert makes == {"macros/redis_server.py"}
    assert redis_server.connect
