from __future__ import annotations

import threading
from collections import Counter

import pytest

from macros.http import AddressPolicy, Request, TransportError
from macros.http.connections import MAX_IDLE, Guard, GuardedAdapter
from macros.http.urls import target_of
from tests.http.conftest import LOOPBACK, limits
from tests.http.hostile import OK, Behaviour, FakeDNS, Peer, always, answer


def closes_on_the_second_request(reset: bool) -> Behaviour:
    """The race: the target gives the connection up while a request is on its way."""

    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(OK)
        if peer.number == 0:
            peer.request()
            if reset:
                peer.reset()
        else:
            always(OK)(peer)

    return behave


def test_a_connection_closed_while_idle_is_replaced(serve, post):
    gone = threading.Event()

    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(OK)
        peer.sock.close()
        gone.set()

    server = serve(behave)
    for _ in range(3):
        assert post(server.url()).status == 200
        assert gone.wait(1)
        gone.clear()
    assert (server.connections, len(server.requests)) == (3, 3)


@pytest.mark.parametrize("reset", [False, True])
def test_a_request_lost_on_a_kept_connection_goes_out_once_more(serve, post, reset):
    server = serve(closes_on_the_second_request(reset))
    post(server.url("/one"))
    again = post(server.url("/two"))
    assert again.status == 200
    assert again.timings.connect_ms is not None
    lines = [request.partition(b" HTTP")[0] for request in server.requests]
    assert lines == [b"POST /one", b"POST /two", b"POST /two"]


def test_a_request_that_may_not_be_repeated_is_not(serve, client):
    server = serve(closes_on_the_second_request(False))
    request = Request("POST", server.url(), (), b"{}")
    client.send(request, limits=limits())
    with pytest.raises(TransportError) as caught:
        client.send(request, limits=limits(), repeatable=False)
    assert (caught.value.kind, caught.value.outcome_unknown) == ("connect", True)
    assert len(server.requests) == 2


def test_a_request_is_repeated_no_more_than_once(serve, post, failing):
    def behave(peer: Peer) -> None:
        peer.request()
        if peer.number == 0:
            peer.say(OK)
            peer.request()

    server = serve(behave)
    post(server.url())
    error = failing(server.url())
    assert (error.kind, error.outcome_unknown) == ("connect", True)
    assert len(server.requests) == 3


def test_a_timeout_on_a_kept_connection_is_not_repeated(serve, post, failing):
    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(OK)
        peer.request()
        peer.hang()

    server = serve(behave)
    post(server.url())
    assert failing(server.url(), read=0.2).kind == "timeout"
    assert len(server.requests) == 2


def test_a_repeat_that_cannot_connect_still_leaves_the_outcome_unknown(
    serve, post, failing
):
    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(OK)
        peer.request()
        peer.server.stop_listening()

    server = serve(behave)
    post(server.url())
    error = failing(server.url())
    assert (error.kind, error.outcome_unknown) == ("connect", True)


@pytest.mark.parametrize(
    "raw",
    [
        answer(b"ok", "Connection: close"),
        answer(b"ok", "Connection: x, Close"),
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        OK + b"HTTP/1.1 200 OK\r\n",
        answer(b"0\r\n\r\n", "Transfer-Encoding: chunked"),
        answer(b"x" * 300_000),
        answer(b"ok", length=1),
    ],
    ids=["close", "among", "1.0", "second answer", "both framings", "cut", "surplus"],
)
def test_a_connection_in_doubt_is_not_kept(serve, post, raw):
    server = serve(always(raw))
    for _ in range(2):
        assert post(server.url()).status == 200
    assert server.connections == 2


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
    ],
)
def test_a_connection_whose_answer_ended_cleanly_is_kept(serve, post, raw):
    server = serve(always(raw))
    for _ in range(2):
        post(server.url())
    assert server.connections == 1


def test_no_exchange_is_cut_by_the_deadline_of_another(serve, client):
    """Short and long deadlines share a pool of kept connections."""

    def behave(peer: Peer) -> None:
        while request := peer.request():
            if b"POST /slow" in request:
                peer.server.over.wait(0.05)
            peer.say(answer(request.partition(b"\r\n\r\n")[2]))

    server = serve(behave)
    seen: Counter[str] = Counter()

    def send(number: int) -> None:
        for turn in range(60):
            slow = (number + turn) % 4 == 0
            body = f"{number}/{turn}".encode()
            request = Request("POST", server.url("/slow" if slow else "/"), (), body)
            allowed = limits(deadline=0.02 if slow else 5.0, read=5.0)
            try:
                got = client.send(request, limits=allowed)
                seen["right" if got.body == body and not got.cut else "wrong"] += 1
            except TransportError as error:
                seen["late" if slow and error.kind == "timeout" else str(error)] += 1

    threads = [threading.Thread(target=send, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"right": 720, "late": 240}


def test_a_connection_idle_for_long_is_not_trusted(serve):
    """Firewalls forget idle connections and tell nobody."""
    guard = Guard(AddressPolicy(LOOPBACK), FakeDNS(["127.0.0.1"]))
    target = target_of(serve(always(OK)).url())
    pool = GuardedAdapter(guard, ca_file=None).pool(target)
    connection = pool.take()
    connection.timeout = 1.0
    connection.connect()
    pool.give_back(connection)
    assert not pool.take().is_closed
    pool.give_back(connection)
    connection.idle_since -= MAX_IDLE
    assert pool.take().is_closed
