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
from logs.models import (
    Attempt,
    AuditEntry,
    Delivery,
    Resend,
    Run,
    Transcript,
    delivery_id,
)
from macros.deliveries.claims import claim_due
from macros.models import Macro
from macros.runs.resend import ResendRefused, preview_resend, resend
from tests import factories
from tests.macros.resending import GONE, a_macro, counters, finish, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def olivia() -> User:
    return factories.superuser()


def rename_tickets() -> None:
    Feedback.objects.update(title="New title")


def test_the_same_request_again_is_the_old_bytes_under_the_old_id(
    olivia: User, receiver: Receiver
) -> None:
    macro = a_macro(f"{receiver.url}/status/404?q=((Title))")
    run = factories.run(macro)
    assert work(run) == ("finished", 0, 1, 0, 0, 0)
    rename_tickets()

    requeued = resend(Delivery.objects.all(), Resend.SAME, olivia)

    assert (requeued.count, requeued.runs) == (1, {run.pk: 1})
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

    preview = preview_resend(rows, Resend.SAME, olivia)
    assert preview.count == 0
    assert preview.blockers == {
        "the request held a secret, and logs keep no secrets: build it anew": 1
    }
    assert resend(rows, Resend.SAME, olivia).count == 0
    assert preview_resend(rows, Resend.ANEW, olivia).count == 1
    assert resend(rows, Resend.ANEW, olivia).count == 1
    assert work(run) == ("finished", 1, 0, 0, 0, 0)
    sent_to = [request.target for request in receiver.requests]
    assert sent_to == ["/ok?api_key=topsecret123"] * 2


def test_a_mask_never_goes_out_even_if_it_came_onto_the_log_meanwhile(
    olivia: User, receiver: Receiver
) -> None:
    run = factories.run(a_macro(f"{receiver.url}/ok"))
    work(run)
    resend(Delivery.objects.all(), Resend.SAME, olivia)
    Transcript.objects.update(request_body="••••••")
    assert work(run) == ("finished", 0, 1, 0, 0, 0)
    assert "Build it anew" in Attempt.objects.latest("pk").message
    assert len(receiver.requests) == 1


def test_a_request_that_was_never_built_can_only_be_built_anew(olivia: User) -> None:
    macro = a_macro(GONE, body='{"text": "((External: jira|required))"}')
    run = factories.run(macro)
    assert work(run) == ("finished", 0, 1, 0, 0, 0)
    rows = Delivery.objects.all()
    same, anew = (preview_resend(rows, kind, olivia) for kind in Resend)
    assert same.blockers == {"no request was ever sent: build it anew": 1}
    assert (anew.count, anew.blockers) == (1, {})


def test_of_a_try_that_is_no_longer_kept_nobody_can_tell_the_request(
    olivia: User,
) -> None:
    """Where none was made, everybody can: there was no request."""
    run = factories.run(a_macro(GONE, tickets=2))
    finish(run, ("failed", "dns"), ("cancelled", ""))
    Attempt.objects.all().delete()
    preview = preview_resend(Delivery.objects.all(), Resend.SAME, olivia)
    assert preview.blockers == {
        "the request is no longer kept: build it anew": 1,
        "no request was ever sent: build it anew": 1,
    }


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

    assert [(each.count, each.runs) for each in again] == [(0, {}), (0, {})]
    assert preview_resend(everything, Resend.ANEW, olivia).blockers == {
        "still in line, so it is sent anyway": 3
    }
    assert work(run) == ("finished", 0, 3, 0, 0, 0)
    assert len(receiver.requests) == 6


def test_what_is_being_sent_is_left_alone(olivia: User) -> None:
    run = factories.run(a_macro(GONE, tickets=2, ladder="1 h"))
    [held] = claim_due(run.pk, 1, "a")
    Delivery.objects.filter(pk=held.pk).update(attempts=1)
    preview = preview_resend(Delivery.objects.all(), Resend.ANEW, olivia)
    assert preview.count == 0
    assert preview.blockers == {
        "being sent now": 1,
        "still in line, so it is sent anyway": 1,
    }
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
    assert preview_resend(rows, Resend.ANEW, nora).count == 0
    assert resend(rows, Resend.ANEW, nora).count == 0
    assert counters(run) == ("finished", 0, 1, 0, 0, 0)


