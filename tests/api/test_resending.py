"""What would be sent, and sending it again."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from feedback.models import FeedbackType
from logs.models import AuditEntry, Delivery, DeliveryState, ErrorClass, Run
from macros.models import Macro
from tests import factories
from tests.api.callers import problem
from tests.api.test_runs import end

RUNS = "/api/v1/runs/"
DELIVERIES = "/api/v1/deliveries/"


@pytest.fixture
def macro(bugs: FeedbackType) -> Macro:
    factories.tickets(bugs, 3)
    factories.secret(bugs, "Slack", "xoxb-0123456789")
    return factories.macro(
        bugs,
        "https://example.com/",
        name="Post",
        headers="Authorization: Bearer ((Secret: Slack))",
    )


@pytest.fixture
def failed(bugs: FeedbackType) -> Run:
    factories.tickets(bugs, 3)
    run = factories.run(factories.macro(bugs, "https://example.com/", name="Post"))
    for delivery in run.deliveries.order_by("pk")[:2]:
        end(
            delivery,
            DeliveryState.FAILED,
            status=404,
            method="POST",
            url="https://example.com/",
            request_body="{}",
            error_class=ErrorClass.HTTP,
        )
    return run


def written() -> tuple[int, int, int]:
    return Run.objects.count(), Delivery.objects.count(), AuditEntry.objects.count()


def dry_run(caller: APIClient, macro: Macro, body: dict[str, Any]) -> Any:
    return caller.post(f"/api/v1/macros/{macro.pk}/dry-run/", body)


def test_a_dry_run_counts_shows_and_writes_nothing(
    caller: APIClient, macro: Macro
) -> None:
    before = written()
    shown = dry_run(caller, macro, {"filter": {"open": True}}).json()
    assert (shown["count"], shown["looked_at"], shown["blockers"]) == (3, 3, [])
    assert shown["hosts"] == [{"host": "example.com", "requests": 3}]
    assert shown["requests"][0]["url"] == "https://example.com/"
    assert "xoxb" not in str(shown)
    assert written() == before


def test_a_dry_run_says_what_stands_in_the_way(caller: APIClient, macro: Macro) -> None:
    Macro.objects.filter(pk=macro.pk).update(is_active=False)
    shown = dry_run(caller, macro, {"filter": {"search": "nothing-like-it"}}).json()
    off, none = shown["blockers"]
    assert off == "The macro Post is off. Switch it on to run it."
    assert none.startswith("No ticket of ")
    assert shown["requests"] == []
    wrong = dry_run(caller, macro, {"ids": [10**9]})
    assert problem(wrong, 400, "invalid")["errors"][0]["pointer"] == "#/ids/0"


def test_a_dry_run_is_of_what_the_run_would_be_on(
    caller: APIClient, macro: Macro
) -> None:
    macro.once_per_subject = True
    macro.save()
    asked = {"filter": {"open": True}}
    started = caller.post(f"/api/v1/macros/{macro.pk}/runs/", asked).json()
    assert started["counts"]["total"] == 3
    shown = dry_run(caller, macro, asked).json()
    assert (shown["count"], shown["left_out"]) == (0, 3)
    assert shown["blockers"]


def test_a_run_that_is_started_without_waiting(caller: APIClient, macro: Macro) -> None:
    url, body = f"/api/v1/macros/{macro.pk}/runs/", {"filter": {"open": True}}
    plain = caller.post(url, body)
    assert plain.status_code == 201
    later = caller.post(url, body, headers={"prefer": "wait=5, respond-async"})
    assert later.status_code == 202
    assert later["Preference-Applied"] == "respond-async"
    assert caller.get(later["Location"]).json()["id"] == later.json()["id"]


def test_all_failed_of_a_run_are_counted_then_sent_again(
    caller: APIClient, failed: Run
) -> None:
    url = f"{RUNS}{failed.pk}/resend/"
    counted = caller.post(f"{url}count/", {"kind": "same"}).json()
    assert (counted["count"], counted["delivered"], counted["blockers"]) == (2, 0, [])
    assert counted["first"]["url"] == "https://example.com/"
    body = {"kind": "same", "confirmed": counted["confirmed"]}
    sent = caller.post(url, body, headers={"prefer": "respond-async"})
    assert (sent.status_code, sent.json()) == (202, {"count": 2})
    assert sent["Location"].endswith(f"{RUNS}{failed.pk}/")
    assert failed.deliveries.filter(state=DeliveryState.FAILED).count() == 0
    # A double click.
    assert caller.post(url, body).json() == {"count": 0}
    assert failed.deliveries.filter(resent_by__gt="").count() == 2


def test_nothing_else_is_sent_than_was_counted(caller: APIClient, failed: Run) -> None:
    url = f"{RUNS}{failed.pk}/resend/"
    counted = caller.post(f"{url}count/", {"kind": "anew"}).json()
    end(failed.deliveries.order_by("pk")[2], DeliveryState.FAILED, status=500)
    body = {"kind": "anew", "confirmed": counted["confirmed"]}
    problem(caller.post(url, body), 409, "selection_changed")
    assert failed.deliveries.filter(state=DeliveryState.FAILED).count() == 3


def test_a_count_says_why_others_are_not_sent_again(
    caller: APIClient, failed: Run
) -> None:
    counted = caller.post(
        f"{RUNS}{failed.pk}/resend/count/", {"kind": "same", "only": "all"}
    ).json()
    assert counted["count"] == 2
    [blocker] = counted["blockers"]
    assert blocker["count"] == 1 and "in line" in blocker["reason"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/kind"),
        ({"kind": "again"}, "#/kind"),
        ({"kind": ["same"]}, "#/kind"),
        ({"kind": "same", "only": "pending"}, "#/only"),
        ({"kind": "same", "ids": [1]}, "#/ids"),
        ({"kind": "same", "confirmed": ["x"]}, "#/confirmed"),
    ],
)
def test_a_wrong_member_is_named_and_nothing_is_sent(
    caller: APIClient, failed: Run, body: dict[str, Any], pointer: str
) -> None:
    refused = caller.post(f"{RUNS}{failed.pk}/resend/", body)
    assert problem(refused, 400, "invalid")["errors"][0]["pointer"] == pointer
    assert failed.deliveries.filter(state=DeliveryState.FAILED).count() == 2


def test_one_delivery_is_sent_again(caller: APIClient, failed: Run) -> None:
    one = failed.deliveries.order_by("pk")[0]
    url = f"{DELIVERIES}{one.pk}/resend/"
    shown = caller.post(url, {"kind": "anew"})
    assert (shown.status_code, shown.json()["state"]) == (200, "pending")
    assert shown.json()["resend"] == "anew"
    again = problem(caller.post(url, {"kind": "anew"}), 409, "not_resent")
    assert "in line" in again["detail"]


def test_those_who_only_look_send_nothing_again(
    observer: APIClient, stranger: APIClient, failed: Run
) -> None:
    one = failed.deliveries.order_by("pk")[0]
    for url in (f"{RUNS}{failed.pk}/resend/", f"{DELIVERIES}{one.pk}/resend/"):
        problem(observer.post(url, {"kind": "same"}), 403, "permission_denied")
        problem(stranger.post(url, {"kind": "same"}), 404, "not_found")
    assert failed.deliveries.filter(state=DeliveryState.FAILED).count() == 2


def test_attempts_are_a_list_of_their_own(
    caller: APIClient, stranger: APIClient, failed: Run
) -> None:
    listed = caller.get(f"/api/v1/attempts/?run={failed.pk}").json()["results"]
    assert [row["status"] for row in listed] == [404, 404]
    assert "request_body" not in listed[0]
    whole = caller.get(f"/api/v1/attempts/{listed[0]['id']}/").json()
    assert whole["request_body"] == "{}" and whole["explanation"]
    assert stranger.get("/api/v1/attempts/").json()["results"] == []
