"""A delivery whose workers end again and again is worked on alone, and then fails."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.utils import timezone

from centerhook.receiver import Receiver
from logs.models import Attempt, Delivery, Run, delivery_id
from macros import deliveries
from macros.deliveries import Engine
from macros.deliveries.claims import claim_due, claim_suspect, has_suspect
from macros.deliveries.suspects import (
    MAX_LOSSES,
    PATIENCE,
    SUSPECT_AFTER,
    Isolation,
    few_of_the_lost,
)
from tests import factories

pytestmark = pytest.mark.django_db


@dataclass
class AWork:
    """A run at work with so many suspects, quiet or not."""

    suspects: int = 0
    is_quiet: bool = True

    @property
    def has_suspects(self) -> bool:
        return self.suspects > 0

    def claim_suspect(self) -> bool:
        held = self.has_suspects
        self.suspects -= held
        self.is_quiet = not held
        return held


def test_without_suspects_everybody_claims() -> None:
    assert Isolation().may_claim([AWork(), AWork(is_quiet=False)])


def test_a_suspect_waits_for_the_others_and_they_for_it() -> None:
    suspicious, other = AWork(suspects=1), AWork(is_quiet=False)
    works = [other, suspicious]
    isolation = Isolation()
    assert not isolation.may_claim(works)
    assert suspicious.is_quiet, "the other one is not done yet"
    other.is_quiet = True
    assert not isolation.may_claim(works)
    assert not suspicious.is_quiet, "it is at work"
    assert not isolation.may_claim(works)
    suspicious.is_quiet = True
    assert isolation.may_claim(works)


def test_after_a_suspect_it_is_the_others_turn() -> None:
    suspicious = AWork(suspects=2)
    isolation = Isolation()
    assert not isolation.may_claim([suspicious])
    isolation._began_at -= 10
    suspicious.is_quiet = True
    assert isolation.may_claim([suspicious])
    assert suspicious.suspects == 1 and suspicious.is_quiet


def test_a_suspect_whose_run_was_dropped_holds_up_nobody() -> None:
    suspicious = AWork(suspects=1)
    isolation = Isolation()
    assert not isolation.may_claim([suspicious])
    assert isolation.may_claim([AWork()])


def test_a_suspect_that_waits_in_vain_leaves_the_others_their_time() -> None:
    works = [AWork(suspects=1), AWork(is_quiet=False)]
    isolation = Isolation()
    assert not isolation.may_claim(works)
    isolation._began_at -= PATIENCE
    assert isolation.may_claim(works)
    works[1].is_quiet = True
    assert isolation.may_claim(works), "it is still their time"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock = SimpleNamespace(now=1000.0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr("macros.deliveries.suspects.time", clock)
    return clock


def turns(isolation: Isolation, clock: SimpleNamespace, *works: AWork) -> list[float]:
    """The seconds from now in which the others may claim nothing."""
    begun, waits = clock.now, []
    for second in range(250):
        clock.now = begun + second
        if not isolation.may_claim(works):
            waits.append(second)
    return waits


def test_the_others_have_four_times_as_long_as_a_suspect_took(
    clock: SimpleNamespace,
) -> None:
    suspicious, isolation = AWork(suspects=2), Isolation()
    assert not isolation.may_claim([suspicious])
    clock.now += 10
    assert not isolation.may_claim([suspicious])
    suspicious.is_quiet = True
    assert turns(isolation, clock, suspicious)[0] == 40


def test_the_others_have_four_times_as_long_as_a_suspect_waited_in_vain(
    clock: SimpleNamespace,
) -> None:
    busy = AWork(is_quiet=False)
    waits = turns(Isolation(), clock, AWork(suspects=1), busy)
    patience = round(PATIENCE)
    assert waits == [*range(patience), *range(5 * patience, 6 * patience)]
    isolation = Isolation()
    assert not isolation.may_claim([AWork(suspects=1), busy])
    assert isolation.may_claim([busy]), "another worker has taken it"
    clock.now += 2 * PATIENCE
    assert not isolation.may_claim([AWork(suspects=1), busy]), "it waits anew"


def test_a_suspect_that_another_worker_was_first_to_take_holds_up_nobody(
    clock: SimpleNamespace,
) -> None:
    gone, isolation = AWork(suspects=1), Isolation()
    gone.claim_suspect = lambda: False  # type: ignore[method-assign]
    assert isolation.may_claim([gone])
    clock.now += PATIENCE
    busy = AWork(is_quiet=False)
    assert not isolation.may_claim([AWork(suspects=1), busy]), "it waits from now on"


def test_what_was_lost_together_is_taken_apart() -> None:
    def counts(size: int) -> list[int]:
        return [
            sum(few_of_the_lost([losses] * 100, size))
            for losses in range(SUSPECT_AFTER)
        ]

    assert counts(500) == [100, 62, 7]
    assert counts(8) == [100, 1, 1]
    assert few_of_the_lost([0, 0, 1], 8) == [True, True, True]
    assert few_of_the_lost([2, 0, 2, 1, 0], 8) == [True, True, False, False, True]


def a_run(receiver: Receiver, tickets: int = 1, ladder: str = "1 s, 1 s") -> Run:
    bugs = factories.feedback_type()
    factories.tickets(bugs, tickets)
    return factories.run(factories.macro(bugs, f"{receiver.url}/ok", ladder=ladder))


def lost(delivery: Delivery, losses: int) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(losses=losses, attempts=losses)


def work(run: Run) -> Run:
    deliveries.work(run.pk)
    run.refresh_from_db()
    return run


def test_a_suspect_is_claimed_alone_and_after_everything_else(
    receiver: Receiver,
) -> None:
    run = a_run(receiver, 5)
    suspect, *others = run.deliveries.order_by("pk")
    lost(suspect, SUSPECT_AFTER)
    claimed = claim_due(run.pk, 100, "a")
    assert {each.pk for each in claimed} == {each.pk for each in others}
    assert has_suspect(run.pk)
    assert [each.pk for each in claim_suspect(run.pk, "b")] == [suspect.pk]
    assert not has_suspect(run.pk) and not claim_suspect(run.pk, "c")


def test_of_several_suspects_one_is_held() -> None:
    bugs = factories.feedback_type()
    factories.tickets(bugs, 2)
    run = factories.run(factories.macro(bugs, "http://127.0.0.1:9/"))
    Delivery.objects.update(losses=SUSPECT_AFTER, attempts=SUSPECT_AFTER)
    assert [len(claim_suspect(run.pk, lease)) for lease in "abc"] == [1, 1, 0]


@pytest.mark.parametrize(("lease", "claimed"), [("", 4), ("gone", 8)])
def test_few_that_were_lost_are_tried_together_but_all_are_noted_as_lost(
    lease: str, claimed: int
) -> None:
    """A quarter of 32 are retries, and an eighth of it are tried after one loss."""
    bugs = factories.feedback_type()
    factories.tickets(bugs, 10)
    run = factories.run(factories.macro(bugs, "http://127.0.0.1:9/"))
    Delivery.objects.update(losses=1, attempts=1, lease=lease)
    assert len(claim_due(run.pk, 32, "a")) == claimed


def test_a_suspect_that_is_innocent_is_delivered_and_none_any_more(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("macros.deliveries.suspects._OTHERS_SHARE", 0)
    run = a_run(receiver, 5)
    first, second, *others = run.deliveries.order_by("pk")
    lost(first, SUSPECT_AFTER)
    lost(second, SUSPECT_AFTER + 1)
    assert work(run).delivered == 5
    ids = list(receiver.ids)
    assert set(ids[:3]) == {delivery_id(run.key, each.pk) for each in others}
    assert set(Delivery.objects.values_list("losses", flat=True)) == {0}


def test_a_loss_is_counted_until_the_delivery_has_failed(receiver: Receiver) -> None:
    run = a_run(receiver, ladder=", ".join(["1 s"] * 8))
    moment = timezone.now()
    for losses in range(MAX_LOSSES):
        delivery = Delivery.objects.get()
        assert (delivery.losses, delivery.state) == (losses, "pending")
        with time_machine.travel(moment + timedelta(seconds=1)):
            claim = claim_suspect if losses >= SUSPECT_AFTER else claim_one
            assert claim(run.pk, f"dead{losses}")
        moment += timedelta(minutes=5)
        with time_machine.travel(moment):
            write_the_loss_down(run)
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.losses) == ("failed", MAX_LOSSES)
    assert not receiver.requests
    last = Attempt.objects.order_by("pk").last()
    assert last is not None and last.outcome_unknown
    assert last.message == (
        "The worker ended 5 times in a row while it worked on this delivery, the last 2"
        " times on nothing else. So it is not tried again."
    )


def claim_one(run_id: int, lease: str) -> list[Delivery]:
    return claim_due(run_id, 1, lease)


def write_the_loss_down(run: Run) -> None:
    """What a worker does first with an expired lease; then it is killed too."""
    engine = Engine()
    engine.notify(run.pk)
    engine._receive(0.0)
    engine._turns.round()
    for held in engine._works.values():
        held._claim()
    engine.close()
