""" "Too fast" is the destination's word: it holds everybody who goes there."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from logs.models import Attempt, DeliveryState, Destination, Run
from logs.recording import Outcome, health
from logs.recording.waiting import count_waiting, troubles_of
from macros.deliveries.throttle import MIN_WINDOW, Throttles
from tests import factories
from tests.http.hostile import OK
from tests.macros.busy import (
    LADDER,
    Moods,
    Serve,
    a_run,
    in_seconds,
    response,
    slow_down,
    type_of,
    untried,
    work,
)

pytestmark = pytest.mark.django_db


def test_one_response_holds_the_whole_run(serve: Serve) -> None:
    """The case: 120 of 120 went out within 8 s of a "come back in 30 s"."""
    busy = Moods(serve, slow_down())

    run = work(a_run(busy.url, 120))

    assert 1 <= busy.count <= MIN_WINDOW, "what was on the wire, and no more"
    assert untried(run) == 120 - busy.count
    held = Destination.objects.get().held_until
    assert held is not None
    assert 25 < (held - timezone.now()).total_seconds() <= 31


def test_it_holds_other_runs_workers_and_those_that_start_anew(serve: Serve) -> None:
    busy = Moods(serve, slow_down())
    first = work(a_run(busy.url))
    bugs = type_of(first)
    count = busy.count

    # Each call is an engine of its own, as of another worker, or after a restart.
    other = work(a_run(busy.url, 5, bugs))
    work(first)

    assert (busy.count, untried(other)) == (count, 6)


def test_a_worker_that_knows_the_destination_looks_it_up_again() -> None:
    bugs = factories.feedback_type()
    community = bugs.project.community
    row = Destination.objects.create(
        community=community, origin="https://a.example:443"
    )
    throttles = Throttles(8)
    throttle = throttles.get(community.pk, row.origin)
    assert throttle.begin("one")

    row.held_until = timezone.now() + timedelta(seconds=30)
    row.save(update_fields=row.HOLD_FIELDS)
    throttles.refresh()

    assert not throttle.begin("two")
    assert (throttle.is_shut, throttle.capacity, throttle.window) == (True, 0, 1)


def test_other_communities_and_destinations_go_on(serve: Serve) -> None:
    busy, fine = Moods(serve, slow_down()), Moods(serve)
    first = work(a_run(busy.url))
    bugs = type_of(first)
    busy.reply = OK

    assert work(a_run(fine.url, 3, bugs)).delivered == 4
    assert work(a_run(busy.url, 3)).delivered == 3, "of another community"


def test_the_rest_goes_out_when_the_time_has_come_and_slowly_at_first(
    serve: Serve,
) -> None:
    busy = Moods(serve, slow_down())
    run = work(a_run(busy.url, 40))
    with in_seconds(28):
        work(run)
        assert busy.count <= MIN_WINDOW
    count = busy.count
    with in_seconds(32):
        # Still too fast: one asks, and is not followed by a window of others.
        work(run)
        assert busy.count == count + 1
    busy.reply = OK
    with in_seconds(70):
        assert work(run).state == "finished"
    assert run.delivered == 40
    assert max(run.deliveries.values_list("attempts", flat=True)) <= 3


def test_a_run_to_many_hosts_is_held_at_one_of_them_only(serve: Serve) -> None:
    busy, fine = Moods(serve, slow_down()), Moods(serve)
    bugs = factories.feedback_type()
    for number in range(60):
        server = (busy, fine)[number % 2].server
        factories.ticket(bugs, title=server.url("").rpartition(":")[2])
    macro = factories.macro(bugs, "http://127.0.0.1:((Title))/", ladder=LADDER)

    run = work(factories.run(macro))

    assert run.delivered == 30
    row = Destination.objects.get(held_until__isnull=False)
    parked = run.deliveries.filter(attempts=0)
    assert parked.count() == 30 - busy.count
    # They need not be looked at before: nobody builds them again and again.
    # A response that came later may have added a moment to the wait.
    assert row.held_until is not None
    early = row.held_until - timedelta(seconds=5)
    assert not run.deliveries.filter(next_attempt_at__lt=early).exists()
    assert {each.destination for each in parked} == {row}
    assert count_waiting(row) == 30
    [trouble] = troubles_of(run, timezone.now())
    assert (trouble.destination, "30 deliveries wait" in str(trouble)) == (row, True)


def a_try(run: Run, origin: str, wait: float | None, error: str = "busy") -> Outcome:
    """A request that was tried now, and what its response asked for."""
    delivery, now = run.deliveries.get(), timezone.now()
    attempt = Attempt(delivery=delivery, number=1, started_at=now)
    attempt.error_class, attempt.status = error, 429 if error else 200
    until = None if wait is None else now + timedelta(seconds=wait)
    return Outcome(
        delivery, DeliveryState.PENDING, attempt, 1, origin=origin, held_until=until
    )


def hold(run: Run, *waits: float | None, error: str = "busy") -> float:
    """The seconds that the destination is held for after these responses."""
    origin, now = "https://a.example:443", timezone.now()
    outcomes = [a_try(run, origin, wait, error) for wait in waits]
    health.update_destinations(run, outcomes, now)
    until = Destination.objects.get(origin=origin).held_until
    return 0 if until is None else round((until - now).total_seconds())


def test_of_several_waits_the_longest_counts() -> None:
    run = a_run("https://a.example/")
    assert hold(run, 20, 3600, 10) == 3600
    assert hold(run, 5) == 3600
    assert hold(run, None, error="") == 3600, "what was on the wire is no news"


def test_without_a_time_it_is_left_alone_for_longer_and_longer() -> None:
    run = a_run("https://a.example/")
    holds = []
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(10):
            holds.append(hold(run, None, None, None))
            clock.shift(holds[-1])
        assert holds == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]
        assert hold(run, None, error="") == 0, "a response ends it"
        assert hold(run, None) == 5


def test_429_without_a_time_holds_the_others_too(serve: Serve) -> None:
    busy = Moods(serve, response("429 Too Many Requests"))
    Destination.objects.create(
        community=(bugs := factories.feedback_type()).project.community,
        origin=busy.server.url(""),
        holds=3,
    )
    run = work(a_run(busy.url, 40, bugs))
    assert busy.count <= 2 * MIN_WINDOW
    assert untried(run) >= 40 - 2 * MIN_WINDOW
