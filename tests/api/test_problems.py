"""Whatever is wrong with a request, the response is problem details that say it."""

from __future__ import annotations

import bz2
import json
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from feedback.models import FeedbackType
from logs.models import Run
from tests import factories
from tests.api.callers import problem


@pytest.fixture
def runs(bugs: FeedbackType) -> str:
    factories.ticket(bugs)
    macro = factories.macro(bugs, "https://example.com/")
    return f"/api/v1/macros/{macro.pk}/runs/"


def send(
    caller: APIClient, url: str, body: bytes, kind: str = "application/json"
) -> Any:
    return caller.post(url, body, content_type=kind)


@pytest.mark.parametrize(
    "address",
    [
        "v1/feedback",
        "v1/nothing/",
        "v2/feedback/",
        "",
        "v1/feedback/abc/",
        "v1/feedback/-1/",
        "v1/feedback/\u0661/",
        "v1/feedback/1.json",
        "v1/feedback/" + "9" * 5000 + "/",
        "v1/feedback/1%00/",
        "v1/feedback/1%0A/",
        "v1/feedback/../../admin/",
    ],
)
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_an_address_with_nothing_at_it(
    caller: APIClient, address: str, method: str
) -> None:
    response = getattr(caller, method)(f"/api/{address}")
    problem(response, 404, "not_found")


def test_without_csrf_token_or_login_too() -> None:
    client = Client(enforce_csrf_checks=True)
    problem(client.post("/api/v1/nothing/", {"a": "b"}), 404, "not_found")


@pytest.mark.parametrize("room", ["feedback", "macros", "runs", "deliveries"])
def test_a_number_that_nothing_has(caller: APIClient, room: str) -> None:
    for number in ("0", "999999", "9" * 18, "007"):
        details = problem(caller.get(f"/api/v1/{room}/{number}/"), 404, "not_found")
        assert f"{int(number)}" in details["detail"]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_what_can_only_be_read(caller: APIClient, method: str) -> None:
    for address in ("deliveries/", "attempts/?x=1", "runs/1/", "runs/1/?x=1"):
        response = getattr(caller, method)(f"/api/v1/{address}")
        problem(response, 405, "method_not_allowed")
        assert response["Allow"] == "GET, HEAD, OPTIONS"


def test_a_response_in_another_format(caller: APIClient) -> None:
    response = caller.get("/api/v1/feedback/", headers={"Accept": "text/html"})
    problem(response, 406, "not_acceptable")


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "application/xml"],
)
def test_a_body_of_another_kind(caller: APIClient, runs: str, kind: str) -> None:
    problem(send(caller, runs, b"ids=1", kind), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"ids": [1,]}',
        b"{'ids': [1]}",
        b"\xff\xfe",
        b'{"ids": [NaN]}',
        b'{"filter": ' + b"[" * 100_000,
        b'{"ids": [' + b"9" * 10_000 + b"]}",
    ],
    ids=lambda body: str(body[:16]),
)
def test_a_body_that_is_no_json(caller: APIClient, runs: str, body: bytes) -> None:
    problem(send(caller, runs, body), 400, "parse_error")
    assert not Run.objects.exists()


@pytest.mark.parametrize("charset", ["utf-7", "bz2", "nonsense", "utf-16"])
def test_a_body_is_utf_8_whatever_its_header_says(
    caller: APIClient, runs: str, charset: str
) -> None:
    kind = f"application/json; charset={charset}"
    body = '{"filter": {"search": "Grün"}}'
    assert send(caller, runs, body.encode(), kind).json()["code"] == "run_refused"
    for other in (body.encode("utf-16"), bz2.compress(b"{}")):
        problem(send(caller, runs, other, kind), 400, "parse_error")


def test_a_body_of_10_mb_is_refused_unread(caller: APIClient, runs: str) -> None:
    body = json.dumps({"ids": [1], "padding": "x" * 10_000_000}).encode()
    problem(send(caller, runs, body), 413, "too_large")
    assert not Run.objects.exists()


@pytest.mark.parametrize("body", [b"[]", b"1", b'"ids"', b"null", b"true"])
def test_a_body_that_is_no_object(caller: APIClient, runs: str, body: bytes) -> None:
    details = problem(send(caller, runs, body), 400, "invalid")
    assert details["errors"] == [{"pointer": "#", "detail": "Send a JSON object."}]


@pytest.mark.parametrize("text", ["\\u0000", "\\ud800", "a\\udfffb"])
def test_a_character_that_nobody_can_keep(
    caller: APIClient, runs: str, text: str
) -> None:
    for body, pointer in [
        (f'{{"filter": {{"search": "{text}"}}}}', "#/filter/search"),
        (f'{{"filter": {{"status": ["New", "{text}"]}}}}', "#/filter/status/1"),
        (f'{{"filter": {{"{text}": "x"}}}}', "#/filter"),
    ]:
        details = problem(send(caller, runs, body.encode()), 400, "invalid")
        assert [each["pointer"] for each in details["errors"]] == [pointer]


def test_a_fault_of_ours_is_told_without_its_inside(
    caller: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError("the inside")

    monkeypatch.setattr("feedback.api.views.FeedbackViewSet.get_queryset", fail)
    caller.raise_request_exception = False
    response = caller.get("/api/v1/feedback/")
    problem(response, 500, "server_error")
    assert "inside" not in response.content.decode()


def test_a_host_that_is_not_ours(caller: APIClient) -> None:
    response = caller.get("/api/v1/feedback/", headers={"Host": "evil.example"})
    problem(response, 400, "invalid")
    assert "evil" not in response.content.decode()
