"""Destinations and the audit log, read and changed by programs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from feedback.access.roles import Role
from feedback.models import FeedbackType
from logs.models import Action, AuditEntry, BreakerState, Destination
from tests import factories
from tests.api.callers import issue_key, person, problem, program

DESTINATIONS = "/api/v1/destinations/"
AUDIT = "/api/v1/audit/"


@pytest.fixture
def destination(bugs: FeedbackType) -> Destination:
    return Destination.objects.create(
        community=bugs.project.community,
        origin="https://example.com:443",
        breaker=BreakerState.OPEN,
        consecutive_failures=5,
        probe_at=timezone.now() + timedelta(hours=1),
    )


@pytest.fixture
def manager(bugs: FeedbackType) -> APIClient:
    return program(issue_key(bugs, "Set-up", scope_manage=True))


def test_a_destination_says_how_it_stands(
    caller: APIClient, stranger: APIClient, destination: Destination
) -> None:
    [listed] = caller.get(f"{DESTINATIONS}?breaker=open").json()["results"]
    assert listed["origin"] == "https://example.com:443"
    assert listed["trouble"].startswith("failed 5 times in a row")
    assert caller.get(f"{DESTINATIONS}?breaker=closed").json()["results"] == []
    assert stranger.get(DESTINATIONS).json()["results"] == []
    problem(stranger.get(f"{DESTINATIONS}{destination.pk}/"), 404, "not_found")


def test_its_limits_are_changed_and_that_is_audited(
    manager: APIClient, destination: Destination
) -> None:
    url = f"{DESTINATIONS}{destination.pk}/"
    shown = manager.patch(url, {"rate": 5.5, "is_paused": True}).json()
    assert (shown["rate"], shown["is_paused"]) == (5.5, True)
    entry = AuditEntry.objects.get(object_type="logs.destination")
    assert entry.action == Action.PAUSED
    assert set(entry.changes) == {"rate", "is_paused"}


@pytest.mark.parametrize(
    ("body", "member"),
    [
        ({"rate": 0}, "rate"),
        ({"rate": "fast"}, "rate"),
        ({"concurrency": 0}, "concurrency"),
        ({"concurrency": True}, "concurrency"),
        ({"is_paused": "yes"}, "is_paused"),
        ({"allows_inside": True}, "allows_inside"),
        ({"origin": "https://other.example.com:443"}, "origin"),
        ({"breaker": "closed"}, "breaker"),
        ({"ca_certificates": "-----BEGIN"}, "ca_certificates"),
        ({"client_certificate": "x"}, "client_key_secret"),
        ({"paused": True}, "paused"),
    ],
)
def test_a_wrong_member_is_named_and_nothing_is_changed(
    manager: APIClient, destination: Destination, body: dict[str, Any], member: str
) -> None:
    before = Destination.objects.values().get(pk=destination.pk)
    refused = manager.patch(f"{DESTINATIONS}{destination.pk}/", body)
    assert problem(refused, 400, "invalid")["errors"][0]["pointer"] == f"#/{member}"
    assert Destination.objects.values().get(pk=destination.pk) == before


def test_a_superuser_lets_one_be_inside(destination: Destination) -> None:
    olivia = person(factories.superuser("olivia"))
    url = f"{DESTINATIONS}{destination.pk}/"
    assert olivia.patch(url, {"allows_inside": True}).json()["allows_inside"] is True


def test_the_wait_for_one_is_ended(
    manager: APIClient, destination: Destination
) -> None:
    url = f"{DESTINATIONS}{destination.pk}/"
    assert manager.post(f"{url}resume/").json()["breaker"] == "closed"
    entry = AuditEntry.objects.get(object_type="logs.destination")
    assert entry.action == Action.RESUMED and "by hand" in entry.detail


def test_who_only_reads_changes_nothing(
    caller: APIClient, observer: APIClient, destination: Destination
) -> None:
    url = f"{DESTINATIONS}{destination.pk}/"
    for client, code in ((caller, "missing_scope"), (observer, "permission_denied")):
        problem(client.patch(url, {"rate": 1}), 403, code)
        problem(client.post(f"{url}resume/"), 403, code)


def test_the_audit_log_is_for_those_who_manage(
    manager: APIClient,
    caller: APIClient,
    observer: APIClient,
    bugs: FeedbackType,
    destination: Destination,
) -> None:
    manager.patch(f"{DESTINATIONS}{destination.pk}/", {"rate": 5})
    by_kind = f"{AUDIT}?object_type=logs.destination&object_id={destination.pk}"
    [entry] = manager.get(by_kind).json()["results"]
    assert entry["changes"]["rate"][1] == 5.0
    assert entry["who"] == "Set-up" and entry["api_key"].startswith("ch_")
    assert manager.get(f"{AUDIT}{entry['id']}/").json() == entry
    assert manager.get(f"{by_kind}&before=2026-01-01").json()["results"] == []
    assert manager.get(f"{by_kind}&action=deleted").json()["results"] == []
    problem(caller.get(AUDIT), 403, "missing_scope")
    problem(observer.get(AUDIT), 403, "permission_denied")
    carla = person(factories.member(bugs, Role.COMMUNITY_MANAGER, "carla"))
    assert carla.get(by_kind).status_code == 200
    theirs = issue_key(factories.feedback_type("Ideas", "IDEA"), scope_manage=True)
    assert program(theirs).get(by_kind).json()["results"] == []


def test_nobody_changes_the_audit_log(manager: APIClient) -> None:
    entry = AuditEntry.objects.order_by("pk").first()
    pk = entry.pk if entry else 1
    for method in ("post", "patch", "put", "delete"):
        refused = getattr(manager, method)(f"{AUDIT}{pk}/", {})
        assert refused.status_code == 405
