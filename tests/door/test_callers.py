"""API keys of callers: wherever they come, and only those that may."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from cryptography.fernet import Fernet
from django.db import connection
from django.test.utils import CaptureQueriesContext

from feedback.access import recent as recents
from feedback.models import ApiKey, FeedbackType, KeyScope, KeyUse, Project
from macros.listeners import door
from macros.models import Listener
from tests import factories
from tests.door import signing
from tests.door.calling import call, path_of, refusals_of, signed, stored

pytestmark = pytest.mark.django_db
HERE = "127.0.0.1"


def basic(user: str, password: str) -> dict[str, str]:
    text = b64encode(f"{user}:{password}".encode()).decode()
    return {"headers": {"authorization": f"Basic {text}"}}  # type: ignore[dict-item]


WAYS: dict[str, Callable[[str], Any]] = {
    "bearer": lambda token: {"headers": {"authorization": f"Bearer {token}"}},
    "header": lambda token: {"headers": {"x-api-key": token}},
    "password": lambda token: basic("anybody", token),
    "user": lambda token: basic(token, ""),
    "query": lambda token: {"query": f"a=1&api_key={token}"},
}
each_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


@pytest.fixture
def listener(bugs: FeedbackType) -> Listener:
    listener = factories.listener(bugs)
    listener.checks.create(scheme="api_key")
    return listener


def key_of(bugs: FeedbackType, **values: Any) -> tuple[ApiKey, str]:
    return factories.api_key(
        bugs.project.community, **{"scope_listener": True, **values}
    )


@each_way
def test_a_key_with_the_scope_lets_in_and_is_not_stored(
    listener: Listener, bugs: FeedbackType, way: Callable[[str], Any]
) -> None:
    key, token = key_of(bugs)
    assert call(listener, **way(token)).status_code == 200
    [row] = stored(listener)
    assert row.checked_by == f"API key {key}"
    assert token not in f"{row.headers} {row.query}"
    assert b64encode(token.encode()).decode()[:20] not in str(row.headers)
    key.refresh_from_db()
    assert (key.use_count, key.last_used_address) == (1, HERE)


ODD = ["", "x", "ch_1_2", "é", "a" * 5_000, "\0", "ch_00000000_" + "0" * 64]


@each_way
@pytest.mark.parametrize("token", ODD, ids=range(len(ODD)))
def test_what_is_no_key_is_refused(
    listener: Listener, way: Callable[[str], Any], token: str
) -> None:
    response = call(listener, **way(token))
    assert (response.status_code, response.json()["code"]) == (401, "bad_key")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert refusals_of(listener) == [("bad_key", HERE, 1)]


def test_what_is_no_password_is_refused(listener: Listener) -> None:
    for value in ("Basic", "Basic é", "Basic =", "Basic gICA", "Digest x", "Bearer"):
        assert call(listener, headers={"authorization": value}).status_code == 401


@pytest.mark.parametrize(
    ("values", "status", "reason"),
    [
        ({"scope_listener": False}, 403, "bad_key"),
        ({"is_enabled": False}, 401, "bad_key"),
        ({"expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, 401, "bad_key"),
        ({"allowed_ips": "203.0.113.7"}, 403, "address_not_allowed"),
    ],
)
def test_a_key_that_may_not_is_told_why(
    listener: Listener,
    bugs: FeedbackType,
    values: dict[str, Any],
    status: int,
    reason: str,
) -> None:
    _, token = key_of(bugs, **values)
    response = call(listener, **WAYS["bearer"](token))
    assert (response.status_code, response.json()["code"]) == (status, reason)
    assert refusals_of(listener) == [(reason, HERE, 1)]


def test_a_key_of_another_community_or_project_is_not_meant(
    listener: Listener, bugs: FeedbackType
) -> None:
    community = bugs.project.community
    beside = Project.objects.create(community=community, name="Beside")
    _, foreign = key_of(factories.feedback_type())
    _, other = key_of(bugs, project=beside)
    _, own = key_of(bugs, project=bugs.project)
    statuses = [
        call(listener, **WAYS["bearer"](token)).status_code
        for token in (foreign, other, own)
    ]
    assert statuses == [401, 401, 200]


def test_a_check_may_name_the_one_key(listener: Listener, bugs: FeedbackType) -> None:
    key, token = key_of(bugs)
    _, other = key_of(bugs)
    listener.checks.update(api_key=key)
    assert call(listener, **WAYS["bearer"](other)).status_code == 401
    assert call(listener, **WAYS["bearer"](token)).status_code == 200


@pytest.mark.parametrize(
    "lost", [{"secret": None}, {"scheme": "hmac", "algorithm": "crc32"}, "keys"]
)
def test_a_check_that_can_not_be_made_is_passed_by_nobody(
    bugs: FeedbackType, settings: Any, lost: Any
) -> None:
    """An address list beside it lets nobody in who has not passed a check."""
    factories.secret(bugs, "key", signing.SECRET)
    listener = factories.listener(bugs, secret="key", allowed_ips=HERE)
    assert signed(listener).status_code == 200
    if lost == "keys":
        settings.SECRETS_KEYS = [Fernet.generate_key().decode()]
    else:
        listener.checks.update(**lost)
    door.entrances.clear()
    response = signed(listener)
    assert response.status_code == 401
    assert "secret can't be read" in response.json()["detail"]


def test_a_signature_or_a_key_is_enough(listener: Listener, bugs: FeedbackType) -> None:
    secret = factories.secret(bugs, "signing", signing.SECRET)
    listener.checks.create(scheme="standard_webhooks", secret=secret)
    _, token = key_of(bugs)
    assert signed(listener).status_code == 200
    assert call(listener, **WAYS["bearer"](token)).status_code == 200
    assert call(listener).json()["code"] == "bad_signature"
    assert call(listener, **WAYS["bearer"]("wrong")).json()["code"] == "bad_key"


def test_who_guesses_keys_is_turned_away(listener: Listener) -> None:
    statuses = [
        call(listener, **WAYS["bearer"](f"ch_{number}")).status_code
        for number in range(31)
    ]
    assert statuses == [401] * 30 + [429]
    assert int(call(listener, **WAYS["bearer"]("ch_1")).headers["Retry-After"]) > 0


def test_a_busy_key_costs_no_query_a_call_and_all_calls_are_counted(
    listener: Listener, bugs: FeedbackType
) -> None:
    key, token = key_of(bugs)
    path = path_of(listener)
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        call(path, **WAYS["bearer"](token))
        with CaptureQueriesContext(connection) as queries:
            for _ in range(5):
                assert call(path, **WAYS["header"](token)).status_code == 200
        assert {each["sql"][:6] for each in queries.captured_queries} == {"INSERT"}
        clock.shift(recents.KEPT)
        call(path, **WAYS["bearer"](token))
    key.refresh_from_db()
    assert key.use_count == 7
    assert sum(KeyUse.objects.values_list("count", flat=True)) == 7


def test_a_key_that_was_switched_off_opens_nothing_after_seconds(
    listener: Listener, bugs: FeedbackType
) -> None:
    key, token = key_of(bugs)
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        assert call(listener, **WAYS["bearer"](token)).status_code == 200
        ApiKey.objects.update(is_enabled=False)
        clock.shift(recents.KEPT + timedelta(milliseconds=1))
        assert call(listener, **WAYS["bearer"](token)).status_code == 401


def test_callers_that_are_remembered_are_bounded_and_counted(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recents, "MAX_CALLERS", 2)
    key, token = key_of(bugs)
    callers = recents.RecentCallers()
    for number in range(5):
        for _ in range(2):
            here = f"203.0.113.{number}"
            callers.authenticate(token, here, KeyScope.LISTENER)
    key.refresh_from_db()
    assert len(callers._callers) == 2
    assert key.use_count == 5 + 3, "those that were forgotten are counted"


def test_who_has_called_the_longest_ago_is_forgotten_first(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recents, "MAX_CALLERS", 2)
    _, token = key_of(bugs)
    callers = recents.RecentCallers()
    queries = []
    with time_machine.travel(datetime.now(UTC), tick=False):
        for number in (1, 2, 3, 3, 2, 1):
            with CaptureQueriesContext(connection) as seen:
                here = f"203.0.113.{number}"
                callers.authenticate(token, here, KeyScope.LISTENER)
            queries.append(len(seen) > 0)
    assert queries == [True, True, True, False, False, True]


def test_nothing_of_the_door_is_left_from_another_test() -> None:
    assert not door.entrances._known