def test_a_selection_of_many_runs_goes_back_into_each_runs_counters(
    olivia: User,
) -> None:
    macro = a_macro(GONE, tickets=3)
    runs = [factories.run(macro) for _ in range(3)]
    for run in runs:
        finish(run, ("failed", "dns"), ("failed", "dns"), ("delivered", ""))
    other = factories.run(macro)
    selection = Delivery.objects.filter(state="failed").exclude(run=runs[2])

    requeued = resend(selection.order_by("subject_label"), Resend.ANEW, olivia)

    assert (requeued.count, requeued.runs) == (4, {runs[0].pk: 2, runs[1].pk: 2})
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
    finish(run, *[("failed", "dns")] * count)
    with django_assert_max_num_queries(16):
        assert resend(Delivery.objects.all(), Resend.SAME, olivia).count == count


def test_too_many_at_once_are_refused_with_a_sentence(
    olivia: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = factories.run(a_macro(GONE, tickets=3))
    work(run)
    monkeypatch.setattr("macros.runs.resend.MAX_AT_ONCE", 2)
    with pytest.raises(ResendRefused, match="More than 2 deliveries are selected"):
        resend(Delivery.objects.all(), Resend.ANEW, olivia)
    assert resend(Delivery.objects.filter(pk=0), Resend.ANEW, olivia).count == 0
    assert counters(run) == ("finished", 0, 3, 0, 0, 0)


def test_a_resend_wakes_a_worker_once_for_each_run_but_not_without_end(
    olivia: User,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    macro = a_macro(GONE, tickets=2)
    for _ in range(4):
        finish(factories.run(macro), ("failed", "dns"), ("failed", "dns"))
    notified: list[tuple[int, int]] = []
    monkeypatch.setattr(
        "macros.queue.notify", lambda pk, due: notified.append((pk, due))
    )
    monkeypatch.setattr("macros.runs.resend._MAX_WAKE_UPS", 3)
    with django_capture_on_commit_callbacks(execute=True):
        resend(Delivery.objects.all(), Resend.ANEW, olivia)
    first = Run.objects.order_by("pk").values_list("pk", flat=True)[:3]
    assert notified == [(pk, 2) for pk in first]


def test_a_deleted_tickets_delivery_is_not_resent(olivia: User) -> None:
    run = factories.run(a_macro(GONE, tickets=2))
    work(run)
    Feedback.objects.earliest("pk").delete()
    preview = preview_resend(Delivery.objects.all(), Resend.SAME, olivia)
    assert (preview.count, preview.blockers) == (1, {"the ticket was deleted": 1})


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
            requeued = resend(
                Delivery.objects.filter(state="failed"), Resend.ANEW, olivia
            )
            counts.append(requeued.count)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(counts) == [0, 0, 0, 20], connection.vendor
    assert counters(run) == ("active", 0, 0, 0, 0, 20)


def test_a_run_is_locked_by_what_it_sends_and_not_by_what_its_macro_does_now(
    olivia: User, receiver: Receiver
) -> None:
    run = factories.run(a_macro(f"{receiver.url}/ok"))
    work(run)
    assert run.macro is not None
    run.macro.steps.all().delete()
    run.community.api_keys.update(is_enabled=False)
    with pytest.raises(ResendRefused, match="has no valid API key"):
        resend(Delivery.objects.all(), Resend.ANEW, olivia)
    assert len(receiver.requests) == 1


def test_nothing_is_resent_where_web_requests_are_locked(
    olivia: User, receiver: Receiver
) -> None:
    run = factories.run(a_macro(f"{receiver.url}/ok"))
    work(run)
    run.community.api_keys.update(is_enabled=False)
    with pytest.raises(ResendRefused, match="has no valid API key"):
        resend(Delivery.objects.all(), Resend.ANEW, olivia)
    assert len(receiver.requests) == 1
    assert not Delivery.objects.filter(state="pending").exists()


def test_the_audit_log_counts_every_run_of_a_resend(
    olivia: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("macros.runs.resend._CHUNK", 2)
    bugs = factories.feedback_type()
    factories.ticket(bugs)
    macro = factories.macro(bugs, "https://a.example/")
    runs = [factories.run(macro) for _ in range(3)]
    for run in runs:
        finish(run, ("failed", "dns"))

    resend(Delivery.objects.all(), Resend.ANEW, olivia)

    entry = AuditEntry.objects.get(action="resent")
    assert entry.detail == "Build anew: 3 deliveries of 3 runs."
    assert (entry.object_type, entry.object_id) == ("logs.run", runs[0].pk)
