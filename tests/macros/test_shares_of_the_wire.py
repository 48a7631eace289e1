"""What is on a worker's wire: no more than goes out, and some of it for everybody."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from pytest_django import Settings

from centerhook import installation
from centerhook.receiver import Receiver
from feedback.models import Feedback, FeedbackType, Mode
from logs.models import Attempt, Cause, Run
from macros.deliveries import Engine
from macros.deliveries.throttle import Throttle, Throttles
from macros.deliveries.wire import Share, Wire
from macros.runs import start_run
from tests import factories
from tests.http.hostile import OK, Peer, Server
from tests.processes.conftest import wait_until

CAP = 96
Serve = Callable[..., Server]


def fill(throttle: Throttle) -> int:
    """Begin as many requests as it may; how many these are."""
    throttle.window = throttle.cap
    begun = throttle.in_flight
    while throttle.begin(f"token-{throttle.in_flight}"):
        pass
    return throttle.in_flight - begun


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("count", "begun"), [(1, CAP), (2, 2 * CAP), (3, 213), (16, 230)]
)
def test_slow_destinations_leave_room_to_others(
    settings: Settings, count: int, begun: int
) -> None:
    settings.WORKER_THREADS = 256
    throttles = Throttles(CAP)
    slow = [throttles.get(1, f"https://{number}.example") for number in range(count)]
    assert sum(fill(throttle) for throttle in slow) == pytest.approx(begun, abs=5)
    assert fill(throttles.get(1, "https://quick.example")) >= 1
    assert fill(throttles.get(2, "https://quick.example")) >= 8


@pytest.mark.django_db
def test_a_destination_that_has_many_gives_way_as_they_end(settings: Settings) -> None:
    settings.WORKER_THREADS = 256
    throttles = Throttles(CAP)
    greedy = [throttles.get(1, f"https://{number}.example") for number in range(3)]
    others = [throttles.get(1, f"https://{number}.test") for number in range(20)]
    for throttle in [*greedy, *others]:
        fill(throttle)
    for _ in range(CAP):
        for throttle in greedy:
            throttle.end("token", 30.0, True)
            for each in [*greedy, *others]:
                fill(each)
    assert min(each.in_flight for each in others) >= 6
    assert max(each.in_flight for each in greedy) <= 20


@pytest.mark.django_db
@pytest.mark.parametrize("threads", [1, 2, 8])
def test_few_threads_are_used_as_well(settings: Settings, threads: int) -> None:
    settings.WORKER_THREADS = threads
    throttles = Throttles(CAP)
    assert fill(throttles.get(1, "https://a.example")) >= threads * 7 // 8
    for number in range(20):
        fill(throttles.get(number, "https://b.example"))
    assert throttles._wire.free == 0


@pytest.mark.parametrize(
    ("free", "first", "most"),
    [(2, False, 0), (3, True, 0), (4, True, 0), (5, True, 4), (6, True, 8)],
)
def test_of_32_threads_a_community_leaves_two_and_two_to_those_without_any(
    free: int, first: bool, most: int
) -> None:
    """A destination that has some may have up to four times what is left then."""
    share = Share(Wire(free), taken=32 - free)
    assert share.has_room(0) is first
    assert [share.has_room(number) for number in range(1, 10)] == [
        number < most for number in range(1, 10)
    ]


def test_each_request_that_is_over_makes_room_for_one() -> None:
    wire = Wire(32)
    share = Share(wire)
    for _ in range(3):
        share.take()
    share.give_back()
    assert (wire.free, share.taken) == (30, 2)


class Slow:
    """A server that responds to nothing before it is let go."""

    def __init__(self, serve: Serve) -> None:
        self.go = threading.Event()
        self._serve = serve
        self.servers: list[Server] = []

    def url(self) -> str:
        """To one more destination."""
        self.servers.append(self._serve(self._respond))
        return self.servers[-1].url("/")

    @property
    def count(self) -> int:
        return sum(len(server.requests) for server in self.servers)

    def _respond(self, peer: Peer) -> None:
        while peer.request():
            self.go.wait(20)
            peer.say(OK)


@pytest.fixture
def slow(serve: Serve) -> Iterator[Slow]:
    made = Slow(serve)
    yield made
    made.go.set()


@pytest.fixture
def engine(settings: Settings, short_naps: None) -> Iterator[Engine]:
    settings.WORKER_THREADS = 32
    engine = Engine()
    engine.start()
    yield engine
    engine.stop()
    engine.join()


def runs_to(engine: Engine, slow: Slow, count: int, bugs: FeedbackType) -> list[Run]:
    """To so many slow destinations; the wire is nearly full when this returns."""
    factories.tickets(bugs, 10)
    runs = [factories.run(factories.macro(bugs, slow.url())) for _ in range(count)]
    for run in runs:
        engine.notify(run.pk)
    wait_until(lambda: slow.count >= 24)
    return runs


def settled(run: Run) -> bool:
    run.refresh_from_db()
    return run.is_settled


@pytest.mark.django_db(transaction=True)
def test_nothing_is_begun_that_no_thread_has_time_for(
    engine: Engine, slow: Slow
) -> None:
    """So that a pause gives back all that did not go out yet."""
    runs = runs_to(engine, slow, 6, factories.feedback_type())
    installation.set_mode(Mode.PAUSED, "olivia")
    wait_until(lambda: not any(work._unsent for work in engine._works.values()))
    on_the_wire = len(engine._on_the_wire)
    wait_until(lambda: slow.count == on_the_wire)
    assert on_the_wire <= 30
    slow.go.set()
    wait_until(lambda: not engine._works)
    assert slow.count == Attempt.objects.count() == on_the_wire
    installation.set_mode(Mode.NORMAL, "olivia")
    for run in runs:
        engine.notify(run.pk)
    wait_until(lambda: all(settled(run) for run in runs))
    assert slow.count == Attempt.objects.count() == 60


@pytest.mark.django_db(transaction=True)
def test_a_full_wire_has_room_for_another_destination(
    engine: Engine, slow: Slow, receiver: Receiver
) -> None:
    ours, theirs = factories.feedback_type(), factories.feedback_type()
    factories.ticket(theirs)
    runs_to(engine, slow, 4, ours)
    quick = factories.run(factories.macro(theirs, f"{receiver.url}/ok"))
    engine.notify(quick.pk)
    wait_until(lambda: settled(quick))
    ours_too = factories.run(factories.macro(ours, f"{receiver.url}/ok"))
    engine.notify(ours_too.pk)
    wait_until(lambda: len(receiver.ids) > 1)
    assert slow.count <= 30 and not slow.go.is_set()


@pytest.mark.django_db(transaction=True)
def test_runs_to_one_destination_take_turns(engine: Engine, receiver: Receiver) -> None:
    """A run of one does not wait for all of a long one that came before."""
    bugs = factories.feedback_type()
    tickets = factories.tickets(bugs, 150)
    macro = factories.macro(bugs, f"{receiver.url}/delay/50")
    long_one = factories.run(macro)
    engine.notify(long_one.pk)
    wait_until(lambda: len(receiver.ids) > 10)
    rows = Feedback.objects.filter(pk=tickets[0].pk)
    short_one = start_run(macro, rows, cause=Cause.ACTION)
    engine.notify(short_one.pk)
    wait_until(lambda: settled(short_one))
    assert not settled(long_one)
    wait_until(lambda: settled(long_one), 60)
