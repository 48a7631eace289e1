"""What few servers do, few networks meet and few people set up."""

from __future__ import annotations

import socket
import ssl

import pytest
from requests import Session

from macros.http import AddressPolicy
from macros.http.errors import dns_failure, tls_failure
from tests.http.conftest import LOOPBACK, a_client, get
from tests.http.hostile import OK, always, http_response, once


def test_any_informational_response_is_passed_over(serve, post):
    raw = b"HTTP/1.1 199 Soon\r\nA: 1\r\n\r\n" + OK
    got = post(serve(once(raw)).url())
    assert got.status_code == 200
    assert "A" not in dict(got.fields)


def test_a_folded_line_continues_the_one_before_it(serve, post):
    head = b"HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nC: 3\r\n and 4\r\nD: 5\r\n"
    got = post(serve(once(head + b"Content-Length: 2\r\n\r\nok")).url())
    assert got.fields[:4] == [("A", "1"), ("B", "2"), ("C", "3 and 4"), ("D", "5")]


def test_headers_that_break_off_are_not_called_silence(serve, failing):
    error = failing(serve(once(b"HTTP/1.1 200 OK\r\nContent-")).url())
    assert str(error) == "The response was not valid HTTP."
    error = failing(serve(once(b"")).url())
    assert str(error) == "The server closed the connection without a response."


def test_more_threads_than_connections_are_kept_still_keep_some(serve):
    server = serve(always(http_response(b"ok")))
    client = a_client(AddressPolicy(LOOPBACK), connections=100_000)
    for _ in range(3):
        assert get(client, server.url()).body == b"ok"
    client.close()
    assert server.connections == 1


def test_a_proxy_for_other_hosts_is_none_for_this_one(serve):
    client = a_client(AddressPolicy(LOOPBACK))
    server = serve(always(http_response(b"ok")))
    with Session() as session:
        session.trust_env = False
        session.mount("http://", client)
        elsewhere = {"http://elsewhere.example": "http://proxy.example:3128"}
        assert session.get(server.url(), proxies=elsewhere).content == b"ok"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            socket.gaierror(socket.EAI_AGAIN, ""),
            "The host name could not be looked up just now.",
        ),
        (socket.gaierror(socket.EAI_NONAME, ""), "The host name was not found."),
        (OSError(socket.EAI_AGAIN, ""), "The host name was not found."),
        (UnicodeError(), "The host name was not found."),
    ],
)
def test_a_resolver_that_is_away_is_told_from_a_wrong_name(error, message):
    assert str(dns_failure(error)) == message


@pytest.mark.parametrize(
    ("code", "what"),
    [
        (9, "is not valid yet"),
        (10, "has expired"),
        (18, "is self-signed"),
        (19, "comes from an unknown issuer"),
        (20, "comes from an unknown issuer"),
        (21, "comes from an unknown issuer"),
        (62, "is for another host name"),
        (64, "is for another address"),
        (63, "could not be verified"),
    ],
)
def test_what_openssl_found_is_said_in_words(code, what):
    """X509_V_ERR_* in OpenSSL's x509_vfy.h."""
    error = ssl.SSLCertVerificationError()
    error.verify_code = code
    assert str(tls_failure(error)) == f"The server's certificate {what}."
