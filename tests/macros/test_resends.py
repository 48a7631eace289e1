"""Sending again: the same bytes or built anew, once, and nothing of anybody else's."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection, connections
from django.utils import timezone

from centerhook.receiver import Receiver
from feedback.models import Feedback
from logs.models import Attempt, Delivery, Resend, Run, delivery_id
from macros import deliveries, resends
from macros.deliveries.claims import claim_due
from macros.models import Macro
from macros.resends import ResendRefused, resend, survey
from macros.runs import cancel_run, pause_run, resume_run
from tests import factories

pytestmark = pytest.mark.django_db

COUNTERS = ("state", "delivered", "failed", "skipped", "cancelled", "pending")
GONE = "http://127.0.0.1:9/"


@pytest.fixture
def olivia() -> User:
    return factories.superuser()


def a_macro(*urls: str, tickets: int = 1, **options: Any) -> Macro:
    bugs = factories.feedback_type()
    factories.tickets(bugs, tickets, title="Old title")
    return factories.macro(bugs, *urls, **options)


def work(run: Run) -> tuple[object, ...]:
    deliveries.work(run.pk)
    return counters(run)


def counters(run: Run) -> tuple[object, ...]:
    run.refresh_from_db()
    return tuple(getattr(run, name) for name in COUNTERS)


def rename_tickets() -> None:
    Feedback.objects.update(title="New title")


def states(run: Run) -> list[str]:
    rows = run.deliveries.order_by("feedback", "step")
    return list(rows.values_list("state", flat=True))


def answer(run: Run, *outcomes: tuple[str, str]) -> None:
    """End deliveries as if a worker had; (state, error) by target, then step."""
    rows = run.deliveries.order_by("feedback", "step")
    for delivery, (state, error) in zip(rows, outcomes, strict=True):
        tried = state in ("delivered", "failed")
        Delivery.objects.filter(pk=delivery.pk).update(
            state=state, last_error=error, attempts=tried, next_attempt_at=None
        )
        if tried:
            attempt = Attempt(delivery=delivery, number=1, started_at=timezone.now())
            attempt.method, attempt.url, attempt.error_class = "POST", GONE, error
            Attempt.objects.bulk_create([attempt])
    found = states(run)
    Run.objects.filter(pk=run.pk).update(
        state="finished",
        **{
            name: found.count(name)
            for name in ("delivered", "failed", "skipped", "cancelled")
        },
    )


def test_the_same_request_again_is_the_old_bytes_under_the_old_id(
    olivia: User, receiver: Receiver
) -> None:
    macro = a_macro(f"{receiver.url}/status/404?q=((Title))")
    run = factories.run(macro)
    assert work(run) == ("finished", 0, 1, 0, 0, 0)
    rename_tickets()

    found = resend(Delivery.objects.all(), Resend.SAME, olivia)

    assert (found.count, found.runs) == (1, {run.pk: 1})
    assert counters(run) == ("active", 0, 0, 0, 0, 1)
    assert work(run) == ("finished", 0, 1, 0, 0, 0)
    first, second = receiver.requests
    assert (second.target, second.body) == (first.target, first.body)
    assert json.loads(second.body) == {"text": "Old title"}
    delivery = Delivery.objects.get()
    assert receiver.ids == {delivery_id(run.key, delivery.pk): 2}
    assert (delivery.resend, delivery.resent_by) == ("same", "olivia")
    assert delivery.resent_at is not None
    assert [a.number for a in delivery.attempt_log.all()] == [1, 2]


def test_built_anew_is_the_ticket_as_it_is_now_with_the_runs_own_macro(
    olivia: User, receiver: Receiver
) -> None:
    macro = a_macro(f"{receiver.url}/ok")
    run = factories.run(macro)
    work(run)
    rename_tickets()
    request = macro.steps.get().webrequest
    request.body = '{"other": 1}'
    request.save()

    resend(Delivery.objects.all(), Resend.ANEW, olivia)

    assert work(run) == ("finished", 1, 0, 0, 0, 0)
    bodies = [json.loads(request.body) for request in receiver.requests]
    assert bodies == [{"text": "Old title"}, {"text": "New title"}]
    assert receiver.ids == {delivery_id(run.key, Delivery.objects.get().pk): 2}


def test_the_same_request_goes_out_with_todays_credentials(
    olivia: User, receiver: Receiver
) -> None:
    headers = "Authorization: Bearer hunter2hunter2\nX-Title: ((Title))"
    macro = a_macro(f"{receiver.url}/ok", headers=headers)
    run = factories.run(macro)
    work(run)
    rename_tickets()

    resend(Delivery.objects.all(), Resend.SAME, olivia)
    work(run)

    sent = dict(receiver.requests[1].headers)
    assert sent["Authorization"] == "Bearer hunter2hunter2"
    assert sent["X-Title"] == "New title"


def test_a_request_without_a_body_is_sent_again_without_one(
    olivia: User, receiver: Receiver
) -> None:
    macro = a_macro(f"{receiver.url}/ok", method="GET", body="", body_kind="none")
    run = factories.run(macro)
    work(run)
    resend(Delivery.objects.all(), Resend.SAME, olivia)
    assert work(run) == ("finished", 1, 0, 0, 0, 0)
    assert [(r.method, r.body) for r in receiver.requests] == [("GET", b"")] * 2


def test_text_that_looks_like_a_tag_is_sent_as_it_was(
    olivia: User, receiver: Receiver
) -> None:
    bugs = factories.feedback_type()
    factories.ticket(bugs, title="((Status)) \\(( ((Nothing such))")
    run = factories.run(factories.macro(bugs, f"{receiver.url}/ok"))
    work(run)
    resend(Delivery.objects.all(), Resend.SAME, olivia)
    work(run)
    first, second = receiver.requests
    assert first.body == second.body


def test_a_masked_request_can_only_be_built_anew(
    olivia: User, receiver: Receiver
) -> None:
    run = factories.run(a_macro(f"{receiver.url}/ok?api_key=topsecret123"))
    work(run)
    rows = Delivery.objects.all()

    found = survey(rows, Resend.SAME, olivia)
    assert found.count == 0
    assert found.hindrances == {
        "the request held a secret, and logs keep no secrets: build it anew": 1
    }
    assert resend(rows, Resend.SAME, olivia).count == 0
    assert survey(rows, Resend.ANEW, olivia).count == 1
    assert resend(rows, Resend.ANEW, olivia).count == 1
    assert work(run) == ("finished", 1, 0, 0, 0, 0)
    targets = [request.target for request in receiver.requests]
    assert targets == ["/ok?api_key=topsecret123"] * 2


def test_a_mask_never_goes_out_even_if_it_came_onto_the_log_meanwhile(
    olivia: User, receiver: Receiver
) -> None:
    run = factories.run(a_macro(f"{receiver.url}/ok"))
    work(run)
    resend(Delivery.objects.all(), Resend.SAME, olivia)
    Attempt.objects.update(request_body="••••••")
    assert work(run) == ("finished", 0, 1, 0, 0, 0)
    assert "Build it anew" in Attempt.objects.latest("pk").message
    assert len(receiver.requests) == 1


def test_a_request_that_was_never_built_can_only_be_built_anew(olivia: User) -> None:
    macro = a_macro(GONE, body='{"text": "((External: jira|required))"}')
    run = factories.run(macro)
    assert work(run) == ("finished", 0, 1, 0, 0, 0)
    rows = Delivery.objects.all()
    same, anew = (survey(rows, kind, olivia) for kind in Resend)
    assert same.hindrances == {"no request was ever sent: build it anew": 1}
    assert (anew.count, anew.hindrances) == (1, {})


def test_the_last_request_that_was_sent_is_the_one_to_repeat(
    olivia: User, receiver: Receiver
) -> None:
    run = factories.run(a_macro(f"{receiver.url}/ok"))
    work(run)
    rename_tickets()
    resend(Delivery.objects.all(), Resend.ANEW, olivia)
    work(run)
    Feedback.objects.update(title="Newest title")
    resend(Delivery.objects.all(), Resend.SAME, olivia)
    work(run)
    bodies = [json.loads(request.body)["text"] for request in receiver.requests]
    assert bodies == ["Old title", "New title", "New title"]


def test_a_second_click_does_nothing_more(olivia: User, receiver: Receiver) -> None:
    run = factories.run(a_macro(f"{receiver.url}/status/404", tickets=3))
    work(run)
    failed = Delivery.objects.filter(state="failed")
    everything = Delivery.objects.all()

    assert resend(failed, Resend.ANEW, olivia).count == 3
    again = [resend(rows, Resend.SAME, olivia) for rows in (failed, everything)]

    assert [(found.count, found.runs) for found in again] == [(0, {}), (0, {})]
    assert survey(everything, Resend.ANEW, olivia).hindrances == {
        "not sent yet, but will be": 3
    }
    assert work(run) == ("finished", 0, 3, 0, 0, 0)
    assert len(receiver.requests) == 6


def test_what_is_being_sent_is_left_alone(olivia: User) -> None:
    run = factories.run(a_macro(GONE, tickets=2, ladder="1 h"))
    [held] = claim_due(run.pk, 1, "a")
    Delivery.objects.filter(pk=held.pk).update(attempts=1)
    found = survey(Delivery.objects.all(), Resend.ANEW, olivia)
    assert found.count == 0
    assert found.hindrances == {"being sent now": 1, "not sent yet, but will be": 1}
    assert resend(Delivery.objects.all(), Resend.ANEW, olivia).count == 0
    held.refresh_from_db()
    assert held.lease == "a"


def test_a_resend_replaces_a_retry_that_waits_and_the_ladder_starts_over(
    olivia: User, receiver: Receiver
) -> None:
    macro = a_macro(f"{receiver.url}/status/503", ladder="1 h")
    run = factories.run(macro)
    assert work(run) == ("active", 0, 0, 0, 0, 1)

    assert resend(Delivery.objects.all(), Resend.SAME, olivia).count == 1

    assert counters(run) == ("active", 0, 0, 0, 0, 1)
    assert work(run) == ("active", 0, 0, 0, 0, 1), "one more try is left"
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        assert work(run) == ("finished", 0, 1, 0, 0, 0)
    delivery = Delivery.objects.get()
    assert (delivery.attempts, delivery.attempts_before) == (3, 1)
    assert [a.number for a in delivery.attempt_log.all()] == [1, 2, 3]
    assert len({request.body for request in receiver.requests}) == 1


def test_the_give_up_time_counts_from_the_resend(
    olivia: User, receiver: Receiver
) -> None:
    macro = a_macro(f"{receiver.url}/status/503", ladder="1 h")
    Macro.objects.update(give_up_after="2 h")
    macro.refresh_from_db()
    run = factories.run(macro)
    with time_machine.travel(timezone.now() + timedelta(days=3)):
        assert work(run) == ("finished", 0, 1, 0, 0, 0)
        resend(Delivery.objects.all(), Resend.ANEW, olivia)
        assert work(run) == ("active", 0, 0, 0, 0, 1)


def test_rows_of_other_people_are_ignored(olivia: User) -> None:
    run = factories.run(a_macro(GONE))
    work(run)
    nora = User.objects.create_user("nora", is_staff=True)
    rows = Delivery.objects.all()
    assert survey(rows, Resend.ANEW, nora).count == 0
    assert resend(rows, Resend.ANEW, nora).count == 0
    assert counters(run) == ("finished", 0, 1, 0, 0, 0)


def test_a_selection_of_many_runs_goes_back_into_each_runs_counters(
    olivia: User,
) -> None:
    macro = a_macro(GONE, tickets=3)
    runs = [factories.run(macro) for _ in range(3)]
    for run in runs:
        answer(run, ("failed", "dns"), ("failed", "dns"), ("delivered", ""))
    other = factories.run(macro)
    selection = Delivery.objects.filter(state="failed").exclude(run=runs[2])

    found = resend(selection.order_by("target_label"), Resend.ANEW, olivia)

    assert (found.count, found.runs) == (4, {runs[0].pk: 2, runs[1].pk: 2})
    assert [counters(run) for run in runs] == [
        ("active", 1, 0, 0, 0, 2),
        ("active", 1, 0, 0, 0, 2),
        ("finished", 1, 2, 0, 0, 0),
    ]
    runs[0].refresh_from_db()
    assert runs[0].finished_at is None
    assert counters(other) == ("active", 0, 0, 0, 0, 3)


@pytest.mark.parametrize("count", [2, 60])
def test_many_rows_cost_as_many_queries_as_few(
    olivia: User, count: int, django_assert_max_num_queries: Any
) -> None:
    run = factories.run(a_macro(GONE, tickets=count))
    answer(run, *[("failed", "dns")] * count)
    with django_assert_max_num_queries(10):
        assert resend(Delivery.objects.all(), Resend.SAME, olivia).count == count


def test_too_many_at_once_are_refused_with_a_sentence(
    olivia: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = factories.run(a_macro(GONE, tickets=3))
    work(run)
    monkeypatch.setattr(resends, "MOST_AT_ONCE", 2)
    with pytest.raises(ResendRefused, match="More than 2 deliveries are selected"):
        resend(Delivery.objects.all(), Resend.ANEW, olivia)
    assert resend(Delivery.objects.filter(pk=0), Resend.ANEW, olivia).count == 0
    assert counters(run) == ("finished", 0, 3, 0, 0, 0)


def test_the_bell_rings_once_for_each_run_but_not_without_end(
    olivia: User,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    macro = a_macro(GONE, tickets=2)
    for _ in range(4):
        answer(factories.run(macro), ("failed", "dns"), ("failed", "dns"))
    rung: list[tuple[int, int]] = []
    monkeypatch.setattr("macros.queue.ring", lambda pk, due: rung.append((pk, due)))
    monkeypatch.setattr(resends, "_MOST_BELLS", 3)
    with django_capture_on_commit_callbacks(execute=True):
        resend(Delivery.objects.all(), Resend.ANEW, olivia)
    first = Run.objects.order_by("pk").values_list("pk", flat=True)[:3]
    assert rung == [(pk, 2) for pk in first]


def test_a_deleted_tickets_delivery_is_not_resent(olivia: User) -> None:
    run = factories.run(a_macro(GONE, tickets=2))
    work(run)
    Feedback.objects.earliest("pk").delete()
    found = survey(Delivery.objects.all(), Resend.SAME, olivia)
    assert (found.count, found.hindrances) == (1, {"the ticket was deleted": 1})


# Several steps


def test_steps_skipped_after_a_failure_run_once_the_resent_one_is_delivered(
    olivia: User, receiver: Receiver
) -> None:
    urls = [f"{receiver.url}/status/((Title))", *[f"{receiver.url}/ok"] * 2]
    macro = a_macro(*urls)
    Feedback.objects.update(title="404")
    run = factories.run(macro)
    assert work(run) == ("finished", 0, 1, 2, 0, 0)
    Feedback.objects.update(title="200")

    found = resend(Delivery.objects.filter(state="failed"), Resend.ANEW, olivia)

    assert (found.count, found.runs) == (1, {run.pk: 3})
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
    answer(run, ("delivered", ""), ("failed", "dns"), ("skipped", ""))

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
    answer(skipped, ("failed", "dns"), ("skipped", ""))
    rows = Delivery.objects.filter(step=1)
    found = survey(rows, Resend.ANEW, olivia)
    why = "a later step: it follows by itself when the step before it is delivered"
    assert (found.count, found.hindrances) == (0, {why: 2})
    assert resend(rows, Resend.ANEW, olivia).count == 0
    assert states(fresh) == ["pending", "waiting"]


# Cancelled and paused runs


def test_of_a_cancelled_run_only_what_is_resent_goes_out(
    olivia: User, receiver: Receiver
) -> None:
    run = factories.run(a_macro(f"{receiver.url}/ok", f"{receiver.url}/ok", tickets=3))
    cancel_run(run)
    assert counters(run) == ("cancelled", 0, 0, 0, 6, 0)
    one = run.deliveries.order_by("pk")[:1].values("pk")

    found = resend(Delivery.objects.filter(pk__in=one), Resend.ANEW, olivia)

    assert (found.count, found.runs) == (1, {run.pk: 2})
    assert counters(run) == ("active", 0, 0, 0, 4, 2)
    assert work(run) == ("finished", 2, 0, 0, 4, 0)
    assert len(receiver.requests) == 2


def test_all_of_a_cancelled_run_can_be_resent(olivia: User, receiver: Receiver) -> None:
    run = factories.run(a_macro(f"{receiver.url}/ok", f"{receiver.url}/ok", tickets=3))
    cancel_run(run)
    assert resend(run.deliveries.all(), Resend.ANEW, olivia).count == 3
    assert work(run) == ("finished", 6, 0, 0, 0, 0)


def test_a_cancelled_step_whose_step_before_was_delivered_is_resent(
    olivia: User,
) -> None:
    run = factories.run(a_macro(GONE, GONE))
    answer(run, ("delivered", ""), ("cancelled", ""))
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
    found = survey(run.deliveries.all(), Resend.ANEW, olivia)
    assert found.hindrances == {
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


@pytest.mark.django_db(transaction=True)
def test_two_people_who_resend_at_the_same_moment_resend_once(
    receiver: Receiver,
) -> None:
    olivia = factories.superuser()
    run = factories.run(a_macro(f"{receiver.url}/status/404", tickets=20))
    work(run)
    start = threading.Barrier(4)
    counts: list[int] = []

    def click() -> None:
        start.wait()
        try:
            found = resend(Delivery.objects.filter(state="failed"), Resend.ANEW, olivia)
            counts.append(found.count)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(counts) == [0, 0, 0, 20], connection.vendor
    assert counters(run) == ("active", 0, 0, 0, 0, 20)
