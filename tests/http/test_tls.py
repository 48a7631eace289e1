from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial

import pytest

from macros.http import (
    Client,
    Request,
    Response,
    TlsOptions,
    TransportError,
)
from tests.http.authority import Authority
from tests.http.conftest import limits
from tests.http.hostile import (
    OK,
    Behaviour,
    Peer,
    Server,
    always,
    deaf,
    hangs_after,
    http_response,
    silent,
)


def hangs_after_anything(greeting: bytes) -> Behaviour:
    def behave(peer: Peer) -> None:
        peer.sock.recv(65536)
        peer.say(greeting)
        peer.hang()

    return behave


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


Fetch = Callable[..., Response]


@pytest.fixture(autouse=True)
def resolved(dns) -> None:
    dns(["127.0.0.1"])


@pytest.fixture
def fetch(client: Client, authority: Authority) -> Fetch:
    """Sends to `hooks.example`, fetch the test's authority."""
    return partial(_fetch, client, TlsOptions(ca=authority.pem))


def _fetch(
    client: Client,
    tls: TlsOptions,
    server: Server,
    body: bytes = b"{}",
    **changes: float,
) -> Response:
    request = Request("POST", server.url(host="hooks.example"), (), body)
    return client.send(request.prepare(), limits=limits(**changes), tls=tls)


def refused(fetch: Fetch, server: Server, **options: object) -> TransportError:
    with pytest.raises(TransportError) as caught:
        fetch(server, **options)
    return caught.value


def test_a_trusted_certificate_for_the_name_is_accepted_and_kept(
    serve, authority, fetch
):
    asked: list[str | None] = []
    context = authority.context("hooks.example")
    context.sni_callback = lambda sock, name, ctx: asked.append(name)
    server = serve(always(OK), tls=context)
    for _ in range(3):
        assert fetch(server).body == b"ok"
    assert server.connections == 1
    assert asked == ["hooks.example"]


@pytest.mark.parametrize(
    ("host", "options", "sentence"),
    [
        ("hooks.example", {"days": -1}, "The server's certificate has expired."),
        (
            "other.example",
            {},
            "The server's certificate is for another host name.",
        ),
        ("hooks.example", {"own": True}, "The server's certificate is self-signed."),
    ],
)
def test_a_bad_certificate_is_refused_with_its_reason(
    serve, authority, fetch, host, options, sentence
):
    server = serve(always(OK), tls=authority.context(host, **options))
    error = refused(fetch, server)
    assert (error.kind, str(error)) == ("tls", sentence)
    assert not error.outcome_unknown
    assert server.requests == []


def test_an_unknown_issuer_is_refused(serve, authority, client):
    server = serve(always(OK), tls=authority.context("hooks.example"))
    error = refused(partial(_fetch, client, TlsOptions()), server)
    assert str(error) == "The server's certificate comes from an unknown issuer."


@pytest.mark.parametrize(
    "greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n"]
)
def test_a_port_without_tls_is_named_so(serve, failing, greeting):
    server = serve(hangs_after_anything(greeting))
    error = failing(f"https://127.0.0.1:{server.port}/")
    assert (error.kind, error.outcome_unknown) == ("tls", False)
    assert str(error) == "The server does not speak TLS (https) on this port."


def test_a_name_that_no_certificate_can_have_is_a_tls_error(serve, failing):
    """A resolver may know a name that is a zone and nothing else."""
    error = failing(serve(deaf).url(host="%25a.example").replace("http:", "https:"))
    assert (error.kind, error.outcome_unknown) == ("tls", False)


def test_a_handshake_cut_off_is_a_tls_error(serve, failing):
    server = serve(lambda peer: None)
    error = failing(f"https://127.0.0.1:{server.port}/")
    assert (error.kind, error.outcome_unknown) == ("tls", False)
    assert "during the TLS handshake" in str(error)


@pytest.mark.parametrize("limit", ["connect", "deadline"])
def test_a_handshake_that_hangs_meets_the_limits(serve, failing, limit):
    server = serve(deaf)
    error = failing(f"https://127.0.0.1:{server.port}/", **{limit: 0.2})
    assert (error.kind, error.outcome_unknown) == ("timeout", False)


def test_tls_that_breaks_after_the_request_leaves_the_outcome_unknown(
    serve, authority, fetch
):
    def behave(peer: Peer) -> None:
        peer.request()
        socket.socket.sendall(peer.sock, b"no record of TLS")

    server = serve(behave, tls=authority.context("hooks.example"))
    error = refused(fetch, server)
    assert (error.kind, error.outcome_unknown) == ("tls", True)


def test_a_connection_of_the_last_moment_is_a_timeout(serve, failing, monkeypatch):
    """The handshake has no time left."""
    times = iter([100.0, 100.0, 999.0])
    monkeypatch.setattr("macros.http.connections.monotonic", times.__next__)
    server = serve(deaf)
    error = failing(f"https://127.0.0.1:{server.port}/")
    assert str(error) == "Connection timed out after 2 s."


def test_silence_over_tls_meets_the_deadline(serve, authority, fetch):
    server = serve(silent, tls=authority.context("hooks.example"))
    error = refused(fetch, server, deadline=0.3)
    assert (error.kind, error.outcome_unknown) == ("timeout", True)


def test_a_body_over_tls_that_hangs_is_cut(serve, authority, fetch):
    behaviour = hangs_after(http_response(b"start", length=100))
    server = serve(behaviour, tls=authority.context("hooks.example"))
    got = fetch(server, deadline=0.3)
    assert (got.body, got.cut) == (b"start", "deadline")


def test_an_upload_over_tls_nobody_reads_meets_the_deadline(serve, authority, fetch):
    context = authority.context("hooks.example")
    server = serve(deaf, tls=context, receive_buffer=4096)
    error = refused(fetch, server, body=b"x" * 20_000_000, deadline=0.4)
    assert (error.kind, error.outcome_unknown) == ("timeout", True)


def test_a_large_upload_over_tls_arrives_whole(serve, authority, fetch):
    server = serve(always(OK), tls=authority.context("hooks.example"))
    body = bytes(range(256)) * 4096
    assert fetch(server, body=body).status_code == 200
    assert server.requests[0].endswith(body)
