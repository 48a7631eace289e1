"""A resend in its run: later steps follow, cancelled and paused runs obey."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from centerhook.receiver import Receiver
from feedback.models import Feedback
from logs.models import Delivery, Resend, delivery_id
from macros.deliveries.claims import claim_due
from macros.runs.control import cancel_run, pause_run, resume_run
from macros.runs.resend import preview_resend, resend
from tests import factories
from tests.macros.resending import GONE, a_macro, counters, finish, states, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def olivia() -> User:
    return factories.superuser()


def test_steps_skipped_after_a_failure_run_once_the_resent_one_is_delivered(
    olivia: User, receiver: Receiver
) -> None:
    urls = [f"{receiver.url}/status/((Title))", *[f"{receiver.url}/ok"] * 2]
    macro = a_macro(*urls)
    Feedback.objects.update(title="404")
    run = factories.run(macro)
    assert work(run) == ("finished", 0, 1, 2, 0, 0)
    Feedback.objects.update(title="200")

    requeued = resend(Delivery.objects.filter(state="failed"), Resend.ANEW, olivia)

    assert (requeued.count, requeued.runs) == (1, {run.pk: 3})
    assert counters(run) == ("active", 0, 0, 0, 0, 3)
    assert states(run) == ["pending", "waiting", "waiting"]
    assert work(run) == ("finished", 3, 0, 0, 0, 0)
    kinds = run.deliveries.order_by("step").values_list("resend", "resent_by")
    assert list(kinds) == [("anew", "olivia")] * 3


def test_steps_are_skipped_again_when_the_resent_one_fails_again(
    olivia: User, receiver: Receiver
) -> None:
    run = factories.run(a_macro(f"{receiver.url}/status/404", f"{receiver.url}/ok"))
    work(run)
    resend(Delivery.objects.all(), Resend.ANEW, olivia)
    assert work(run) == ("finished", 0, 1, 1, 0, 0)


def test_a_step_skipped_for_another_failure_stays_skipped(olivia: User) -> None:
    run = factories.run(a_macro(GONE, GONE, GONE))
    finish(run, ("delivered", ""), ("failed", "dns"), ("skipped", ""))

    resend(Delivery.objects.filter(step=0), Resend.ANEW, olivia)

    assert states(run) == ["pending", "failed", "skipped"]
    assert counters(run) == ("active", 0, 1, 1, 0, 1)


def test_steps_that_are_resent_together_go_out_in_order(
    olivia: User, receiver: Receiver
) -> None:
    urls = [f"{receiver.url}/status/20{n}" for n in range(3)]
    run = factories.run(a_macro(*urls, tickets=2))
    work(run)

    assert resend(Delivery.objects.all(), Resend.SAME, olivia).count == 6

    assert states(run) == ["pending", "waiting", "waiting"] * 2
    assert work(run) == ("finished", 6, 0, 0, 0, 0)
    for ticket in Feedback.objects.all():
        steps = run.deliveries.filter(feedback=ticket).order_by("step")
        ids = [delivery_id(run.key, step.pk) for step in steps]
        again = [r.delivery_id for r in receiver.requests[6:] if r.delivery_id in ids]
        assert again == ids


def test_a_later_step_can_be_resent_alone(olivia: User, receiver: Receiver) -> None:
    run = factories.run(a_macro(f"{receiver.url}/ok", f"{receiver.url}/status/404"))
    assert work(run) == ("finished", 1, 1, 0, 0, 0)
    resend(Delivery.objects.filter(step=1), Resend.ANEW, olivia)
    assert states(run) == ["delivered", "pending"]
    work(run)
    assert [request.path for request in receiver.requests] == [
        "/ok",
        "/status/404",
        "/status/404",
    ]


def test_skipped_and_waiting_steps_follow_and_are_not_resent_themselves(
    olivia: User,
) -> None:
    macro = a_macro(GONE, GONE)
    skipped, fresh = factories.run(macro), factories.run(macro)
    finish(skipped, ("failed", "dns"), ("skipped", ""))
    rows = Delivery.objects.filter(step=1)
    preview = preview_resend(rows, Resend.ANEW, olivia)
    why = "a later step: it follows by itself when the step before it is delivered"
    assert (preview.count, preview.blockers) == (0, {why: 2})
    assert resend(rows, Resend.ANEW, olivia).count == 0
    assert states(fresh) == ["pending", "waiting"]


def test_of_a_cancelled_run_only_what_is_resent_goes_out(
    olivia: User, receiver: Receiver
) -> None:
    run = factories.run(a_macro(f"{receiver.url}/ok", f"{receiver.url}/ok", tickets=3))
    cancel_run(run)
    assert counters(run) == ("cancelled", 0, 0, 0, 6, 0)
    one = run.deliveries.order_by("pk")[:1].values("pk")

    requeued = resend(Delivery.objects.filter(pk__in=one), Resend.ANEW, olivia)

    assert (requeued.count, requeued.runs) == (1, {run.pk: 2})
    assert counters(run) == ("active", 0, 0, 0, 4, 2)
    assert work(run) == ("finished", 2, 0, 0, 4, 0)
    assert len(receiver.requests) == 2


def test_all_of_a_cancelled_run_can_be_resent(olivia: User, receiver: Receiver) -> None:
    run = factories.run(a_macro(f"{receiver.url}/ok", f"{receiver.url}/ok", tickets=3))
    cancel_run(run)
    assert resend(run.deliveries.all(), Resend.ANEW, olivia).count == 3
    assert work(run) == ("finished", 6, 0, 0, 0, 0)


def test_of_many_steps_that_were_cancelled_all_follow_the_first(olivia: User) -> None:
    run = factories.run(a_macro(GONE, GONE, GONE))
    cancel_run(run)
    assert resend(run.deliveries.filter(step=0), Resend.ANEW, olivia).count == 1
    assert states(run) == ["pending", "waiting", "waiting"]


def test_a_cancelled_step_whose_step_before_was_delivered_is_resent(
    olivia: User,
) -> None:
    run = factories.run(a_macro(GONE, GONE))
    finish(run, ("delivered", ""), ("cancelled", ""))
    assert resend(run.deliveries.filter(step=1), Resend.ANEW, olivia).count == 1
    assert states(run) == ["delivered", "pending"]


def test_a_resend_can_be_cancelled_like_any_run(olivia: User) -> None:
    run = factories.run(a_macro(GONE, tickets=2))
    work(run)
    resend(run.deliveries.all(), Resend.ANEW, olivia)
    assert cancel_run(run)
    assert counters(run) == ("cancelled", 0, 0, 0, 2, 0)


def test_nothing_of_a_run_that_is_being_cancelled_is_resent(olivia: User) -> None:
    run = factories.run(a_macro(GONE, tickets=2))
    claim_due(run.pk, 1, "a")
    cancel_run(run)
    preview = preview_resend(run.deliveries.all(), Resend.ANEW, olivia)
    assert preview.blockers == {
        "being sent now": 1,
        "the run is being cancelled; try again in a moment": 1,
    }
    assert resend(run.deliveries.all(), Resend.ANEW, olivia).count == 0


def test_in_a_paused_run_a_resend_waits_until_it_is_resumed(
    olivia: User, receiver: Receiver
) -> None:
    run = factories.run(a_macro(f"{receiver.url}/ok", tickets=2, ladder="1 h"))
    Delivery.objects.filter(pk=run.deliveries.earliest("pk").pk).update(
        attempts=1, next_attempt_at=timezone.now() + timedelta(hours=1)
    )
    pause_run(run)
    assert resend(run.deliveries.all(), Resend.ANEW, olivia).count == 1
    assert work(run) == ("paused", 0, 0, 0, 0, 2)
    resume_run(run)
    assert work(run) == ("finished", 2, 0, 0, 0, 0)
