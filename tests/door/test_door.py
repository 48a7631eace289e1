"""A call is refused with a sentence and counted, or stored as it came."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.checks import run_checks
from django.db import OperationalError, connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from gunicorn.http.errors import InvalidChunkSize

from feedback.models import FeedbackType
from logs.redaction import MASK
from macros.listeners import door, intake
from macros.listeners import rate as rates
from macros.listeners.addresses import listener_url
from macros.listeners.refusals import CallRefused
from macros.models import InboundCall, InboundRefusal, Listener
from macros.models import inbound as limits
from tests import factories
from tests.door import signing
from tests.door.calling import BODY, call, path_of, raw, refusals_of, signed, stored

pytestmark = pytest.mark.django_db
HERE = "127.0.0.1"
NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


@pytest.fixture
def listener(bugs: FeedbackType) -> Listener:
    factories.secret(bugs, "signing", signing.SECRET)
    return factories.listener(bugs, secret="signing")


def problem(response: Any) -> tuple[int, str]:
    assert response.headers["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == response.status_code
    assert body["detail"].endswith(".")
    return response.status_code, body["code"]


def test_a_right_call_is_stored_as_it_came(listener: Listener) -> None:
    before = datetime.now(UTC)
    response = signed(
        listener, query="page=2", content_type="application/json; charset=utf-8"
    )
    assert (response.status_code, response.content) == (200, b'{"received": true}')
    [row] = stored(listener)
    assert bytes(row.body) == BODY
    assert (row.method, row.query, row.address) == ("POST", "page=2", HERE)
    assert row.content_type == "application/json; charset=utf-8"
    assert row.headers["webhook-id"] == "msg_1"
    assert (row.state, row.checked_by) == ("waiting", "Standard Webhooks")
    assert before <= row.received_at <= datetime.now(UTC)


def test_the_address_that_people_copy_leads_to_the_door(listener: Listener) -> None:
    path = listener_url(listener).removeprefix("http://localhost:8000")
    assert path == path_of(listener)
    for same in (path, path.removesuffix("/")):
        assert Client().post(same).status_code == 401
    for other in ("/hooks/", "/hooks//", f"{path}more/", f"/hooks/x{path}", "/hooks/é"):
        assert problem(Client().post(other)) == (404, "unknown_key")


def test_a_call_is_one_insert_and_nothing_else(listener: Listener) -> None:
    path = path_of(listener)
    signed(path)
    with CaptureQueriesContext(connection) as queries:
        assert signed(path).status_code == 200
    [query] = queries.captured_queries
    assert query["sql"].startswith('INSERT INTO "macros_inboundcall"')


@pytest.mark.parametrize("is_right", [True, False])
def test_no_browser_does_anything_with_a_response(
    listener: Listener, is_right: bool
) -> None:
    response = signed(listener) if is_right else call(listener)
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert not response.cookies


def test_an_unknown_key_is_asked_for_once_and_pushes_out_no_listener(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("macros.listeners.entrances.MAX_KNOWN", 3)
    path = path_of(listener)
    signed(path)
    for number in range(9):
        assert problem(Client().post(f"/hooks/guess{number}/")) == (404, "unknown_key")
    with CaptureQueriesContext(connection) as queries:
        Client().post("/hooks/guess8/")
        assert call(path).status_code == 401
    asked = [each["sql"] for each in queries.captured_queries]
    assert not [sql for sql in asked if "macros_listenerkey" in sql]
    assert len(door.entrances._missing) == 3
    assert not InboundRefusal.objects.exclude(listener=listener).exists()


def test_a_key_before_is_taken_until_its_end_and_then_gone(listener: Listener) -> None:
    old = path_of(listener)
    with time_machine.travel(NOON, tick=False) as clock:
        listener.renew_key(NOON + timedelta(hours=1))
        assert path_of(listener) != old
        assert Client().post(old).status_code == 401
        assert call(listener).status_code == 401
        # What is cached has no say in it.
        clock.shift(timedelta(hours=1) - timedelta(seconds=1))
        assert Client().post(old).status_code == 401
        clock.shift(timedelta(seconds=1))
        assert problem(Client().post(old)) == (410, "old_address")
        assert call(listener).status_code == 401
    assert ("old_address", HERE, 1) in refusals_of(listener)


def test_a_change_of_the_listener_counts_after_seconds(listener: Listener) -> None:
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        assert signed(listener).status_code == 200
        listener.method = "PUT"
        listener.save()
        assert signed(listener).status_code == 200
        clock.shift(timedelta(seconds=2))
        assert problem(signed(listener)) == (405, "method")
        assert signed(listener, method="PUT").status_code == 200


def test_a_listener_that_is_off_stores_what_comes(listener: Listener) -> None:
    Listener.objects.update(is_active=False)
    assert signed(listener).status_code == 200
    assert len(stored(listener)) == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
def test_another_method_is_refused(listener: Listener, method: str) -> None:
    response = call(listener, method=method)
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")
    assert refusals_of(listener) == [("method", HERE, 1)]


@pytest.mark.parametrize("declared", ["20000001", "9" * 18])
def test_what_is_declared_too_large_is_not_read(
    listener: Listener, declared: str
) -> None:
    response = raw(listener, b"", CONTENT_LENGTH=declared)
    assert response.status_code == 413
    assert b"INBOUND_MAX_BYTES" in response.content
    assert refusals_of(listener) == [("too_large", HERE, 1)]


def test_what_comes_in_chunks_is_read_to_the_limit(
    listener: Listener, settings: Any
) -> None:
    settings.INBOUND_MAX_BYTES = 100_000
    chunks = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
    for body, status in ((b"x" * 100_000, 200), (b"x" * 100_001, 413)):
        headers = signing.standard(body, signing.SECRET, int(time.time()))
        meta = {f"HTTP_{k.upper().replace('-', '_')}": v for k, v in headers.items()}
        assert raw(listener, body, **chunks, **meta).status_code == status
    assert [len(row.body) for row in stored(listener)] == [100_000]


@pytest.mark.parametrize("declared", ["29", "-1", "1e3", "٣", " 5", "9" * 50])
def test_a_body_that_stops_half_way_is_not_stored(
    listener: Listener, declared: str
) -> None:
    response = raw(listener, BODY, CONTENT_LENGTH=declared)
    assert response.status_code == 400
    assert stored(listener) == []


@pytest.mark.parametrize("error", [ConnectionResetError(), InvalidChunkSize(b"zz")])
def test_a_connection_that_breaks_is_a_body_that_stops(
    listener: Listener, error: Exception
) -> None:
    class Broken:
        def read(self, size: int) -> bytes:
            raise error

        readline = read

    for meta in ({}, {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}):
        broken = {"CONTENT_LENGTH": "9", **meta, "wsgi.input": Broken()}
        assert raw(listener, b"", **broken).status_code == 400


def test_only_the_addresses_of_the_list_may_call(listener: Listener) -> None:
    Listener.objects.update(allowed_ips="203.0.113.0/24\n2001:db8::1")
    for address in ("203.0.113.9", "2001:db8::1", "::ffff:203.0.113.9"):
        assert signed(listener, REMOTE_ADDR=address).status_code == 200
    for address in ("203.0.114.1", "2001:db8::2", ""):
        assert problem(signed(listener, REMOTE_ADDR=address)) == (
            403,
            "address_not_allowed",
        )


def test_the_address_is_what_trusted_proxies_say(
    listener: Listener, settings: Any
) -> None:
    Listener.objects.update(allowed_ips="203.0.113.9")
    forwarded = {"x-forwarded-for": "198.51.100.1, 203.0.113.9"}
    assert signed(listener, headers=forwarded).status_code == 403
    settings.PROXY_COUNT = 1
    assert signed(listener, headers=forwarded).status_code == 200
    assert stored(listener)[0].address == "203.0.113.9"


def test_too_many_calls_of_one_caller_hold_up_nobody_else(
    listener: Listener, bugs: FeedbackType, settings: Any
) -> None:
    settings.INBOUND_PER_SECOND = 2
    other = factories.listener(bugs, secret="signing")
    with time_machine.travel(NOON, tick=False) as clock:
        burst = 2 * rates.BURST_SECONDS
        assert {call(listener).status_code for _ in range(burst)} == {401}
        response = call(listener)
        assert problem(response) == (429, "too_many")
        assert response.headers["Retry-After"] == "1"
        assert call(listener, REMOTE_ADDR="203.0.113.9").status_code == 401
        assert call(other).status_code == 401
        clock.shift(timedelta(seconds=0.5))
        assert [call(listener).status_code for _ in range(2)] == [401, 429]
    assert ("too_many", HERE, 2) in refusals_of(listener)


@pytest.mark.parametrize("name", ["MAX_BYTES", "PER_SECOND"])
def test_a_limit_of_nothing_is_a_fault_of_the_settings(
    listener: Listener, settings: Any, name: str
) -> None:
    setattr(settings, f"INBOUND_{name}", 0)
    [error] = [each for each in run_checks() if each.id == "centerhook.E104"]
    assert f"INBOUND_{name}" in error.msg
    assert call(listener).status_code in (401, 413)


def test_callers_that_are_remembered_are_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rates, "MAX_CALLERS", 3)
    for number in range(9):
        assert door.rate.wait((1, str(number)), NOON) == 0
    assert len(door.rate._left) == 3


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "bad_signature"),
        (signing.standard(BODY, signing.OTHER, int(NOON.timestamp())), "bad_signature"),
        (signing.standard(BODY, signing.SECRET, 1), "stale"),
        ({"webhook-id": "ü\x00", "webhook-signature": "\xff"}, "bad_signature"),
    ],
)
def test_who_did_not_sign_is_refused_and_counted(
    listener: Listener, headers: dict[str, str], code: str
) -> None:
    assert problem(call(listener, headers=headers)) == (401, code)
    assert refusals_of(listener) == [(code, HERE, 1)]
    assert stored(listener) == []


def test_either_of_two_secrets_is_right_while_they_are_changed(
    listener: Listener, bugs: FeedbackType
) -> None:
    new = factories.secret(bugs, "new", signing.OTHER)
    listener.checks.create(scheme="standard_webhooks", secret=new)
    for secret in (signing.SECRET, signing.OTHER):
        headers = signing.standard(BODY, secret, int(time.time()))
        assert call(listener, headers=headers).status_code == 200


def test_a_secret_that_nobody_can_decrypt_lets_nobody_in(
    listener: Listener, bugs: FeedbackType
) -> None:
    secret = listener.checks.get().secret
    assert secret is not None
    secret.encrypted_value = "spoilt"
    secret.save()
    Listener.objects.update(allowed_ips=HERE)
    assert problem(signed(listener)) == (401, "bad_signature")


def test_without_any_check_only_a_list_of_addresses_lets_in(bugs: FeedbackType) -> None:
    listener = factories.listener(bugs)
    assert problem(call(listener)) == (401, "bad_key")
    Listener.objects.update(allowed_ips=HERE)
    door.entrances.clear()
    assert call(listener).status_code == 200
    assert stored(listener)[0].checked_by == "Allowed address"


def test_refusals_are_counted_by_hour_and_neighbourhood_and_bounded(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_REFUSED", 3)
    with time_machine.travel(NOON, tick=False) as clock:
        for number in range(6):
            call(listener, REMOTE_ADDR=f"2001:db8:0:{number}::1")
            call(listener, REMOTE_ADDR=f"2001:db8:0:{number}::2")
        clock.shift(timedelta(hours=1))
        call(listener, REMOTE_ADDR="2001:db8::1")
    networks = [f"2001:db8:0:{number}::/64" for number in range(1, 3)]
    first = ["2001:db8::/64", *networks, "others"]
    counts = [("bad_signature", each, 2) for each in first[:3]]
    assert refusals_of(listener) == [
        *counts,
        ("bad_signature", "others", 6),
        ("bad_signature", "2001:db8::/64", 1),
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", "Bearer abcdef-123456"),
        ("Cookie", "session=abcdef-123456"),
        ("X-Gitlab-Token", "abcdef-123456"),
        ("X-Hub-Signature-256", "abcdef-123456"),
        ("X-Api-Key", "abcdef-123456"),
        ("X-Anything", f"has {signing.SECRET} in it"),
    ],
)
def test_credentials_are_not_stored(listener: Listener, name: str, value: str) -> None:
    signed(listener, headers={name: value})
    [row] = stored(listener)
    assert MASK in row.headers[name.lower()]
    assert "abcdef-123456" not in str(row.headers)
    assert signing.SECRET not in str(row.headers)
    assert MASK in row.headers["webhook-signature"]


def test_nothing_of_a_key_in_the_query_is_stored(listener: Listener) -> None:
    secret = signing.SECRET.replace("_", "%5F")
    query = f"api_key=abc&a=1&X-Token=t%20t&plain={secret}&token&=&b=%zz"
    assert signed(listener, query=query).status_code == 200
    [row] = stored(listener)
    assert row.query == f"api_key={MASK}&a=1&X-Token={MASK}&{MASK}&token&=&b=%zz"


def test_headers_are_bounded_in_number_and_length(listener: Listener) -> None:
    many = {f"x-{number}": "y" * 5_000 for number in range(300)}
    odd = {"x-nul": "a\0b", "x-latin": "\xe9", "x-half": "\xed\xa0\x80"}
    assert signed(listener, headers={**odd, **many}).status_code == 200
    [row] = stored(listener)
    assert len(row.headers) == 100
    assert max(len(value) for value in row.headers.values()) == 2_000


def test_refusals_hold_no_memory_of_those_before(listener: Listener) -> None:
    def frames() -> int:
        with pytest.raises(CallRefused) as refused:
            intake.check_length(RequestFactory().post("/", CONTENT_LENGTH="x"))
        return len(refused.traceback)

    assert [frames() for _ in range(3)] == [frames()] * 3


def test_no_log_names_the_key(
    listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    call(listener, query="api_key=abcdef-123456")
    call(listener, method="PUT")
    Client().post("/hooks/a-guess/")
    assert f"listener {listener.pk}: 401 bad_signature" in caplog.text
    for secret in (listener.key, "abcdef", "a-guess"):
        assert secret not in caplog.text


def test_any_bytes_at_all_are_stored(listener: Listener) -> None:
    for body in (b"", b"\0\xff\xfe", b"[" * 200_000, b'{"a": NaN}', b"\xef\xbb\xbf{}"):
        assert signed(listener, body).status_code == 200
        assert bytes(stored(listener)[-1].body) == body


def test_only_what_could_not_be_stored_is_to_come_again(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = path_of(listener)
    signed(path)

    def fail(execute: Any, sql: str, *rest: Any) -> Any:
        raise OperationalError("the database is away")

    with connection.execute_wrapper(fail):
        response = signed(path)
        assert problem(response) == (503, "unavailable")
        assert response.headers["Retry-After"] == "5"
        assert problem(call(path)) == (401, "bad_signature")
        door.entrances.clear()
        assert problem(signed(path)) == (503, "unavailable")


@pytest.mark.parametrize("owner", ["", "feedback_type", "project", "community"])
def test_a_listener_that_is_being_deleted_takes_nothing_more(
    listener: Listener, owner: str
) -> None:
    row = getattr(listener, owner) if owner else listener
    type(row)._base_manager.filter(pk=row.pk).update(deleting_since=NOON)
    assert problem(signed(listener)) == (404, "unknown_key")


def test_a_listener_that_was_deleted_a_moment_ago_is_unknown(
    listener: Listener, transactional_db: None
) -> None:
    path, headers = path_of(listener), signing.standard(BODY, signing.SECRET, 0)
    headers = signing.standard(BODY, signing.SECRET, int(time.time()))
    send = {"content_type": "application/json", "headers": headers}
    assert Client().post(path, BODY, **send).status_code == 200
    Listener.objects.all().delete()
    assert problem(Client().post(path, BODY, **send)) == (404, "unknown_key")
    assert not InboundCall.objects.exists()
