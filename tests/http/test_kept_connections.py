from __future__ import annotations

import threading
import time
from collections import Counter

import pytest

from macros.http import AddressPolicy, Request, TransportError
from macros.http.connections import MAX_IDLE, MIN_IDLE, Pool
from macros.http.deadline import Deadline
from macros.http.room import Room
from macros.http.urls import endpoint_of
from tests.http.conftest import LOOPBACK, limits
from tests.http.hostile import OK, Behaviour, Peer, always, http_response


def closes_on_the_second_request(reset: bool) -> Behaviour:
    """The race: the server gives the connection up while a request is on its way."""

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
        assert post(server.url()).status_code == 200
        assert gone.wait(1)
        gone.clear()
    assert (server.connections, len(server.requests)) == (3, 3)


@pytest.mark.parametrize("reset", [False, True])
def test_a_request_lost_on_a_kept_connection_goes_out_once_more(serve, post, reset):
    server = serve(closes_on_the_second_request(reset))
    post(server.url("/one"))
    again = post(server.url("/two"))
    assert again.status_code == 200
    assert again.connect_ms is not None
    lines = [request.partition(b" HTTP")[0] for request in server.requests]
    assert lines == [b"POST /one", b"POST /two", b"POST /two"]


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
        http_response(b"ok", "Connection: close"),
        http_response(b"ok", "Connection: x, Close"),
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        OK + b"HTTP/1.1 200 OK\r\n",
        http_response(b"0\r\n\r\n", "Transfer-Encoding: chunked"),
        http_response(b"x" * 300_000),
        http_response(b"ok", length=1),
        http_response(b"ok", "no colon"),
        b"HTTP/1.1 101 Switching\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nno colon\r\n\r\n",
    ],
    ids=[
        "close",
        "among",
        "1.0",
        "second response",
        "both framings",
        "cut",
        "surplus",
        "repaired",
        "101",
        "upgrade",
        "repaired 101",
    ],
)
def test_a_connection_in_doubt_is_not_kept(serve, post, raw):
    server = serve(always(raw))
    for _ in range(2):
        assert post(server.url()).status_code in (101, 200)
    assert server.connections == 2


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
    ],
)
def test_a_connection_whose_response_ended_cleanly_is_kept(serve, post, raw):
    server = serve(always(raw))
    for _ in range(2):
        post(server.url())
    assert server.connections == 1


def test_a_connection_whose_head_came_in_parts_is_kept(serve, post):
    def behave(peer: Peer) -> None:
        while peer.request():
            peer.say(OK[:20])
            peer.server.over.wait(0.02)
            peer.say(OK[20:])

    server = serve(behave)
    for _ in range(2):
        assert post(server.url()).body == b"ok"
    assert server.connections == 1


def test_a_connection_that_the_server_stopped_to_read_is_not_kept(
    serve, post, failing, monkeypatch
):
    """The next request would leave a doubt that it went out."""
    monkeypatch.setattr("macros.http.connections.MIN_IDLE", 60.0)

    def behave(peer: Peer) -> None:
        peer.sock.recv(100)
        peer.say(OK)
        peer.server.over.wait(0.05)
        peer.reset()

    server = serve(behave)
    assert post(server.url(), body=b"x" * 20_000_000).body == b"ok"
    server.stop_listening()
    error = failing(server.url())
    assert (error.kind, error.outcome_unknown) == ("connect", False)


def test_a_connection_that_answered_to_head_is_not_kept(serve, post):
    """The parser waits for a body, and would not see a part of one."""
    server = serve(always(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"))
    for _ in range(2):
        post(server.url(), method="HEAD", body=None)
    assert server.connections == 2


def test_no_exchange_is_cut_by_the_deadline_of_another(serve, client):
    """Short and long deadlines share a pool of kept connections."""

    def behave(peer: Peer) -> None:
        while request := peer.request():
            if b"POST /slow" in request:
                peer.server.over.wait(0.3)
            peer.say(http_response(request.partition(b"\r\n\r\n")[2]))

    server = serve(behave)
    seen: Counter[str] = Counter()

    def send(number: int) -> None:
        for turn in range(60):
            slow = (number + turn) % 4 == 0
            body = f"{number}/{turn}".encode()
            request = Request("POST", server.url("/slow" if slow else "/"), (), body)
            allowed = limits(deadline=0.02 if slow else 5.0, read=5.0)
            try:
                got = client.send(request.prepare(), limits=allowed)
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
    endpoint = endpoint_of(serve(always(OK)).url())
    pool = Pool(endpoint, AddressPolicy(LOOPBACK), None, 1, Room())
    connection = pool.take()
    connection.connect(Deadline(limits()))
    pool.give_back(connection)
    assert pool.take() is connection
    pool.give_back(connection)
    connection.idle_since -= MAX_IDLE
    assert pool.take().sock is None
    assert connection.sock is None


@pytest.mark.parametrize(("idle", "is_taken"), [(-1.0, True), (MIN_IDLE, False)])
def test_a_closed_connection_is_seen_unless_it_was_used_just_now(serve, idle, is_taken):
    closed = threading.Event()

    def behave(peer: Peer) -> None:
        peer.sock.close()
        closed.set()

    endpoint = endpoint_of(serve(behave).url())
    pool = Pool(endpoint, AddressPolicy(LOOPBACK), None, 1, Room())
    connection = pool.take()
    connection.connect(Deadline(limits()))
    assert closed.wait(1)
    pool.give_back(connection)
    connection.idle_since = time.monotonic() - idle
    assert (pool.take() is connection) == is_taken


def test_no_more_connections_are_kept_than_there_may_be(serve):
    endpoint = endpoint_of(serve(always(OK)).url())
    pool = Pool(endpoint, AddressPolicy(LOOPBACK), None, 1, Room())
    both = pool.take(), pool.take()
    for connection in both:
        connection.connect(Deadline(limits()))
        pool.give_back(connection)
    assert [connection.sock is None for connection in both] == [False, True]
    pool.close()
    assert both[0].sock is None


def test_a_connection_in_use_closes_once_its_pool_was_forgotten(serve):
    endpoint = endpoint_of(serve(always(OK)).url())
    pool = Pool(endpoint, AddressPolicy(LOOPBACK), None, 1, Room())
    connection = pool.take()
    connection.connect(Deadline(limits()))
    pool.close()
    assert connection.sock is not None
    pool.give_back(connection)
    assert connection.sock is None
