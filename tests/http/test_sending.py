from __future__ import annotations

import os
import socket
import threading
import time

import pytest

from macros.http import AddressPolicy, Limits, TransportError, origin_of
from macros.http.deadline import Deadline
from macros.http.urls import endpoint_of
from tests.http.conftest import LOOPBACK, a_client, get, limits
from tests.http.hostile import OK, Peer, always, http_response, unreachable


def test_the_whole_request_arrives_as_written(serve, post):
    server = serve(always(OK))
    post(server.url("/hook?x=1"), headers=(("X-A", "1"), ("X-B", "2")))
    assert server.requests == [
        b"POST /hook?x=1 HTTP/1.1\r\n"
        b"Host: 127.0.0.1:%d\r\n"
        b"X-A: 1\r\n"
        b"X-B: 2\r\n"
        b"User-Agent: CenterHook/0.1\r\n"
        b"Accept: */*\r\n"
        b"Accept-Encoding: gzip, deflate\r\n"
        b"Content-Length: 2\r\n\r\n{}" % server.port
    ]


def test_the_response_is_handed_back_whole(serve, post):
    server = serve(
        always(http_response(b"\xff\xfe", "X-B: 1", "X-B: 2", status="201 Made"))
    )
    got = post(server.url())
    assert (got.status_code, got.reason) == (201, "Made")
    assert (got.body, got.cut) == (b"\xff\xfe", "")
    assert got.fields == [("X-B", "1"), ("X-B", "2"), ("Content-Length", "2")]
    assert got.headers == {"x-b": "1, 2", "content-length": "2"}
    assert got.connect_ms is not None
    assert got.first_byte_ms is not None
    assert got.connect_ms <= got.first_byte_ms


def test_head_and_body_leave_in_one_segment(serve, post):
    seen: list[bytes] = []

    def behave(peer: Peer) -> None:
        seen.append(peer.sock.recv(65536))
        peer.say(OK)

    post(serve(behave).url(), body=b"x" * 2000)
    assert seen[0].endswith(b"x" * 2000)


def test_headers_of_the_caller_replace_the_defaults(serve, post):
    server = serve(always(OK))
    mine = [("user-agent", "me"), ("ACCEPT-Encoding", "br"), ("Accept", "a/b")]
    post(server.url(), headers=[*mine, ("Host", "other.example")])
    assert server.requests == [
        b"POST / HTTP/1.1\r\nuser-agent: me\r\nACCEPT-Encoding: br\r\nAccept: a/b\r\n"
        b"Host: other.example\r\nContent-Length: 2\r\n\r\n{}"
    ]


def test_the_length_is_ours_and_nothing_is_chunked(serve, post):
    server = serve(always(OK))
    post(
        server.url(),
        headers=[("Content-Length", "999"), ("Transfer-Encoding", "chunked")],
    )
    assert b"999" not in server.requests[0]
    assert b"chunked" not in server.requests[0]
    assert b"Content-Length: 2\r\n" in server.requests[0]


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [
        ("GET", None, b""),
        ("DELETE", None, b""),
        ("POST", None, b"Content-Length: 0\r\n"),
        ("PUT", b"", b"Content-Length: 0\r\n"),
        ("GET", b"q", b"Content-Length: 1\r\n"),
    ],
)
def test_a_length_is_named_where_a_body_is_expected(serve, post, method, body, length):
    server = serve(always(OK))
    post(server.url(), method=method, body=body)
    head = server.requests[0].partition(b"\r\n\r\n")[0] + b"\r\n"
    assert head.partition(b"gzip, deflate\r\n")[2] == length


LETTERS = ["", "e", "é", "ÿ", "Ł", "€", "字", "😀"]


@pytest.mark.parametrize("neighbour", LETTERS)
def test_a_header_value_goes_out_as_utf_8_whatever_its_letters(serve, post, neighbour):
    """And whatever the other headers hold."""
    server = serve(always(OK))
    values = [f"Mü{letter}{neighbour}!" for letter in LETTERS]
    post(server.url(), headers=[(f"X-{n}", value) for n, value in enumerate(values)])
    for number, value in enumerate(values):
        line = f"X-{number}: {value}\r\n".encode()
        assert line in server.requests[0]


