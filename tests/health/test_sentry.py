"""Faults are reported by the real SDK, and nothing that was worked on leaves with them.

Only its transport is replaced: by one that keeps what would be sent.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from centerhook import sentry
from centerhook.checks.limits import check_sentry
from centerhook.health import probes
from centerhook.receiver import Receiver
from logs.models import Run
from macros import deliveries
from macros.deliveries import building, outcomes
from tests import factories

DSN = "https://key@sentry.example/7"
SECRET = "xoxb-4815162342-never-seen"
TITLE = "Only the tester may know this"


class Kept(Transport):
    def __init__(self) -> None:
        super().__init__()
        self.events: list[Any] = []
        self.bytes = b""

    def capture_envelope(self, envelope: Envelope) -> None:
        self.bytes += envelope.serialize()
        self.events += [json.loads(json.dumps(envelope.get_event()))]


@pytest.fixture
def kept() -> Iterator[Kept]:
    transport = Kept()
    sentry.start(DSN, transport=transport)
    yield transport
    sentry_sdk.get_client().close()
    sentry_sdk.get_global_scope().set_client(None)


def a_run(url: str) -> Run:
    bugs = factories.feedback_type()
    factories.ticket(bugs, title=TITLE)
    factories.secret(bugs, "Slack", SECRET)
    headers = "Authorization: Bearer ((Secret: Slack))"
    return factories.run(factories.macro(bugs, url, headers=headers))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("module", "name", "function"),
    [(building, "context_for", "_context"), (outcomes, "header_lines", "_attempt")],
)
def test_a_fault_in_a_delivery_is_reported_without_its_secret(
    kept: Kept,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    name: str,
    function: str,
) -> None:
    run = a_run(f"{receiver.url}/ok?token={SECRET}")

    def fails(*rest: Any) -> None:
        secret = SECRET
        raise RuntimeError(f"{TITLE}: {secret} and {rest}")

    monkeypatch.setattr(module, name, fails)
    deliveries.work(run.pk)

    [event] = kept.events
    [exception] = event["exception"]["values"]
    assert exception["type"] == "RuntimeError"
    frames = exception["stacktrace"]["frames"]
    assert function in {frame["function"] for frame in frames}
    assert event["logentry"]["message"].startswith("Delivery %s: a fault while it was")
    delivery = run.deliveries.get()
    assert event["tags"] == {"run": str(run.pk), "delivery": str(delivery.pk)}
    for never in (SECRET, TITLE, receiver.url):
        assert never.encode() not in kept.bytes


@pytest.mark.django_db
def test_a_request_takes_no_header_of_sentry_along(
    kept: Kept, receiver: Receiver
) -> None:
    deliveries.work(a_run(f"{receiver.url}/ok").pk)
    [request] = receiver.requests
    names = {name.lower() for name, _ in request.headers}
    assert "authorization" in names
    assert not names & {"sentry-trace", "baggage", "traceparent"}
    assert kept.events == []


@pytest.mark.django_db
def test_a_page_that_fails_is_reported_without_what_was_asked(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*rest: Any, **named: Any) -> None:
        raise ValueError(f"{SECRET} is no password")

    monkeypatch.setattr("centerhook.site.step_left", fails)
    browser = Client(raise_request_exception=False)
    browser.cookies["sessionid"] = SECRET
    address = f"/admin/login/?token={SECRET}"
    response = browser.post(address, {"username": TITLE, "password": SECRET})
    assert response.status_code == 500
    [event] = kept.events
    assert event["logentry"]["message"] == "A fault in django.request"
    frames = event["exception"]["values"][0]["stacktrace"]["frames"]
    assert "login" in {frame["function"] for frame in frames}
    for never in (SECRET, TITLE):
        assert never.encode() not in kept.bytes


def test_strangers_cause_no_reports(kept: Kept) -> None:
    browser = Client(headers={"host": "evil.example"})
    assert browser.get("/admin/login/").status_code == 400
    logging.getLogger("macros").warning("Redis is away")
    assert kept.events == []


def test_what_is_meant_or_passes_by_itself_causes_no_reports(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, settings: Settings, db: None
) -> None:
    def away() -> None:
        raise probes.PartFailed("Away.")

    monkeypatch.setattr(probes, "_states", {})
    monkeypatch.setitem(probes.PARTS, "redis", away)
    assert Client().get("/readyz").status_code == 503
    settings.MODE = "read-only"
    assert Client().post("/api/v1/feedback/", {}).status_code == 503
    try:
        raise OperationalError("the database is away")
    except OperationalError:
        logging.getLogger("macros.listeners.door").exception("A call is not kept")
    assert kept.events == []


def test_an_error_that_is_no_exception_is_reported_as_it_is_written(kept: Kept) -> None:
    logging.getLogger("macros.jobs").error("Nobody took %s", SECRET)
    [event] = kept.events
    assert event["logentry"] == {"message": "Nobody took %s"}
    assert "extra" not in event and SECRET.encode() not in kept.bytes


def test_the_check_says_what_is_missing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SENTRY_DSN = ""
    assert check_sentry() == []
    settings.SENTRY_DSN = DSN
    assert check_sentry() == []
    settings.SENTRY_DSN = "sentry.example"
    [error] = check_sentry()
    assert (error.id, "no fault is reported" in error.msg) == ("centerhook.E401", True)
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)
    [error] = check_sentry()
    assert "requirements-sentry.txt" in str(error.hint)
    with pytest.raises(sentry.Unusable):
        sentry.start(DSN)
