"""Following and ordering a run, and reading what was delivered."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from feedback.access.roles import Role
from feedback.models import FeedbackType
from logs import recording
from logs.models import Attempt, Delivery, DeliveryState, ErrorClass, Run, RunState
from logs.rest import NO_WORKER, PAUSED, UNCONFIRMED
from tests import factories
from tests.api.callers import person, problem

RUNS = "/api/v1/runs/"
DELIVERIES = "/api/v1/deliveries/"


@pytest.fixture
def run(bugs: FeedbackType) -> Run:
    factories.tickets(bugs, 4)
    return factories.run(factories.macro(bugs, "https://example.com/", name="Post"))


def end(delivery: Delivery, state: DeliveryState, **attempt: Any) -> None:
    """As a worker would note it."""
    Delivery.objects.filter(pk=delivery.pk).update(lease="mine")
    made = Attempt(delivery=delivery, number=1, started_at=timezone.now(), **attempt)
    outcome = recording.Outcome(delivery, state, made, origin="https://example.com:443")
    recording.record(delivery.run, "mine", [outcome], timezone.now())


def ids(response: Any) -> list[int]:
    assert response.status_code == 200, response.json()
    return [row["id"] for row in response.json()["results"]]


def test_a_run_shows_its_progress(caller: APIClient, run: Run) -> None:
    first, second, third, _ = run.deliveries.order_by("pk")
    end(first, DeliveryState.DELIVERED, status=200)
    end(second, DeliveryState.DELIVERED, status=200)
    end(third, DeliveryState.FAILED, status=404, error_class=ErrorClass.HTTP)
    shown = caller.get(f"{RUNS}{run.pk}/").json()
    assert shown["counts"] == {
        "total": 4,
        "delivered": 2,
        "problems": 0,
        "failed": 1,
        "pending": 1,
        "skipped": 0,
        "cancelled": 0,
    }
    assert (shown["progress"], shown["is_settled"]) == (75, False)
    assert shown["notice"] == NO_WORKER
    [listed] = caller.get(RUNS).json()["results"]
    del shown["notice"]
    assert listed == shown
    assert not {"key", "snapshot", "fingerprint"} & set(shown)


def test_runs_are_found_by_macro_state_cause_and_moment(
    bugs: FeedbackType, caller: APIClient, run: Run
) -> None:
    other = factories.run(factories.macro(bugs, "https://example.com/"))
    caller.post(f"{RUNS}{other.pk}/cancel/")
    assert ids(caller.get(RUNS)) == [other.pk, run.pk]
    assert ids(caller.get(RUNS, {"macro": run.macro_id})) == [run.pk]
    assert ids(caller.get(RUNS, {"state": "active"})) == [run.pk]
    assert ids(caller.get(RUNS, {"cause": "api"})) == []
    moment = other.created_at.isoformat()
    assert ids(caller.get(RUNS, {"created_after": moment})) == [other.pk]
    assert ids(caller.get(RUNS, {"created_before": moment})) == [run.pk]
    problem(caller.get(RUNS, {"state": "done"}), 400, "invalid")
    problem(caller.get(RUNS, {"macro": "Post"}), 400, "invalid")


def test_a_run_is_paused_resumed_and_cancelled(caller: APIClient, run: Run) -> None:
    def order(name: str) -> Any:
        return caller.post(f"{RUNS}{run.pk}/{name}/")

    paused = order("pause").json()
    assert (paused["state"], paused["notice"]) == ("paused", PAUSED)
    assert order("pause").json()["state"] == "paused"
    assert order("resume").json()["state"] == "active"
    cancelled = order("cancel").json()
    assert (cancelled["state"], cancelled["is_settled"]) == ("cancelled", True)
    assert cancelled["counts"]["cancelled"] == 4
    assert (cancelled["progress"], cancelled["notice"]) == (100, "")
    assert order("cancel").status_code == 200
    for name in ("pause", "resume"):
        detail = problem(order(name), 409, "run_state")["detail"]
        assert detail == "Nothing was changed: the run is cancelled."


def test_a_run_that_needs_confirmation_is_confirmed(
    caller: APIClient, run: Run
) -> None:
    Run.objects.update(state=RunState.UNCONFIRMED)
    shown = caller.get(f"{RUNS}{run.pk}/").json()
    assert (shown["state"], shown["notice"]) == ("unconfirmed", UNCONFIRMED)
    assert ids(caller.get(RUNS, {"state": "unconfirmed"})) == [run.pk]
    for _ in range(2):
        confirmed = caller.post(f"{RUNS}{run.pk}/confirm/").json()
        assert confirmed["state"] == "active"
    caller.post(f"{RUNS}{run.pk}/cancel/")
    problem(caller.post(f"{RUNS}{run.pk}/confirm/"), 409, "run_state")


def test_a_finished_run_can_not_be_cancelled(caller: APIClient, run: Run) -> None:
    for delivery in run.deliveries.all():
        end(delivery, DeliveryState.DELIVERED, status=200)
    refused = problem(caller.post(f"{RUNS}{run.pk}/cancel/"), 409, "run_state")
    assert refused["detail"] == "Nothing was changed: the run is finished."


@pytest.mark.parametrize("order", ["cancel", "confirm", "pause", "resume"])
def test_only_who_may_run_orders_a_run(
    bugs: FeedbackType,
    observer: APIClient,
    support: APIClient,
    stranger: APIClient,
    run: Run,
    order: str,
) -> None:
    address = f"{RUNS}{run.pk}/{order}/"
    assert observer.get(f"{RUNS}{run.pk}/").status_code == 200
    problem(observer.post(address), 403, "permission_denied")
    problem(stranger.post(address), 404, "not_found")
    problem(stranger.get(f"{RUNS}{run.pk}/"), 404, "not_found")
    problem(support.get(address), 405, "method_not_allowed")
    run.refresh_from_db()
    assert run.state == "active"
    assert support.post(address).status_code == 200


def test_a_delivery_shows_every_attempt(caller: APIClient, run: Run) -> None:
    delivery = run.deliveries.order_by("pk")[0]
    end(
        delivery,
        DeliveryState.FAILED,
        method="POST",
        url="https://example.com/",
        request_headers="Authorization: Bearer ••••••",
        request_body='{"text": "It breaks"}',
        status=404,
        response_body="Nothing here",
        error_class=ErrorClass.HTTP,
        total_ms=12,
    )
    shown = caller.get(f"{DELIVERIES}{delivery.pk}/").json()
    [attempt] = shown.pop("attempt_log")
    assert shown.pop("gone") == ""
    assert shown == {
        "id": delivery.pk,
        "run": run.pk,
        "webhook_id": f"dlv_{run.key}_{delivery.pk}",
        "feedback": delivery.feedback_id,
        "tester": None,
        "reference": "BUG-1",
        "step": 1,
        "state": "failed",
        "attempts": 1,
        "last_status": 404,
        "last_error": "http",
        "destination": "https://example.com:443",
        "next_attempt_at": None,
        "finished_at": shown["finished_at"],
        "resend": "",
        "resent_at": None,
        "resent_by": "",
    }
    assert attempt == {
        "number": 1,
        "started_at": attempt["started_at"],
        "connect_ms": None,
        "first_byte_ms": None,
        "total_ms": 12,
        "method": "POST",
        "url": "https://example.com/",
        "request_headers": "Authorization: Bearer ••••••",
        "request_body": '{"text": "It breaks"}',
        "status": 404,
        "response_headers": "",
        "response_body": "Nothing here",
        "response_cut": "",
        "error_class": "http",
        "outcome_unknown": False,
        "explanation": "404: nothing is at this URL; check the URL, or whether it"
        " was deleted there.",
        "gone": "",
    }
    assert caller.get(DELIVERIES, {"state": "failed"}).json()["results"] == [shown]


def test_deliveries_are_found_by_run_macro_state_error_and_ticket(
    bugs: FeedbackType, caller: APIClient, run: Run
) -> None:
    other = factories.run(factories.macro(bugs, "https://example.com/"))
    first, second, *_ = run.deliveries.order_by("pk")
    end(first, DeliveryState.DELIVERED, status=200)
    end(second, DeliveryState.FAILED, error_class=ErrorClass.DNS)

    def listed(**query: Any) -> set[int]:
        return set(ids(caller.get(DELIVERIES, query)))

    own = set(run.deliveries.values_list("pk", flat=True))
    assert listed(run=run.pk) == listed(macro=run.macro_id) == own
    assert listed(state="delivered") == {first.pk}
    assert listed(error="dns") == {second.pk}
    assert listed(feedback=first.feedback_id, run=run.pk) == {first.pk}
    assert listed(reference="BUG-1", run=other.pk) < set(
        other.deliveries.values_list("pk", flat=True)
    )
    problem(caller.get(DELIVERIES, {"runs": run.pk}), 400, "invalid")


def test_deliveries_of_another_community_or_project_are_not_there(
    bugs: FeedbackType, stranger: APIClient, run: Run
) -> None:
    delivery = run.deliveries.all()[0]
    other = factories.feedback_type()
    elsewhere = person(factories.member(other, Role.SUPPORT, in_project=True))
    for who in (stranger, elsewhere):
        problem(who.get(f"{DELIVERIES}{delivery.pk}/"), 404, "not_found")
        for query in ({}, {"run": run.pk}, {"macro": run.macro_id}):
            assert ids(who.get(DELIVERIES, query)) == []
        assert ids(who.get(RUNS)) == []


def test_a_list_of_any_length_takes_as_many_queries(
    bugs: FeedbackType,
    caller: APIClient,
    run: Run,
    django_assert_max_num_queries: Any,
) -> None:
    factories.tickets(bugs, 60)
    factories.run(factories.macro(bugs, "https://example.com/"))
    for room in (RUNS, DELIVERIES, "/api/v1/macros/"):
        with django_assert_max_num_queries(8):
            caller.get(room)
