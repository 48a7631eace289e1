"""A macro's retry policy at work, and a macro that pauses."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.utils import timezone

from centerhook.receiver import Receiver
from logs.models import Attempt, AuditEntry, Delivery, Run
from macros import deliveries, jobs, queue
from macros.deliveries.claims import claim_due
from macros.deliveries.outcomes import given_back, pause_if_gone
from macros.models import Macro
from macros.runs import RunRefused
from macros.runs.control import cancel_run, resume_macro
from macros.steps.kinds.web_request import WebRequest
from tests import factories
from tests.http.hostile import Peer, Server

pytestmark = pytest.mark.django_db


def a_macro(url: str, count: int = 1, ladder: str = "30 s", **policy: object) -> Macro:
    bugs = factories.feedback_type()
    factories.tickets(bugs, count)
    macro = factories.macro(bugs, url, ladder=ladder)
    for name, value in policy.items():
        setattr(macro, name, value)
    macro.full_clean()
    macro.save()
    return macro


def deliver(run: Run) -> Run:
    deliveries.work(run.pk)
    run.refresh_from_db()
    return run


def seconds_to_wait() -> float:
    due = Delivery.objects.get().next_attempt_at
    assert due is not None
    return (due - timezone.now()).total_seconds()


def responding(status: str, *headers: str) -> Callable[[Peer], None]:
    head = "\r\n".join([f"HTTP/1.1 {status}", *headers, "Content-Length: 0"])

    def respond(peer: Peer) -> None:
        peer.request()
        peer.say(f"{head}\r\n\r\n".encode())

    return respond


def hang(peer: Peer) -> None:
    peer.request()
    peer.hang()


@pytest.mark.parametrize(
    ("off", "status", "label"),
    [
        ("retry_server_error", 500, "server error (5xx)"),
        ("retry_busy", 429, "asked to come back later (408, 425, 429)"),
    ],
)
def test_a_cause_that_is_switched_off_ends_the_delivery_and_says_so(
    receiver: Receiver, off: str, status: int, label: str
) -> None:
    macro = a_macro(f"{receiver.url}/status/{status}", **{off: False})
    run = deliver(factories.run(macro))
    assert (run.state, run.failed) == ("finished", 1)
    assert Attempt.objects.get().message == (
        f"Not tried again: the macro does not retry this ({label})."
    )


def test_causes_without_a_response_can_be_switched_off_too(
    serve: Callable[..., Server], short_limits: None
) -> None:
    slow = a_macro(serve(hang).url("/"), retry_timeout=False)
    gone = serve(hang)
    gone.stop_listening()
    refused = a_macro(gone.url("/"), retry_connection=False)

    failed = [deliver(factories.run(each)).deliveries.get() for each in (slow, refused)]

    assert [each.state for each in failed] == ["failed", "failed"]
    assert [
        each.attempt_log.get().message.split(" Not tried")[1] for each in failed
    ] == [
        " again: the macro does not retry this (timeout).",
        " again: the macro does not retry this (no connection).",
    ]


@pytest.mark.parametrize("retried", [True, False])
def test_after_a_timeout_the_macro_says_whether_the_risk_is_taken(
    serve: Callable[..., Server], short_limits: None, retried: bool
) -> None:
    macro = a_macro(serve(hang).url("/"), retry_unknown=retried)
    deliver(factories.run(macro))
    attempt = Attempt.objects.get()
    assert attempt.outcome_unknown
    assert ("the outcome is unknown" in attempt.message) is not retried
    assert Delivery.objects.get().state == ("pending" if retried else "failed")


@pytest.mark.parametrize("retried", [True, False])
def test_what_a_worker_lost_is_retried_unless_the_unknown_is_not(
    receiver: Receiver, retried: bool
) -> None:
    macro = a_macro(f"{receiver.url}/ok", retry_unknown=retried)
    run = factories.run(macro)
    claim_due(run.pk, 1, "a worker that dies")
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        deliver(run)
    states = [each.error_class for each in Attempt.objects.order_by("pk")]
    assert states == (["lost", ""] if retried else ["lost"])
    assert Delivery.objects.get().state == ("delivered" if retried else "failed")
    assert len(receiver.requests) == retried


def test_retry_after_is_heeded_on_any_retried_status(
    serve: Callable[..., Server],
) -> None:
    macro = a_macro(serve(responding("503 Busy", "retry-after: 600")).url("/"))
    deliver(factories.run(macro))
    assert 590 < seconds_to_wait() <= 661


@pytest.mark.parametrize(
    ("hint", "least", "most"),
    [("5", 20, 33), ("99999999", 86_300, 95_041), ("in a while", 20, 33)],
)
def test_retry_after_only_lengthens_the_wait_within_bounds(
    serve: Callable[..., Server], hint: str, least: float, most: float
) -> None:
    destination = serve(responding("429 Slow down", f"Retry-After: {hint}"))
    deliver(factories.run(a_macro(destination.url("/"))))
    assert least < seconds_to_wait() <= most


def test_a_date_to_retry_after_counts_for_the_give_up_time(
    serve: Callable[..., Server],
) -> None:
    later = timezone.now() + timedelta(hours=2)
    date = later.strftime("Retry-After: %a, %d %b %Y %H:%M:%S GMT")
    url = serve(responding("503 Busy", date)).url("/")
    deliver(factories.run(a_macro(url, give_up_after="3 h")))
    assert 7000 < seconds_to_wait() <= 7921

    run = deliver(factories.run(a_macro(url, give_up_after="1 h")))
    assert run.deliveries.get().state == "failed"
    message = run.deliveries.get().attempt_log.get().message
    assert message == (
        "The system asks to wait for 2 h. Not tried again: the next try would come more"
        " than 1 h after the start of the run."
    )


def test_a_resend_starts_ladder_and_give_up_time_over(receiver: Receiver) -> None:
    macro = a_macro(f"{receiver.url}/status/500", give_up_after="1 min")
    run = factories.run(macro)
    two_days = timezone.now() + timedelta(days=2)
    run.deliveries.update(attempts=4, attempts_before=4, resent_at=two_days)
    with time_machine.travel(two_days, tick=True):
        deliver(run)
    assert Delivery.objects.get().state == "pending"


def test_a_run_keeps_the_policy_that_it_started_with(receiver: Receiver) -> None:
    macro = a_macro(f"{receiver.url}/status/500", give_up_after="1 d")
    run = factories.run(macro)
    Macro.objects.update(retry_ladder="", retry_server_error=False, give_up_after="1 s")
    deliver(run)
    assert Delivery.objects.get().state == "pending"


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("give_up_after", "tomorrow", "'tomorrow' is not a wait such as"),
        ("give_up_after", "8 d", "'8 d' is not between 1 s and 7 d."),
        (
            "give_up_after",
            "10 s",
            "'10 s' is shorter than the first wait, 30 s, so nothing would be tried",
        ),
        ("retry_ladder", ", ".join(["1 s"] * 5000), "5000 waits are too many; 20"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_at_its_field(
    field: str, value: str, message: str
) -> None:
    macro = factories.macro(factories.feedback_type(), ladder="30 s")
    setattr(macro, field, value)
    with pytest.raises(ValidationError) as refused:
        macro.full_clean()
    [(where, messages)] = refused.value.message_dict.items()
    assert where == field and messages[-1].startswith(message)


def test_a_410_pauses_the_macro_and_its_other_deliveries_wait(
    receiver: Receiver, settings: object
) -> None:
    settings.BATCH_SIZE = 4  # type: ignore[attr-defined]
    macro = a_macro(f"{receiver.url}/status/410", count=3)
    other = factories.run(macro)
    run = deliver(factories.run(macro))
    sent = len(receiver.requests)

    macro.refresh_from_db()
    assert macro.paused_at is not None
    # Whichever of those sent side by side got its response first.
    assert re.fullmatch(
        f"{receiver.url} responded with 410 to BUG-[123]: the address is gone for good."
        " Put a new one into the web request, then resume.",
        macro.paused_reason,
    )
    entry = AuditEntry.objects.get(action="paused")
    assert (entry.actor_name, entry.detail) == ("system", macro.paused_reason)
    assert (entry.object_id, entry.run) == (macro.pk, run)
    assert set(run.deliveries.values_list("state", flat=True)) == {"failed"}
    deliver(other)
    assert len(receiver.requests) == sent
    waiting = other.deliveries.values_list("state", "attempts", "lease")
    assert set(waiting) == {("pending", 0, "")}


def test_a_paused_macro_starts_no_run_and_says_why() -> None:
    macro = a_macro("https://a.example/")
    assert Macro.objects.filter(pk=macro.pk).pause("Olga paused it.", timezone.now())
    macro.refresh_from_db()
    with pytest.raises(RunRefused) as refused:
        factories.run(macro)
    assert str(refused.value) == f"The macro {macro.name} is paused: Olga paused it."


def test_the_first_of_several_reasons_is_kept() -> None:
    macro = a_macro("https://a.example/")
    rows = Macro.objects.filter(pk=macro.pk)
    assert rows.pause("First.", timezone.now())
    assert not rows.pause("Second.", timezone.now())
    macro.refresh_from_db()
    assert macro.paused_reason == "First."


def test_a_worker_in_the_middle_gives_back_what_is_unsent(
    serve: Callable[..., Server],
) -> None:
    statuses = iter(["410 Gone"])

    def first_gone_then_slow(peer: Peer) -> None:
        peer.request()
        status = next(statuses, "200 OK")
        time.sleep(0 if status == "410 Gone" else 0.2)
        peer.say(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())

    server = serve(first_gone_then_slow)
    macro = a_macro(server.url("/"), count=300)

    run = deliver(factories.run(macro))

    assert (run.state, run.failed) == ("active", 1)
    left = run.deliveries.filter(state="pending")
    assert left.count() == run.pending > 100
    assert set(left.values_list("attempts", "lease")) == {(0, "")}
    assert Attempt.objects.count() == len(server.requests) == run.ended


def test_the_clock_notifies_of_a_paused_macros_run_only_when_it_is_cancelled() -> None:
    macro = a_macro("https://a.example/", count=2)
    run = factories.run(macro)
    claim_due(run.pk, 1, "a worker that dies")
    Macro.objects.all().pause("Olga paused it.", timezone.now())
    later = timezone.now() + timedelta(minutes=5)
    assert not Run.objects.with_due_deliveries(later).exists()

    cancel_run(run)

    assert Run.objects.with_due_deliveries(later).get() == run
    with time_machine.travel(later):
        deliver(run)
        jobs.wake()
    run.refresh_from_db()
    assert (run.state, run.cancelled) == ("cancelled", 2)


def test_workers_are_notified_of_a_run_whose_macro_was_deleted() -> None:
    macro = a_macro("https://a.example/")
    run = factories.run(macro)
    macro.delete()
    assert Run.objects.with_due_deliveries(timezone.now()).get() == run


def test_resuming_a_macro_notifies_workers_and_what_waited_is_sent(
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., object],
) -> None:
    macro = a_macro(f"{receiver.url}/ok", count=2)
    run = factories.run(macro)
    Macro.objects.all().pause("Olga paused it.", timezone.now())
    jobs.deliver(run.pk)
    assert not receiver.requests
    notified: list[tuple[int, int]] = []
    monkeypatch.setattr(queue, "notify", lambda *args: notified.append(args))

    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        resume_macro(macro)

    macro.refresh_from_db()
    assert (macro.paused_reason, macro.paused_at) == ("", None)
    assert notified == [(run.pk, 2)]
    assert deliver(run).delivered == 2


def test_an_old_runs_410_does_not_pause_a_macro_that_was_mended(
    receiver: Receiver,
) -> None:
    macro = a_macro(f"{receiver.url}/status/410")
    run = factories.run(macro)
    WebRequest.objects.update(url=f"{receiver.url}/ok")
    deliver(run)
    macro.refresh_from_db()
    assert (run.failed, macro.paused_reason) == (1, "")


def test_only_a_410_pauses() -> None:
    macro = a_macro("https://a.example/")
    run = factories.run(macro)
    delivery = run.deliveries.get()
    tried = Attempt(delivery=delivery, number=1, status=404)
    outcome = given_back(delivery)
    outcome.attempt = tried
    pause_if_gone(run, [given_back(delivery), outcome], timezone.now())
    macro.refresh_from_db()
    assert not macro.paused_reason