def test_a_header_value_of_bytes_goes_out_as_it_is(serve, post):
    server = serve(always(OK))
    post(server.url(), headers=[("X-A", "ü".encode()), ("X-B", b"plain")])
    assert b"X-A: \xc3\xbc\r\nX-B: plain\r\n" in server.requests[0]


@pytest.mark.parametrize(
    "header",
    [
        ("X-A", "1\r\nX-Admin: yes"),
        ("X-A", "1\nX-Admin: yes"),
        ("X-A", "\0"),
        ("X A", "1"),
        ("", "1"),
        ("X-A:", "1"),
        ("Ü", "1"),
        ("X-A", "\ud800"),
    ],
)
def test_a_header_that_cannot_be_sent_is_a_render_error(serve, failing, header):
    server = serve(always(OK))
    error = failing(server.url(), headers=[header])
    assert (error.kind, error.outcome_unknown) == ("render", False)
    assert server.connections == 0


@pytest.mark.parametrize("method", ["", "PO ST", "POST\r\nX: y", "PÖST"])
def test_a_method_that_cannot_be_sent_is_a_render_error(serve, failing, method):
    assert failing(serve(always(OK)).url(), method=method).kind == "render"


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http:///path",
        "http://a..b/",
        "http://" + "a" * 64 + ".example/",
        "http://" + "a." * 130 + "example/",
        "http://a b/",
        "http://host:99999/",
        "http://host:x/",
        "http://[::1/",
        "http://[zz]/",
        "http://exa\r\nmple/",
        "http://\ud800/",
    ],
)
def test_a_url_that_cannot_be_read_is_a_render_error(failing, url):
    error = failing(url)
    assert (error.kind, str(error)) == ("render", "The URL is not valid.")


def test_odd_characters_in_a_path_are_percent_encoded(serve, post):
    server = serve(always(OK))
    post(server.url("/ä b\r\nX-Admin: yes?q=ö#part"))
    line = server.requests[0].partition(b"\r\n")[0]
    assert line == b"POST /%C3%A4%20b%0D%0AX-Admin:%20yes?q=%C3%B6 HTTP/1.1"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Hooks.Example/a?b", "https://hooks.example:443"),
        ("HTTP://hooks.example", "http://hooks.example:80"),
        ("http://hooks.example.:8080/", "http://hooks.example:8080"),
        ("https://bücher.example/", "https://xn--bcher-kva.example:443"),
        ("https://[2606:4700:0::1]/", "https://[2606:4700::1]:443"),
        ("https://a.example\\@b.example/", "https://a.example:443"),
    ],
)
def test_one_origin_has_one_spelling(url, origin):
    assert origin_of(url) == origin


def test_a_url_is_taken_apart_once():
    """A run sends thousands of requests to one."""
    url = "https://hooks.example/a"
    assert endpoint_of(url) is endpoint_of(url)


# The longest label and name that DNS has (RFC 1035, 2.3.4).
LABEL = "a" * 63
NAME = ".".join([LABEL, LABEL, LABEL, "a" * 61])


@pytest.mark.parametrize("host", [LABEL, NAME, f"{NAME}."])
def test_a_host_may_be_as_long_as_in_dns(host):
    assert origin_of(f"https://{host}/") == f"https://{host.rstrip('.')}:443"


@pytest.mark.parametrize("host", [f"a{LABEL}", f"{NAME}a", "a..b", ".a", "."])
def test_a_host_that_dns_can_not_have_is_not_valid(host):
    with pytest.raises(TransportError, match="The URL is not valid"):
        origin_of(f"https://{host}/")


