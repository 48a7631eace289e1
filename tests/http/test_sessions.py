"""The client as the transport adapter of a session that some library wants."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import requests
from requests.auth import HTTPDigestAuth

from macros.http import AddressPolicy, Blocked, Client, TransportError
from tests.http.authority import Authority
from tests.http.conftest import LOOPBACK, limits
from tests.http.hostile import OK, Peer, always, http_response, silent


@pytest.fixture
def session(client: Client) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.mount("http://", client)
        session.mount("https://", client)
        yield session


def test_a_session_gets_a_response_like_any_other(serve, session):
    raw = http_response(
        '{"ö": 1}'.encode(), "Content-Type: application/json", "Set-Cookie: a=b"
    )
    server = serve(always(raw))
    response = session.post(server.url("/x"), json={"a": 1}, params={"q": "1"})
    assert response.json() == {"ö": 1}
    assert response.text == '{"ö": 1}'
    assert (response.ok, response.reason, response.encoding) == (True, "OK", "utf-8")
    assert response.url == server.url("/x?q=1")
    assert response.headers["content-type"] == "application/json"
    assert response.history == []
    assert not response.cookies and not session.cookies
    assert server.requests[0].endswith(b'\r\n\r\n{"a": 1}')
    assert server.requests[0].lower().count(b"content-length") == 1
    response.raise_for_status()


def test_a_form_a_library_prepared_is_sent(serve, session):
    server = serve(always(OK))
    session.post(server.url(), data={"a": "ö"}, auth=("me", "word"))
    assert server.requests[0].endswith(b"\r\n\r\na=%C3%B6")
    assert b"Authorization: Basic bWU6d29yZA==\r\n" in server.requests[0]


def test_a_second_try_with_credentials_comes_by_here_as_well(serve, session):
    challenge = 'WWW-Authenticate: Digest realm="a", nonce="b", qop="auth"'

    def behave(peer: Peer) -> None:
        peer.request()
        peer.say(http_response(b"", challenge, status="401 Who"))
        always(OK)(peer)

    server = serve(behave)
    response = session.get(server.url(), auth=HTTPDigestAuth("me", "word"))
    assert (response.status_code, server.connections) == (200, 1)
    assert b'\r\nAuthorization: Digest username="me"' in server.requests[1]


def test_a_header_may_be_bytes_of_utf_8(serve, session):
    server = serve(always(OK))
    session.get(server.url(), headers={"X-A": "é".encode()})
    assert b"\r\nX-A: \xc3\xa9\r\n" in server.requests[0]
    with pytest.raises(TransportError, match="X-A is not in UTF-8"):
        session.get(server.url(), headers={"X-A": "é".encode("latin-1")})
    assert len(server.requests) == 1


def test_a_status_of_failure_raises_when_asked(serve, session):
    response = session.get(serve(always(http_response(b"", status="404 Gone"))).url())
    with pytest.raises(requests.HTTPError, match="404"):
        response.raise_for_status()


def test_a_body_is_read_in_parts_by_who_wants_it_so(serve, session):
    response = session.get(serve(always(OK)).url(), stream=True)
    assert list(response.iter_content(1)) == [b"o", b"k"]
    again = session.get(serve(always(OK)).url(), stream=True)
    assert next(again.iter_content(1)) == b"o"
    assert list(again.iter_content(1)) == [b"o", b"k"]  # Each look begins anew.
    assert session.get(serve(always(OK)).url(), stream=True).raw.read() == b"ok"


def test_a_body_without_an_end_is_refused(serve, session):
    server = serve(always(OK))
    with pytest.raises(TransportError) as caught:
        session.post(server.url(), data=iter([b"a", b"b"]))
    assert caught.value.kind == "render"
    assert server.connections == 0


def test_what_a_library_catches_catches_a_transport_error(serve, session):
    with pytest.raises(requests.RequestException):
        session.get("http://169.254.169.254/")


def test_the_policy_holds_for_every_connection(serve, session, client, dns):
    dns(["127.0.0.1"], ["10.0.0.1"])
    url = serve(always(OK)).url(host="hooks.example")
    assert session.get(url).content == b"ok"
    client.close()
    with pytest.raises(Blocked):
        session.get(url)


def test_a_redirect_of_a_session_is_guarded_as_well(serve, session):
    server = serve(
        always(http_response(b"", "Location: http://10.0.0.1/", status="302 Go"))
    )
    with pytest.raises(Blocked):
        session.get(server.url())
    assert len(server.requests) == 1


def test_a_redirect_inside_is_followed_by_a_session(serve, session):
    there = serve(always(OK))
    here = serve(
        always(http_response(b"", f"Location: {there.url()}", status="302 Go"))
    )
    response = session.get(here.url())
    assert (response.content, response.url) == (b"ok", there.url())
    assert [each.status_code for each in response.history] == [302]


def test_a_proxy_is_refused(serve, session):
    server = serve(always(OK))
    with pytest.raises(Blocked, match="no proxies"):
        session.get("http://a.example/", proxies={"http": server.url()})
    assert server.connections == 0


def test_a_proxy_of_the_environment_is_refused(serve, session, monkeypatch):
    server = serve(always(OK))
    monkeypatch.setenv("ALL_PROXY", server.url())
    with pytest.raises(Blocked, match="no proxies"):
        session.get("https://a.example/")
    assert server.connections == 0


def test_the_verification_cannot_be_switched_off(serve, session, dns, tmp_path):
    authority = Authority(tmp_path)
    dns(["127.0.0.1"])
    server = serve(always(OK), tls=authority.context("hooks.example"))
    for verify in (False, str(authority.file)):
        with pytest.raises(TransportError, match="unknown issuer"):
            session.get(server.url(host="hooks.example"), verify=verify)
    assert server.requests == []


@pytest.mark.parametrize("timeout", [0.1, (None, 0.1)])
def test_a_timeout_shortens_the_limits(serve, session, timeout):
    with pytest.raises(TransportError, match="No response within 0.1 s"):
        session.get(serve(silent).url(), timeout=timeout)


def test_a_timeout_cannot_lengthen_the_limits(serve):
    client = Client(AddressPolicy(LOOPBACK), limits=limits(read=0.1), connections=1)
    with requests.Session() as session:
        session.mount("http://", client)
        begun = time.monotonic()
        with pytest.raises(TransportError, match="No response within 0.1 s"):
            session.get(serve(silent).url(), timeout=60)
        assert time.monotonic() - begun < 1
