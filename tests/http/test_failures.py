"""No status line came: a TransportError, of the right kind, and nothing else."""

from __future__ import annotations

import errno
import socket
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from macros.http import AddressPolicy, TransportError
from macros.http.deadline import Deadline
from macros.http.decoding import decode
from macros.http.reading import Disconnected, Reader
from tests.http.conftest import a_client, get, limits
from tests.http.hostile import (
    OK,
    FakeDNS,
    Peer,
    always,
    deaf,
    dripping,
    hangs_after,
    once,
    silent,
    speechless,
    unreachable,
)

STARTS = [
    b"",
    b"HTTP/1.1 ",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: ",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc",
]
METHODS = ["GET", "HEAD"]


def facts(error: TransportError) -> tuple[str, bool]:
    return error.kind, error.outcome_unknown


def test_a_refused_connection_reached_nobody(failing):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        error = failing(f"http://127.0.0.1:{unused.getsockname()[1]}/")
    assert facts(error) == ("connect", False)
    assert str(error) == "The server refused the connection."


def test_a_connect_timeout_reached_nobody(failing):
    with unreachable(("127.0.0.1", 0)) as (host, port):
        url = f"http://{host}:{port}/"
        error = failing(url, connect=0.2)
        late = failing(url, deadline=0.2)
    assert facts(error) == facts(late) == ("timeout", False)
    assert str(error) == "Connection timed out after 0.2 s."
    assert str(late) == "No response within 0.2 s (whole request)."


def test_silence_after_the_request_leaves_the_outcome_unknown(serve, failing):
    error = failing(serve(silent).url(), read=0.2)
    assert facts(error) == ("timeout", True)
    assert str(error) == "No response within 0.2 s."


@pytest.mark.parametrize(
    "behaviour",
    [
        silent,
        hangs_after(b"HTTP/1.1 200 OK\r\nX-A: "),
        dripping(b"", b"HTTP/1.1 200 OK\r\n" + b"X-A: 1\r\n" * 90),
        dripping(b"HTTP/1.1 200 OK\r\n", b"X-A: 1\r\n" * 90),
        dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 9),
    ],
    ids=["silent", "half a head", "drip", "drip headers", "drip 100s"],
)
def test_a_head_that_does_not_end_meets_the_deadline(serve, failing, behaviour):
    error = failing(serve(behaviour).url(), deadline=0.3)
    assert facts(error) == ("timeout", True)
    assert str(error) == "No response within 0.3 s (whole request)."


def test_an_upload_nobody_reads_meets_the_deadline(serve, failing):
    server = serve(deaf, receive_buffer=4096)
    error = failing(server.url(), body=b"x" * 20_000_000, deadline=0.3)
    assert facts(error) == ("timeout", True)


def test_an_upload_that_is_read_slowly_meets_the_deadline(serve, failing):
    def sip(peer: Peer) -> None:
        while not peer.server.over.wait(0.01):
            peer.sock.recv(4096)

    server = serve(sip, receive_buffer=4096)
    error = failing(server.url(), body=b"x" * 20_000_000, read=0.2, deadline=0.4)
    assert facts(error) == ("timeout", True)


def test_a_slow_resolver_meets_the_deadline_once_it_returns(failing, monkeypatch):
    def slow(*_: object) -> list[object]:
        time.sleep(0.15)
        return FakeDNS(["127.0.0.1"])("", 9, 0, socket.SOCK_STREAM)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    error = failing("http://slow.example/", deadline=0.1)
    assert facts(error) == ("timeout", False)


def test_a_connection_closed_without_a_response_leaves_the_outcome_unknown(
    serve, failing
):
    error = failing(serve(speechless).url())
    assert facts(error) == ("connect", True)
    assert str(error) == "The server closed the connection without a response."


def test_a_reset_without_a_response_leaves_the_outcome_unknown(serve, failing):
    def behave(peer: Peer) -> None:
        peer.request()
        peer.reset()

    assert facts(failing(serve(behave).url())) == ("connect", True)


def test_a_connection_closed_in_the_headers_leaves_the_outcome_unknown(serve, failing):
    error = failing(serve(once(b"HTTP/1.1 200 OK\r\nX-A: 1\r\n")).url())
    assert facts(error) == ("connect", True)