@pytest.mark.parametrize("bad", [0, -1, float("inf"), float("nan")])
@pytest.mark.parametrize("name", ["connect", "read", "deadline", "max_bytes"])
def test_limits_are_finite_and_above_zero(name, bad):
    with pytest.raises(ValueError, match=name):
        Limits(**{"connect": 1, "read": 1, "deadline": 1, "max_bytes": 1, name: bad})


def test_a_kept_connection_serves_the_next_request(serve, post):
    server = serve(always(OK))
    connected = [post(server.url()).connect_ms for _ in range(3)]
    assert server.connections == 1
    assert [ms is None for ms in connected] == [False, True, True]


@pytest.mark.parametrize("connections", [512, 100_000])
def test_a_forgotten_origin_gives_its_sockets_back(serve, connections):
    servers = [serve(always(OK)) for _ in range(2)]
    # Room for one origin.
    client = a_client(AddressPolicy(LOOPBACK), connections=connections)
    for server in [*servers, servers[0]]:
        get(client, server.url())
    assert [server.connections for server in servers] == [2, 1]
    client.close()


def test_closing_the_client_hangs_up(serve, post, client):
    hung_up = threading.Event()

    def behave(peer: Peer) -> None:
        always(OK)(peer)
        hung_up.set()

    post(serve(behave).url())
    client.close()
    assert hung_up.wait(1)


def test_closing_the_client_closes_what_is_in_use_once_it_is_not(serve, client):
    pool = client._pool(endpoint_of(serve(always(OK)).url()), None)
    connection = pool.take()
    connection.connect(Deadline(limits()))
    client.close()
    assert connection.sock is not None
    pool.give_back(connection)
    assert connection.sock is None


def test_a_forked_child_opens_its_own_connection(serve, post):
    server = serve(always(OK))
    post(server.url())
    if not (child := os.fork()):
        status = 1
        try:
            status = 0 if post(server.url()).status_code == 200 else 1
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    post(server.url())
    assert server.connections == 2


def test_no_environment_proxy_and_no_netrc_is_used(serve, post, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    server = serve(always(OK))
    assert post(server.url()).status_code == 200
    assert b"uthorization" not in server.requests[0]


def test_a_dead_first_address_leaves_time_for_the_second(serve, dns, post):
    server = serve(always(OK))
    dns(["127.0.0.2", "127.0.0.1"])
    assert post(server.url(host="hooks.example")).status_code == 200
    assert f"Host: hooks.example:{server.port}".encode() in server.requests[0]


def test_a_silent_first_address_leaves_time_for_the_second(serve, dns, post):
    server = serve(always(OK))
    dns(["127.0.0.2", "127.0.0.1"])
    with unreachable(("127.0.0.2", server.port)):
        got = post(server.url(host="hooks.example"), connect=0.3)
    assert got.status_code == 200


def test_the_last_address_has_all_the_time_that_is_left(dns, failing):
    dns(["127.0.0.2", "127.0.0.1"])
    with (
        unreachable(("127.0.0.1", 0)) as (_, port),
        unreachable(("127.0.0.2", port)),
    ):
        begun = time.monotonic()
        error = failing(f"http://hooks.example:{port}/", connect=0.2)
    assert str(error) == "Connection timed out after 0.2 s."
    assert time.monotonic() - begun >= 0.2


def test_a_packet_is_not_kept_back_until_the_one_before_it_arrived(serve, client):
    """So that the parts of a body follow each other without a pause."""
    connection = client._pool(endpoint_of(serve(always(OK)).url()), None).take()
    sock = connection.connect(Deadline(limits()))
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    connection.close()


@pytest.mark.parametrize(
    "failure", [socket.gaierror(socket.EAI_NONAME, "unknown"), UnicodeError()]
)
def test_only_transport_errors_leave_a_name_that_is_not_found(monkeypatch, failure):
    def unknown(*_: object) -> list[object]:
        raise failure

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(TransportError) as caught:
        get(a_client(AddressPolicy()), "http://nowhere.example/")
    error = caught.value
    assert (error.kind, error.outcome_unknown) == ("dns", False)
    assert str(error) == "The host name was not found."
