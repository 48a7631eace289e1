"""No community makes another one wait."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from centerhook.receiver import Receiver
from logs.models import Attempt, Run
from macros.deliveries import Engine, turns
from macros.deliveries.turns import Turns
from tests import factories
from tests.http.hostile import Peer, Server, http_response
from tests.processes.conftest import wait_until


def test_each_community_has_its_turn_whatever_waits_for_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "TURN", 0)
    done: list[str] = []
    to_do = Turns()
    for number in range(3):
        to_do.add(1, lambda number=number: done.append(f"a{number}"))  # type: ignore[misc]
    to_do.add(2, lambda: done.append("b"))

    to_do.round()
    assert done == ["a0", "b"]
    to_do.round()
    to_do.round()
    assert done == ["a0", "b", "a1", "a2"] and not to_do


def test_a_turn_is_long_enough_for_what_is_quickly_done() -> None:
    done: list[int] = []
    to_do = Turns()
    for number in range(20):
        to_do.add(1, lambda number=number: done.append(number))  # type: ignore[misc]
    to_do.round()
    assert done == list(range(20))


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine()
    engine.start()
    yield engine
    engine.stop()
    engine.join()


# Each asks for all that one delivery may cost.
HEAVY = [
    {"name": "a", "expression": "$" + "[*,*]" * 60, "required": True},
    {"name": "b", "source": "text", "expression": "(?:(?:a|b){1,30}){1,30}c"},
    {"name": "c", "expression": "$..[?search(@, $.pattern)]"},
    {"name": "d", "expression": "$[?" + "||".join(["@==$[0]"] * 40) + "]"},
]
DEEP = "[" * 60 + "1" + "]" * 60
POISON = json.dumps({"pattern": "(a+)+$", "ab": "ab" * 200_000, "deep": [DEEP] * 500})


def poisons(peer: Peer) -> None:
    while peer.request():
        peer.say(http_response(POISON.encode()))


@pytest.mark.django_db(transaction=True)
def test_a_poison_run_beside_a_good_one_does_not_hold_it_up(
    serve: Callable[..., Server], receiver: Receiver, engine: Engine
) -> None:
    theirs, ours = factories.feedback_type(), factories.feedback_type()
    factories.tickets(theirs, 40)
    factories.tickets(ours, 20)
    url = serve(poisons).url("/")
    poison = factories.run(factories.macro(theirs, url, return_values=HEAVY))
    engine.notify(poison.pk)
    wait_until(lambda: Attempt.objects.exists())
    good = factories.run(factories.macro(ours, f"{receiver.url}/ok"))
    engine.notify(good.pk)

    wait_until(lambda: settled(good))
    assert not settled(poison), "the good one was done in the middle of it"
    wait_until(lambda: settled(poison), 60)

    assert (good.delivered, good.problems) == (20, 0)
    assert (poison.delivered, poison.problems, poison.failed) == (40, 40, 0)
    message = Attempt.objects.filter(delivery__run=poison)[0].message
    assert "The required a is missing" in message
    assert "needs more work than is allowed" in message


def settled(run: Run) -> bool:
    run.refresh_from_db()
    return run.is_settled
