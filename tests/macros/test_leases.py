"""Who owns a delivery, and what happens when the owner goes silent."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from centerhook.receiver import Receiver
from logs import recording
from logs.models import Attempt, Delivery, DeliveryState, Run
from logs.recording import Outcome
from macros import deliveries
from macros.deliveries.claims import claim_due, renew
from macros.deliveries.outcomes import of_lost_lease
from macros.retries import RetryPolicy
from macros.runs.control import cancel_run
from tests import factories

pytestmark = pytest.mark.django_db


def a_run(count: int = 1, url: str = "http://127.0.0.1:9/", ladder: str = "") -> Run:
    bugs = factories.feedback_type()
    factories.tickets(bugs, count)
    return factories.run(factories.macro(bugs, url, ladder=ladder))


def delivered(delivery: Delivery) -> Outcome:
    attempt = Attempt(delivery=delivery, number=1, started_at=timezone.now())
    return Outcome(delivery, DeliveryState.DELIVERED, attempt)


def test_a_claimed_delivery_is_not_claimed_again() -> None:
    run = a_run(3)
    first = claim_due(run.pk, 2, "a")
    second = claim_due(run.pk, 2, "b")
    assert [len(first), len(second)] == [2, 1]
    assert not {each.pk for each in first} & {each.pk for each in second}


def test_an_expired_lease_passes_on_and_is_logged_as_lost(receiver: Receiver) -> None:
    run = a_run(url=f"{receiver.url}/ok", ladder="1 h")
    claim_due(run.pk, 10, "a")
    later = timezone.now() + timedelta(minutes=5)

    with time_machine.travel(later):
        deliveries.work(run.pk)

    run.refresh_from_db()
    assert (run.delivered, run.state) == (1, "finished")
    attempts = list(Attempt.objects.values_list("number", "error_class", "status"))
    assert attempts == [(1, "lost", None), (2, "", 200)]
    assert Attempt.objects.first().outcome_unknown  # type: ignore[union-attr]


def test_a_renewed_lease_does_not_pass_on() -> None:
    run = a_run()
    claimed = claim_due(run.pk, 10, "a")
    with time_machine.travel(timezone.now() + timedelta(seconds=50)):
        renew("a", [delivery.pk for delivery in claimed])
    with time_machine.travel(timezone.now() + timedelta(seconds=90)):
        assert not claim_due(run.pk, 10, "b")


def test_only_the_holder_of_the_lease_may_finish() -> None:
    run = a_run()
    [delivery] = claim_due(run.pk, 10, "late")
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        claim_due(run.pk, 10, "next")

    recording.record(run, "late", [delivered(delivery)], timezone.now())

    assert Delivery.objects.get().state == "pending"
    assert Attempt.objects.count() == 1, "the try was made, so it is on the log"
    run.refresh_from_db()
    assert run.delivered == 0


def test_a_result_for_a_deleted_run_is_dropped() -> None:
    run = a_run()
    [delivery] = claim_due(run.pk, 10, "a")
    pk = run.pk
    Run.objects.all().delete()
    run.pk = pk

    recording.record(run, "a", [delivered(delivery)], timezone.now())

    assert Attempt.objects.count() == 0


def test_a_delivery_that_kills_its_workers_comes_to_an_end() -> None:
    run = a_run(ladder="1 s")
    [delivery] = claim_due(run.pk, 10, "a")
    delivery.attempts = 0
    outcome = of_lost_lease(run, delivery, RetryPolicy([1.0]), timezone.now())
    assert (outcome.state, outcome.retry_in) == ("pending", 0)
    delivery.attempts = 1
    outcome = of_lost_lease(run, delivery, RetryPolicy([1.0]), timezone.now())
    assert outcome.state == "failed"


def test_cancelling_ends_what_nobody_holds_and_waits_for_the_rest() -> None:
    run = a_run(3)
    [delivery] = claim_due(run.pk, 1, "a")
    cancel_run(run)
    run.refresh_from_db()
    assert (run.state, run.cancelled, run.pending) == ("cancelling", 2, 1)

    recording.record(run, "a", [delivered(delivery)], timezone.now())

    run.refresh_from_db()
    assert (run.state, run.delivered, run.cancelled) == ("cancelled", 1, 2)


def test_a_worker_that_meets_a_cancelled_run_sends_nothing(receiver: Receiver) -> None:
    run = a_run(2, f"{receiver.url}/ok")
    claim_due(run.pk, 2, "a")
    cancel_run(run)
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        deliveries.work(run.pk)
        deliveries.work(run.pk)
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert not receiver.requests


def test_old_retries_and_new_work_share_a_claim() -> None:
    run = a_run(20)
    retries = run.deliveries.order_by("pk").values("pk")[:12]
    Delivery.objects.filter(pk__in=list(retries.values_list("pk", flat=True))).update(
        attempts=1, next_attempt_at=run.created_at - timedelta(hours=1)
    )

    claimed = claim_due(run.pk, 8, "a")

    assert [delivery.attempts for delivery in claimed] == [0] * 6 + [1] * 2
