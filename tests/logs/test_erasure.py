"""Erasing a person: nothing of hers is left, and nothing of others' is changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from centerhook.receiver import Receiver
from feedback.models import Comment, Feedback, FeedbackType
from feedback.models import Tester as Person
from logs import privacy, recording
from logs.models import Attempt, AuditEntry, Delivery, DeliveryState, Resend, Run
from logs.privacy import ErasureUnfinished, erase_tester, erasure
from logs.recording import Outcome
from macros import deliveries
from macros.deliveries.claims import claim_due
from macros.runs.resend import preview_resend, resend
from tests import factories
from tests.listeners import Heard, heard
from tests.logs import people

__all__ = ["heard"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def olivia() -> User:
    return factories.superuser()


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def zoe(bugs: FeedbackType) -> Person:
    return people.a_person(bugs)


def rows_of(*querysets: Any) -> list[Any]:
    return [list(rows.order_by("pk").values()) for rows in querysets]


def test_nothing_of_her_is_left_in_any_table(
    olivia: User, bugs: FeedbackType, zoe: Person, receiver: Receiver
) -> None:
    other = people.a_neighbour(bugs)
    people.a_mention(bugs, other)
    people.a_run(bugs, f"{receiver.url}/ok")
    people.a_run(bugs, f"{receiver.url}/status/500", ladder="1 h")
    deleted = factories.ticket(bugs, title="Gone", submitter=zoe)
    people.a_run(bugs, f"{receiver.url}/ok")
    people.a_history(olivia, zoe, deleted, *zoe.tickets.all())
    deleted.delete()
    assert set(people.telling_in(people.everything_stored())) == set(people.TELLING)

    erase_tester(zoe, olivia)

    assert people.telling_in(people.everything_stored()) == []
    zoe.refresh_from_db()
    assert (zoe.email, zoe.name) == (f"erased-{zoe.pk}@invalid", "")
    assert (zoe.country, zoe.external_data, zoe.erasure) == ("", {}, {})
    assert (zoe.erased_by, zoe.erased_at is not None) == ("olivia", True)
    own = rows_of(zoe.tickets.all(), Comment.objects.filter(feedback__submitter=zoe))
    assert "zoë" not in str(own).lower() and "zürich" not in str(own).lower()
    assert zoe.tickets.count() == 2


def test_what_a_ticket_says_beside_the_values_stays(
    olivia: User, zoe: Person, bugs: FeedbackType
) -> None:
    before = {ticket.pk: ticket.modified_at for ticket in zoe.tickets.all()}
    erase_tester(zoe, olivia)
    ticket = zoe.tickets.earliest("pk")
    assert ticket.title == "Crash for [erased]"
    assert ticket.description == "I am [erased], [erased], [erased] [erased]. [erased]."
    assert ticket.form_values == {"steps": "Call [erased]", "impact": "[erased]"}
    assert ticket.external_data == {"link": "https://x.test/?m=[erased]"}
    assert ticket.comments.get().text == "Asked [erased] by phone"
    assert {ticket.pk: ticket.modified_at for ticket in zoe.tickets.all()} == before


@pytest.mark.parametrize("remove_texts", [False, True])
def test_nothing_is_announced_about_her(
    olivia: User, zoe: Person, heard: Heard, remove_texts: bool
) -> None:
    erase_tester(zoe, olivia, remove_texts=remove_texts)
    zoe.refresh_from_db()
    assert zoe.erased_at is not None
    assert (heard.changes, heard.changing) == ([], [])


def test_the_texts_are_removed_wholly_where_that_is_asked_for_even_later(
    olivia: User, zoe: Person
) -> None:
    people.a_history(olivia, *zoe.tickets.all())
    erase_tester(zoe, olivia)
    erase_tester(zoe, olivia, remove_texts=True)
    for ticket in zoe.tickets.all():
        assert (ticket.title, ticket.description) == ("[erased]", "")
        assert (ticket.form_values, ticket.external_data) == ({}, {})
        assert ticket.comments.get().text == "[erased]"


def test_nothing_of_others_is_changed(
    olivia: User, bugs: FeedbackType, zoe: Person, receiver: Receiver
) -> None:
    other = people.a_neighbour(bugs)
    far = factories.feedback_type()
    stranger = people.a_neighbour(far)
    people.a_mention(far, stranger)
    people.a_run(far, f"{receiver.url}/ok")
    people.a_history(olivia, other, stranger, *stranger.tickets.all())
    run = factories.run(factories.macro(bugs, f"{receiver.url}/ok", body=people.BODY))
    deliveries.work(run.pk)
    theirs = [
        Person.objects.exclude(pk=zoe.pk),
        Feedback.objects.exclude(submitter=zoe),
        Comment.objects.exclude(feedback__submitter=zoe),
        Attempt.objects.exclude(delivery__feedback__submitter=zoe),
        Run.objects.all(),
        AuditEntry.objects.exclude(action="erased"),
    ]
    before = rows_of(*theirs)

    erase_tester(zoe, olivia)

    after = rows_of(*theirs)
    assert after == before


def test_a_mention_elsewhere_loses_what_is_hers_alone(
    olivia: User, bugs: FeedbackType, zoe: Person
) -> None:
    made = people.a_mention(bugs, people.a_neighbour(bugs))
    erase_tester(zoe, olivia)
    made.refresh_from_db()
    assert made.title == "Same as [erased] says"
    assert made.description == "See [erased]"
    assert made.comments.get().text == "As [erased] wrote, Zoë"


def test_a_namesake_keeps_her_name(
    olivia: User, bugs: FeedbackType, zoe: Person
) -> None:
    namesake = people.a_neighbour(bugs)
    Person.objects.filter(pk=namesake.pk).update(last_name="O'BRIEN")
    made = people.a_mention(bugs, namesake)
    erase_tester(zoe, olivia)
    made.refresh_from_db()
    assert made.title == "Same as O'Brien, Zoë says"
    assert made.description == "See [erased]"


def test_an_emptied_attempt_keeps_what_happened_and_is_not_sent_again_as_it_was(
    olivia: User, bugs: FeedbackType, zoe: Person, receiver: Receiver
) -> None:
    run = people.a_run(bugs, f"{receiver.url}/status/422")
    facts = ("method", "status", "number", "started_at", "total_ms", "error_class")
    before = list(Attempt.objects.values_list(*facts))
    erase_tester(zoe, olivia)
    assert list(Attempt.objects.values_list(*facts)) == before
    assert all(attempt.is_emptied for attempt in Attempt.objects.all())
    preview = preview_resend(Delivery.objects.all(), Resend.SAME, olivia)
    why = "the request is no longer kept: build it anew"
    assert (preview.count, preview.blockers) == (0, {why: 2})

    assert resend(Delivery.objects.all(), Resend.ANEW, olivia).count == 2
    before_that = len(receiver.requests)
    deliveries.work(run.pk)

    bodies = [each.body.decode() for each in receiver.requests[before_that:]]
    assert len(bodies) == 2
    assert all(f"<erased-{zoe.pk}@invalid>" in body for body in bodies)
    # Its run had her e-mail in the URL, which the snapshot has lost.
    assert people.telling_in(people.everything_stored()) == []


def test_what_waits_is_cancelled_and_counted(
    olivia: User, bugs: FeedbackType, zoe: Person, receiver: Receiver
) -> None:
    people.a_neighbour(bugs)
    url = f"{receiver.url}/ok"
    run = factories.run(factories.macro(bugs, url, url))
    erase_tester(zoe, olivia)
    run.refresh_from_db()
    assert (run.total, run.cancelled, run.state) == (6, 4, "active")
    deliveries.work(run.pk)
    run.refresh_from_db()
    assert (run.delivered, run.cancelled, run.state) == (2, 4, "finished")
    assert len(receiver.requests) == 2


def test_while_a_worker_sends_the_erasure_waits_and_is_finished_later(
    olivia: User, bugs: FeedbackType, zoe: Person
) -> None:
    run = factories.run(factories.macro(bugs, "http://127.0.0.1:9/", ladder="1 h"))
    held = claim_due(run.pk, 1, "a")[0]

    with pytest.raises(ErasureUnfinished, match="1 request is being sent"):
        erase_tester(zoe, olivia)

    assert zoe.email == f"erased-{zoe.pk}@invalid"
    assert privacy.find_tester(zoe.community, people.EMAIL) == zoe
    attempt = Attempt(delivery=held, number=1, started_at=timezone.now())
    attempt.method, attempt.url = "POST", f"http://x.test/?m={people.EMAIL}"
    outcome = Outcome(held, DeliveryState.PENDING, attempt, retry_in=3600)
    recording.record(run, "a", [outcome], timezone.now())
    assert people.telling_in(people.everything_stored())

    erase_tester(zoe, olivia)

    assert people.telling_in(people.everything_stored()) == []
    run.refresh_from_db()
    assert (run.cancelled, run.state) == (2, "finished")
    assert privacy.find_tester(zoe.community, people.EMAIL) is None


def test_a_worker_that_comes_back_too_late_brings_nothing_back(
    olivia: User, bugs: FeedbackType, zoe: Person
) -> None:
    people.a_neighbour(bugs)
    run = factories.run(factories.macro(bugs, "http://127.0.0.1:9/"))
    held = claim_due(run.pk, 9, "a")
    Delivery.objects.update(next_attempt_at=timezone.now())  # The leases ran out.
    erase_tester(zoe, olivia)

    outcomes = []
    for delivery in held:
        attempt = Attempt(delivery=delivery, number=1, started_at=timezone.now())
        attempt.method, attempt.url = "POST", "http://x.test/o'brien"
        outcomes.append(Outcome(delivery, DeliveryState.DELIVERED, attempt))
    Delivery.objects.filter(feedback__submitter__erased_at=None).update(lease="b")
    recording.record(run, "a", outcomes, timezone.now())

    tries = Attempt.objects.order_by("delivery_id")
    assert [(each.method, each.url) for each in tries] == [
        ("POST", ""),
        ("POST", ""),
        ("POST", "http://x.test/o'brien"),
    ]


def crash(*args: Any) -> None:
    raise ConnectionError


def test_a_crash_at_any_step_is_mended_by_erasing_again(
    olivia: User,
    bugs: FeedbackType,
    zoe: Person,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    people.a_mention(bugs, people.a_neighbour(bugs))
    people.a_run(bugs, f"{receiver.url}/ok")
    people.a_history(olivia, zoe, *zoe.tickets.all())
    steps = ["_clean", "_stop_and_scrub", "_scrub"]
    for step in steps:
        with monkeypatch.context() as patched:
            patched.setattr(f"logs.privacy.erasure.{step}", crash)
            with pytest.raises(ConnectionError):
                erase_tester(zoe, olivia)
        zoe.refresh_from_db()
        assert (zoe.first_name, bool(zoe.erasure)) == ("", True)

    unfinished = privacy.find_tester(zoe.community, people.EMAIL)
    assert unfinished == zoe
    erase_tester(zoe, None)
    assert people.telling_in(people.everything_stored()) == []
    zoe.refresh_from_db()
    assert zoe.erased_by == "olivia"


def test_a_crash_between_two_rows_is_mended_too(
    olivia: User, zoe: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[int] = []

    def one_and_no_more(*args: Any) -> Any:
        if done:
            raise ConnectionError
        done.append(1)
        return without(*args)

    without = erasure._without
    with monkeypatch.context() as patched:
        patched.setattr(erasure, "_without", one_and_no_more)
        with pytest.raises(ConnectionError):
            erase_tester(zoe, olivia)
    titles = [ticket.title for ticket in zoe.tickets.order_by("pk")]
    assert titles == ["Crash for [erased]", "Zoe\u0308's second"]
    erase_tester(zoe, olivia)
    assert people.telling_in(people.everything_stored()) == []


@pytest.mark.django_db(transaction=True)
def test_a_real_worker_that_sends_meanwhile_leaves_nothing(
    olivia: User, bugs: FeedbackType, zoe: Person, receiver: Receiver
) -> None:
    run = factories.run(
        factories.macro(bugs, f"{receiver.url}/delay/1500", body=people.BODY)
    )
    engine = deliveries.Engine()
    engine.start()
    try:
        engine.notify(run.pk)
        wait_until(lambda: len(receiver.requests) == 2)
        with pytest.raises(ErasureUnfinished, match="2 requests are being sent"):
            erase_tester(zoe, olivia)
        wait_until(lambda: run.deliveries.filter(state="delivered").count() == 2)
    finally:
        engine.stop()
        engine.join()
    assert people.telling_in(people.everything_stored())
    erase_tester(zoe, olivia)
    assert people.telling_in(people.everything_stored()) == []


def wait_until(so: Callable[[], bool]) -> None:
    end = time.monotonic() + 15
    while not so():
        assert time.monotonic() < end, "it hangs"
        time.sleep(0.02)


def test_erasing_twice_changes_nothing_more(olivia: User, zoe: Person) -> None:
    erase_tester(zoe, olivia)
    before = people.everything_stored()
    erase_tester(zoe, None)
    assert people.everything_stored() == before
