from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from macros.http import AddressPolicy, Answer, Client, Request, TransportError
from macros.http.connections import Guard, GuardedAdapter
from tests.http.authority import Authority
from tests.http.conftest import LOOPBACK, limits
from tests.http.hostile import (
    OK,
    Behaviour,
    FakeDNS,
    Peer,
    Server,
    always,
    answer,
    deaf,
    hangs_after,
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


@pytest.fixture
def trusting(authority: Authority) -> Iterator[Client]:
    client = Client(
        AddressPolicy(LOOPBACK),
        connections=2,
        resolver=FakeDNS(["127.0.0.1"]),
        ca_file=str(authority.file),
    )
    yield client
    client.close()


def fetch(client: Client, server: Server, **changes: float) -> Answer:
    url = server.url(host="hooks.example")
    return client.send(Request("POST", url, (), b"{}"), limits=limits(**changes))


def refused(client: Client, server: Server, **changes: float) -> TransportError:
    with pytest.raises(TransportError) as caught:
        fetch(client, server, **changes)
    return caught.value


def test_a_trusted_certificate_for_the_name_is_accepted_and_kept(
    serve, authority, trusting
):
    asked: list[str | None] = []
    context = authority.context("hooks.example")
    context.sni_callback = lambda sock, name, ctx: asked.append(name)
    server = serve(always(OK), tls=context)
    for _ in range(3):
        assert fetch(trusting, server).body == b"ok"
    assert server.connections == 1
    assert asked == ["hooks.example"]


@pytest.mark.parametrize(
    ("host", "options", "sentence"),
    [
        ("hooks.example", {"days": -1}, "The target's certificate has expired."),
        (
            "other.example",
            {},
            "The target's certificate is for another host name.",
        ),
        ("hooks.example", {"own": True}, "The target's certificate is self-signed."),
    ],
)
def test_a_bad_certificate_is_refused_with_its_reason(
    serve, authority, trusting, host, options, sentence
):
    server = serve(always(OK), tls=authority.context(host, **options))
    error = refused(trusting, server)
    assert (error.kind, str(error)) == ("tls", sentence)
    assert (error.retryable, error.outcome_unknown) == (True, False)
    assert server.requests == []


def test_an_unknown_issuer_is_refused(serve, authority):
    client = Client(
        AddressPolicy(LOOPBACK), connections=1, resolver=FakeDNS(["127.0.0.1"])
    )
    server = serve(always(OK), tls=authority.context("hooks.example"))
    error = refused(client, server)
    assert str(error) == "The target's certificate comes from an unknown issuer."


@pytest.mark.parametrize(
    "greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n"]
)
def test_a_port_without_tls_is_named_so(serve, failing, greeting):
    server = serve(hangs_after_anything(greeting))
    error = failing(f"https://127.0.0.1:{server.port}/")
    assert (error.kind, error.outcome_unknown) == ("tls", False)
    assert str(error) == "The target does not speak TLS (https) on this port."


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
    assert error.timings.total_ms < 1000


def test_silence_over_tls_meets_the_deadline(serve, authority, trusting):
    server = serve(silent, tls=authority.context("hooks.example"))
    error = refused(trusting, server, deadline=0.3)
    assert (error.kind, error.outcome_unknown) == ("timeout", True)
    assert error.timings.total_ms < 1000


def test_a_body_over_tls_that_hangs_is_cut(serve, authority, trusting):
    behaviour = hangs_after(answer(b"start", length=100))
    server = serve(behaviour, tls=authority.context("hooks.example"))
    got = fetch(trusting, server, deadline=0.3)
    assert (got.body, got.cut) == (b"start", "deadline")


def test_an_upload_over_tls_nobody_reads_meets_the_deadline(serve, authority, trusting):
    context = authority.context("hooks.example")
    server = serve(deaf, tls=context, receive_buffer=4096)
    request = Request("POST", server.url(host="hooks.example"), (), b"x" * 20_000_000)
    with pytest.raises(TransportError) as caught:
        trusting.send(request, limits=limits(deadline=0.4))
    assert (caught.value.kind, caught.value.outcome_unknown) == ("timeout", True)
    assert caught.value.timings.total_ms < 1000


def test_a_large_upload_over_tls_arrives_whole(serve, authority, trusting):
    server = serve(always(OK), tls=authority.context("hooks.example"))
    body = bytes(range(256)) * 4096
    request = Request("POST", server.url(host="hooks.example"), (), body)
    assert trusting.send(request, limits=limits()).status == 200
    assert server.requests[0].endswith(body)


def test_a_session_cannot_switch_the_verification_off(serve, authority, trusting):
    guard = Guard(AddressPolicy(LOOPBACK), FakeDNS(["127.0.0.1"]))
    server = serve(always(OK), tls=authority.context("hooks.example"))
    with requests.Session() as session:
        session.mount("https://", GuardedAdapter(guard, ca_file=None))
        for verify in (False, str(authority.file)):
            with pytest.raises(requests.exceptions.SSLError):
                session.get(server.url(host="hooks.example"), verify=verify, timeout=1)
    assert server.requests == []
