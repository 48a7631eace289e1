"""`Prefer: respond-async`: taken where work goes on, and passed over elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.urls import resolve
from rest_framework.request import Request
from rest_framework.test import APIClient, APIRequestFactory

from centerhook.api import openapi_spec
from feedback.models import DeletedInSteps, FeedbackType
from feedback.rest.preferences import wants_async
from logs.models import DeliveryState
from tests import factories
from tests.api.callers import issue_key, program
from tests.api.test_runs import end

ASYNC = {"prefer": "respond-async"}


@pytest.fixture
def keeper(bugs: FeedbackType) -> APIClient:
    """A program that may do everything."""
    return program(issue_key(bugs, scope_manage=True, scope_write=True, scope_run=True))


@pytest.mark.parametrize(
    ("given", "is_wanted"),
    [
        ("respond-async", True),
        ("Respond-Async", True),
        ("wait=5, respond-async", True),
        ("respond-async; priority=low, return=minimal", True),
        ('foo="a, b", respond-async', True),
        (r'foo="\"", respond-async', True),
        ("", False),
        ("return=representation", False),
        ("respond-asynchronously", False),
        ("wait=5; respond-async", False),
        ('foo="a, respond-async"', False),
        (r'foo="a\", respond-async', False),
        ('foo="a, respond-async, b', False),
        ('"' * 8_000, False),
        ('"\\' * 8_000, False),
    ],
)
def test_what_counts_as_the_preference(given: str, is_wanted: bool) -> None:
    request = Request(APIRequestFactory().post("/", HTTP_PREFER=given))
    assert wants_async(request) is is_wanted


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in openapi_spec()["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_the_schema_names_the_header_wherever_202_may_come() -> None:
    given = []
    for path, method, operation in operations():
        names = {each["name"] for each in operation.get("parameters", ())}
        later = operation["responses"].get("202")
        assert (later is not None) is ("Prefer" in names), (method, path)
        if later:
            assert {"Location", "Preference-Applied"} <= later["headers"].keys(), path
            given.append(f"{method} {path}")
    assert len(given) == 11, given


def test_whatever_is_deleted_in_steps_may_go_on() -> None:
    gradual = {each for each in apps.get_models() if issubclass(each, DeletedInSteps)}
    models = set()
    for path, method, operation in operations():
        if method == "delete" and "202" in operation["responses"]:
            view: Any = resolve(path.replace("{id}", "1")).func
            models.add(view.cls.queryset.model)
    assert models == gradual


def test_a_package_is_made_afterwards_in_any_case(
    bugs: FeedbackType, keeper: APIClient
) -> None:
    package = factories.package(bugs, refresh_every=60)
    url = f"/api/v1/packages/{package.pk}/refresh/"
    for headers in ({}, ASYNC):
        response = keeper.post(url, headers=headers)
        assert response.status_code == 202
        assert response.get("Preference-Applied") == headers.get("prefer")
        read = keeper.get(response["Location"]).json()
        assert read["last_file"]["state"] == "waiting"


def test_a_delivery_is_sent_again_afterwards(
    bugs: FeedbackType, keeper: APIClient
) -> None:
    factories.ticket(bugs)
    run = factories.run(factories.macro(bugs, "https://example.com/"))
    delivery = run.deliveries.get()
    for headers, status in (({}, 200), (ASYNC, 202)):
        end(delivery, DeliveryState.FAILED, status=404, method="POST", url="x")
        url = f"/api/v1/deliveries/{delivery.pk}/resend/"
        response = keeper.post(url, {"kind": "anew"}, headers=headers)
        assert response.status_code == status, response.json()
        assert keeper.get(response["Location"]).json()["id"] == delivery.pk
        delivery.refresh_from_db()


def test_a_call_is_replayed_afterwards(bugs: FeedbackType, keeper: APIClient) -> None:
    call = factories.inbound_call(factories.listener(bugs))
    response = keeper.post(f"/api/v1/calls/{call.pk}/replay/", headers=ASYNC)
    assert (response.status_code, response.json()) == (202, {"replayed": 1})
    [replayed] = keeper.get(response["Location"]).json()["results"]
    assert replayed["replay_of"] == call.pk


def test_what_is_much_is_deleted_afterwards(
    bugs: FeedbackType, keeper: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.tickets(bugs, 5)
    monkeypatch.setattr("feedback.changes.deletion.AT_ONCE", 2)
    url = f"/api/v1/types/{bugs.pk}/"
    etag = {"if-match": keeper.get(url)["ETag"]}
    response = keeper.delete(url, headers={**ASYNC, **etag})
    assert response.status_code == 202
    assert response["Preference-Applied"] == "respond-async"
    assert keeper.get(response["Location"]).json()["deleting_since"]


def test_a_repeat_says_again_that_it_was_applied(
    bugs: FeedbackType, keeper: APIClient
) -> None:
    package = factories.package(bugs, refresh_every=60)
    headers = {**ASYNC, "idempotency-key": "once"}
    url = f"/api/v1/packages/{package.pk}/refresh/"
    first, again = (keeper.post(url, headers=headers) for _ in range(2))
    assert again["Idempotency-Replayed"] == "true"
    for name in ("Location", "Preference-Applied"):
        assert again[name] == first[name]


def test_what_is_done_by_then_ignores_it(bugs: FeedbackType, keeper: APIClient) -> None:
    rows = {"tickets": [{"type": bugs.pk, "title": "It breaks"}]}
    people = {"testers": [{"email": "ada@example.com"}]}
    for url, body, status in (
        ("/api/v1/feedback/batch/", rows, 200),
        ("/api/v1/testers/batch/", people, 200),
        ("/api/v1/feedback/", rows["tickets"][0], 201),
    ):
        response = keeper.post(url, body, headers=ASYNC)
        assert response.status_code == status, response.json()
        assert "Preference-Applied" not in response
