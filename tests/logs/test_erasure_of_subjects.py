"""Erasing a person on whom user macros ran: the log of it, and what they brought."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from centerhook.receiver import Receiver
from feedback.models import FeedbackType
from feedback.models import Tester as Person
from logs import recording
from logs.models import Attempt, Delivery, DeliveryState, Resend, Run
from logs.privacy import ErasureUnfinished, erase_tester, export_tester, footprint
from logs.recording import Captured, Outcome
from macros import deliveries
from macros.deliveries.claims import claim_due
from macros.runs.resend import preview_resend, resend
from tests import factories
from tests.logs import people

pytestmark = pytest.mark.django_db

BODY = """{"who": "((Name)) <((Email))>", "tel": "((Phone))", "co": "((Company))",
  "where": "((Street)), ((Street 2)) ((Postal Code)) ((City)) ((Region))"}"""
KEPT = {"name": "echoed", "source": "header", "expression": "Content-Type"}


@pytest.fixture
def olivia() -> User:
    return factories.superuser()


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def zoe(bugs: FeedbackType) -> Person:
    made = people.a_person(bugs)
    Person.objects.filter(pk=made.pk).update(score=12)
    made.refresh_from_db()
    return made


def a_run(bugs: FeedbackType, *urls: str, **options: Any) -> Run:
    macro = factories.macro(bugs.project.community, *urls, body=BODY, **options)
    return factories.run(macro)


def test_nothing_of_her_is_left_in_any_table(
    olivia: User, bugs: FeedbackType, zoe: Person, receiver: Receiver
) -> None:
    people.a_neighbour(bugs)
    first = a_run(bugs, f"{receiver.url}/ok", return_values=[KEPT])
    deliveries.work(first.pk)
    deliveries.work(a_run(bugs, f"{receiver.url}/status/500", ladder="1 h").pk)
    zoe.refresh_from_db()
    assert zoe.external_data["echoed"] and zoe.external_provenance
    told = footprint(zoe)
    assert (told.attempts, told.pending) == (2, 1)
    assert [copy.requests for copy in told.copies] == [2]
    assert set(people.telling_in(people.everything_stored())) == set(people.TELLING)

    erase_tester(zoe, olivia)

    assert people.telling_in(people.everything_stored()) == []
    assert (zoe.external_data, zoe.external_provenance, zoe.score) == ({}, {}, 0)
    own = Delivery.objects.filter(tester=zoe)
    assert {each.subject_label for each in own} == {f"erased-{zoe.pk}@invalid"}
    assert sorted(each.state for each in own) == ["cancelled", "delivered"]
    assert all(each.is_emptied for each in Attempt.objects.filter(delivery__in=own))


def test_nothing_of_others_is_changed(
    olivia: User, bugs: FeedbackType, zoe: Person, receiver: Receiver
) -> None:
    people.a_neighbour(bugs)
    deliveries.work(a_run(bugs, f"{receiver.url}/ok", return_values=[KEPT]).pk)
    theirs = [
        Person.objects.exclude(pk=zoe.pk),
        Delivery.objects.exclude(tester=zoe),
        Attempt.objects.exclude(delivery__tester=zoe),
    ]
    before = [list(rows.order_by("pk").values()) for rows in theirs]
    assert all(before)
    erase_tester(zoe, olivia)
    assert [list(rows.order_by("pk").values()) for rows in theirs] == before


def test_the_export_has_what_was_sent_of_her(
    bugs: FeedbackType, zoe: Person, receiver: Receiver
) -> None:
    other = people.a_neighbour(bugs)
    run = a_run(bugs, f"{receiver.url}/ok")
    deliveries.work(run.pk)
    document = json.loads("".join(export_tester(zoe)))
    [sent] = document["deliveries"]
    row = Delivery.objects.get(tester=zoe)
    assert (sent["id"], sent["state"]) == (f"dlv_{run.key}_{row.pk}", "delivered")
    [attempt] = sent["attempts"]
    assert json.loads(attempt["request_body"])["tel"] == people.PROFILE["phone"]
    assert document["score"] == 12
    assert [copy["origin"] for copy in document["sent_to"]] == [receiver.url]
    assert document["named_in"] == [], "her own log is no mention elsewhere"
    assert other.email not in json.dumps(document)


def test_what_waits_is_cancelled_and_resent_to_nobody(
    olivia: User, bugs: FeedbackType, zoe: Person, receiver: Receiver
) -> None:
    people.a_neighbour(bugs)
    run = a_run(bugs, *[f"{receiver.url}/ok"] * 2)
    erase_tester(zoe, olivia)
    deliveries.work(run.pk)
    run.refresh_from_db()
    assert (run.delivered, run.cancelled, run.state) == (2, 2, "finished")
    assert len(receiver.requests) == 2
    mine = run.deliveries.filter(tester=zoe)
    assert preview_resend(mine, Resend.ANEW, olivia).count == 0
    assert resend(mine, Resend.ANEW, olivia).count == 0
    factories.run(run.macro)
    assert Delivery.objects.filter(tester=zoe).count() == 2, "nor in a new run"


def test_while_a_worker_sends_the_erasure_is_finished_later(
    olivia: User, bugs: FeedbackType, zoe: Person
) -> None:
    run = a_run(bugs, "http://127.0.0.1:9/")
    [held] = claim_due(run.pk, 9, "a")
    with pytest.raises(ErasureUnfinished, match="1 request is being sent"):
        erase_tester(zoe, olivia)
    outcome = an_outcome(held)
    recording.record(run, "a", [outcome], timezone.now())
    assert people.telling_in(people.everything_stored())

    erase_tester(zoe, olivia)

    assert people.telling_in(people.everything_stored()) == []
    zoe.refresh_from_db()
    assert zoe.external_data == {}, "what came meanwhile goes too"


def test_a_worker_that_comes_back_too_late_brings_nothing_back(
    olivia: User, bugs: FeedbackType, zoe: Person
) -> None:
    run = a_run(bugs, "http://127.0.0.1:9/")
    [held] = claim_due(run.pk, 9, "a")
    Delivery.objects.update(next_attempt_at=timezone.now())  # The lease ran out.
    erase_tester(zoe, olivia)
    recording.record(run, "a", [an_outcome(held)], timezone.now())
    assert people.telling_in(people.everything_stored()) == []
    zoe.refresh_from_db()
    assert (zoe.external_data, Attempt.objects.get().url) == ({}, "")


def an_outcome(held: Delivery) -> Outcome:
    attempt = Attempt(delivery=held, number=1, started_at=timezone.now(), status=200)
    attempt.method, attempt.url = "POST", f"http://x.test/?m={people.EMAIL}"
    value = Captured("crm", "member-4711", "body $.crm")
    return Outcome(held, DeliveryState.DELIVERED, attempt, captured=[value])