def test_a_connection_broken_in_the_headers_leaves_the_outcome_unknown(serve, failing):
    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(b"HTTP/1.1 200 OK\r\nX-A: 1\r\n")
        peer.server.over.wait(0.05)
        peer.reset()

    error = failing(serve(behave).url())
    assert facts(error) == ("connect", True)
    assert str(error) == "The connection broke before the response was complete."


def test_a_network_that_goes_away_leaves_the_outcome_unknown(
    serve, failing, monkeypatch
):
    def send(*_: object) -> int:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(socket.socket, "send", send)  # The server has sendall.
    error = failing(serve(silent).url())
    assert facts(error) == ("connect", True)
    assert str(error) == "The connection broke before the response was complete."


@pytest.mark.parametrize(
    "start", [b"HTTP 200 OK\r\n", b"HTTPS/1.1 200 OK\r\n", b"SSH-2.0\r\n"]
)
def test_what_begins_otherwise_is_not_waited_for(serve, failing, start):
    error = failing(serve(hangs_after(start)).url())
    assert str(error) == "The response was not valid HTTP."


@pytest.mark.parametrize(
    "garbage",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"<html>an HTTP/0.9 response</html>",
        b"HTTP/2 200\r\n\r\n",
        b"RTSP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"\0" * 5000,
        b"\r\n\r\n",
        b"x",
    ],
)
def test_what_is_not_http_is_named_so(serve, failing, garbage):
    error = failing(serve(once(garbage)).url())
    assert facts(error) == ("connect", True)
    assert str(error) == "The response was not valid HTTP."


@pytest.mark.parametrize(
    "head",
    [
        b"X-A: " + b"v" * 70_000,
        b"X-A: 1\r\n" * 9000,
        b"X-A: 1\r\n" * 9000 + b"\r\n",
        b"no colon\r\n" + b"X-A: 1\r\n" * 9000,
    ],
)
@pytest.mark.parametrize("status", [200, 201, 503])
def test_headers_without_end_are_cut_and_the_status_stands(serve, post, head, status):
    got = post(serve(hangs_after(b"HTTP/1.1 %d It\r\n%s" % (status, head))).url())
    assert (got.status_code, got.body, got.cut) == (status, b"", "size")
    assert sum(len(name) + len(value) for name, value in got.fields) <= 65_536


@pytest.mark.parametrize("end", [b"\r\n", b""])
def test_informational_heads_without_end_are_too_large(serve, failing, end):
    heads = (b"HTTP/1.1 199 Early Hints\r\nX-A: 1\r\n" + end) * 2000
    error = failing(serve(hangs_after(heads)).url())
    assert facts(error) == ("too_large", True)
    assert str(error) == "The headers of the response are larger than 64 KB."


def test_a_resolver_that_finds_nothing_is_a_dns_error(dns):
    dns([])
    with pytest.raises(TransportError) as caught:
        get(a_client(AddressPolicy()), "http://empty.example/")
    assert facts(caught.value) == ("dns", False)


def test_a_failed_exchange_leaves_no_connection_behind(serve, post, failing):
    def behave(peer: Peer) -> None:
        (silent if peer.number == 0 else always(OK))(peer)

    server = serve(behave)
    failing(server.url(), deadline=0.1)
    assert post(server.url()).body == b"ok"
    assert server.connections == 2


@settings(database=None)
@given(st.binary(max_size=60))
def test_no_bytes_in_the_headers_lose_the_status(noise):
    near, far = socket.socketpair()
    with near, far:
        far.sendall(b"HTTP/1.1 204 Done\r\n" + noise + b"\r\n\r\n")
        reader = Reader(near, Deadline(limits()), lambda timeout: None)
        assert reader.head().status == 204


@settings(database=None)
@given(st.binary(max_size=60), st.sampled_from(STARTS), st.sampled_from(METHODS))
def test_no_bytes_raise_anything_unexpected(noise, start, method):
    near, far = socket.socketpair()
    with near, far:
        far.sendall(start + noise)
        far.shutdown(socket.SHUT_WR)
        reader = Reader(near, Deadline(limits()), lambda timeout: None)
        try:
            parser = reader.head()
        except (TransportError, Disconnected):
            return
        body, cut = reader.body(parser, method, 20)
        decode(body, "gzip, deflate", 20)
        assert len(body) <= 20
        assert cut in ("", "size", "connection")
