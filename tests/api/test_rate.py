"""How many requests a caller may send, and what the headers say about it."""

from __future__ import annotations

import pytest
import time_machine
from pytest_django import Settings

from feedback.access.roles import Role
from feedback.models import FeedbackType
from macros import queue
from tests import factories
from tests.api.callers import issue_key, person, problem, program

URL = "/api/v1/feedback/"


@pytest.fixture(autouse=True)
def two_a_minute(settings: Settings, db: None) -> None:
    settings.API_PER_MINUTE = 2
    queue.redis().flushdb()


def test_each_caller_has_its_own_minute(bugs: FeedbackType) -> None:
    key, other = program(issue_key(bugs)), program(issue_key(bugs, "Other"))
    with time_machine.travel("2026-11-26T12:00:10Z", tick=False):
        first = key.get(URL)
        assert first["RateLimit-Policy"] == '"caller";q=2;w=60'
        assert first["RateLimit"] == '"caller";r=1;t=50'
        assert first["RateLimit-Limit"] == "2" and first["RateLimit-Reset"] == "50"
        assert key.get(URL)["RateLimit-Remaining"] == "0"
        refused = key.get(URL)
        problem(refused, 429, "rate_limited")
        assert refused["Retry-After"] == "50" and "RateLimit" in refused
        assert other.get(URL).status_code == 200
        sam = person(factories.member(bugs, Role.SUPPORT, "sam"))
        assert sam.get(URL).status_code == 200
    with time_machine.travel("2026-11-26T12:01:00Z", tick=False):
        assert key.get(URL).status_code == 200


def test_a_change_that_is_refused_is_not_made(bugs: FeedbackType) -> None:
    key = program(issue_key(bugs, scope_secrets=True))
    secret = {"name": "Slack", "value": "xoxb-0123456789"}
    with time_machine.travel("2026-11-26T12:00:10Z", tick=False):
        assert key.post("/api/v1/secrets/", secret).status_code == 201
        key.get(URL)
        late = key.post("/api/v1/secrets/", {**secret, "name": "Jira"})
        problem(late, 429, "rate_limited")


def test_without_redis_nobody_is_refused(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    from redis import Redis

    nowhere = Redis(port=1, socket_connect_timeout=0.1)
    monkeypatch.setattr(queue, "_hasty", lambda: nowhere)
    monkeypatch.setattr(queue, "_left_alone_until", 0.0)
    key = program(issue_key(bugs))
    for _ in range(3):
        response = key.get(URL)
        assert response.status_code == 200 and "RateLimit" not in response


def test_no_limit_asks_nobody(bugs: FeedbackType, settings: Settings) -> None:
    settings.API_PER_MINUTE = 0
    assert "RateLimit" not in program(issue_key(bugs)).get(URL)
