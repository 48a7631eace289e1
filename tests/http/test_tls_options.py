"""Extra authorities and client certificates, each for its own server only."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from macros.http import (
    Client,
    Request,
    Response,
    TlsOptions,
    TransportError,
    check_tls,
)
from macros.http.tls import tls_context
from tests.http.authority import Authority
from tests.http.hostile import OK, Server, always


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def stranger(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture(autouse=True)
def resolved(dns) -> None:
    dns(["127.0.0.1"])


def fetch(client: Client, server: Server, tls: TlsOptions | None) -> Response:
    request = Request("POST", server.url(host="hooks.example"), (), b"{}")
    return client.send(request.prepare(), tls=tls)


def refused(client: Client, server: Server, tls: TlsOptions | None) -> TransportError:
    with pytest.raises(TransportError) as caught:
        fetch(client, server, tls)
    return caught.value


def test_an_extra_authority_is_trusted_where_it_is_given(serve, authority, client):
    server = serve(always(OK), tls=authority.context("hooks.example"))
    tls = TlsOptions(ca=authority.pem)
    assert fetch(client, server, tls).body == b"ok"
    assert fetch(client, server, TlsOptions(ca=authority.pem)).body == b"ok"
    assert server.connections == 1
    error = refused(client, server, None)
    assert str(error) == "The server's certificate comes from an unknown issuer."


def test_the_name_is_verified_all_the_same(serve, authority, client):
    server = serve(always(OK), tls=authority.context("other.example"))
    error = refused(client, server, TlsOptions(ca=authority.pem))
    assert str(error) == "The server's certificate is for another host name."
    assert server.requests == []


def test_a_client_certificate_is_shown(serve, authority, client):
    seen: list[object] = []

    def look(peer):
        seen.append(peer.sock.getpeercert()["subject"])
        always(OK)(peer)

    server = serve(look, tls=authority.mutual("hooks.example"))
    certificate, key = authority.client("centerhook.example")
    tls = TlsOptions(authority.pem, certificate, key)
    assert fetch(client, server, tls).status_code == 200
    assert seen == [((("commonName", "centerhook.example"),),)]


def test_without_one_the_server_is_said_to_ask_for_it(serve, authority, client):
    server = serve(always(OK), tls=authority.mutual("hooks.example"))
    error = refused(client, server, TlsOptions(ca=authority.pem))
    assert error.kind == "tls"
    assert str(error) == "The server asks for a client certificate."


def test_one_of_a_stranger_is_said_to_be_refused(serve, authority, stranger, client):
    server = serve(always(OK), tls=authority.mutual("hooks.example"))
    certificate, key = stranger.client("centerhook.example")
    error = refused(client, server, TlsOptions(authority.pem, certificate, key))
    assert error.kind == "tls"
    assert str(error) in (
        "The server does not know who issued the client certificate.",
        "The server refused the client certificate.",
    )
    assert server.requests == []


def test_a_connection_of_one_certificate_is_not_used_for_another(
    serve, authority, client
):
    server = serve(always(OK), tls=authority.mutual("hooks.example"))
    for name in ("a.example", "b.example"):
        tls = TlsOptions(authority.pem, *authority.client(name))
        for _ in range(2):
            assert fetch(client, server, tls).status_code == 200
    assert server.connections == 2
    assert refused(client, server, TlsOptions(ca=authority.pem)).kind == "tls"


@pytest.mark.parametrize(
    "which", ["ca", "letters", "certificate", "halves", "key", "pair", "sealed"]
)
def test_what_is_not_right_is_said_before_anything_is_sent(
    serve, authority, client, which
):
    server = serve(always(OK), tls=authority.mutual("hooks.example"))
    certificate, key = authority.client("centerhook.example")
    tls = {
        "ca": TlsOptions("no certificate", certificate, key),
        "letters": TlsOptions("Zürich", certificate, key),
        "halves": TlsOptions(authority.pem, "\ud800", key),
        "certificate": TlsOptions(authority.pem, "no certificate", key),
        "key": TlsOptions(authority.pem, certificate, "no key"),
        "pair": TlsOptions(
            authority.pem, certificate, authority.client("b.example")[1]
        ),
        "sealed": TlsOptions(
            authority.pem, *authority.client("c.example", password=b"word")
        ),
    }[which]
    error = refused(client, server, tls)
    assert error.kind == "render"
    assert "not valid PEM" in str(error)
    assert server.connections == 0


def test_plain_http_knows_nothing_of_it(serve, client):
    server = serve(always(OK))
    assert fetch(client, server, TlsOptions(ca="no certificate")).status_code == 200


def test_a_key_is_not_shown(authority):
    certificate, key = authority.client("centerhook.example")
    shown = repr(TlsOptions(authority.pem, certificate, key))
    assert certificate.splitlines()[1] in shown
    assert key.splitlines()[1] not in shown


@pytest.mark.parametrize("in_memory", [True, False])
def test_no_key_is_left_on_a_disk(authority, monkeypatch, tmp_path, in_memory):
    """Nor written to one where the system has files in memory."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    if in_memory:
        monkeypatch.setattr(tempfile, "NamedTemporaryFile", None)
    else:
        monkeypatch.delattr(os, "memfd_create")
    check_tls(TlsOptions("", *authority.client("centerhook.example")))
    assert not list(tmp_path.iterdir())


def test_a_context_is_made_once_for_the_same_options(authority):
    """Connections and pools come and go; the authorities are read once."""
    context = tls_context(TlsOptions(ca=authority.pem))
    assert tls_context(TlsOptions(ca=authority.pem)) is context
    assert tls_context(None) is tls_context(None)
    assert tls_context(None) is not context
