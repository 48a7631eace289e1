from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from macros.http import (
    AddressPolicy,
    Client,
    Limits,
    Request,
    Response,
    TransportError,
)
from tests.http.hostile import Behaviour, FakeDNS, Server

LOOPBACK = ("127.0.0.0/8", "::1/128")


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    with ExitStack() as stack:

        def start(behaviour: Behaviour, **options: Any) -> Server:
            return stack.enter_context(Server(behaviour, **options))

        yield start


@pytest.fixture
def client() -> Iterator[Client]:
    client = a_client(AddressPolicy(LOOPBACK), connections=8)
    yield client
    client.close()


@pytest.fixture
def dns(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeDNS]:
    """Lets every host name resolve to the listed addresses; see FakeDNS."""

    def resolve_to(*answers: list[str]) -> FakeDNS:
        fake = FakeDNS(*answers)
        monkeypatch.setattr(socket, "getaddrinfo", fake)
        return fake

    return resolve_to


@pytest.fixture
def post(client: Client) -> Callable[..., Response]:
    """Sends `{}` with limits short enough for a test; keywords change the limits.

    No exchange may take longer than a second.
    """

    def send(url: str, **changes: Any) -> Response:
        body = changes.pop("body", b"{}")
        method = changes.pop("method", "POST")
        headers = changes.pop("headers", ())
        prepared = Request(method, url, headers, body).prepare()
        begun = time.monotonic()
        try:
            return client.send(prepared, limits=limits(**changes))
        finally:
            assert time.monotonic() - begun < 1

    return send


@pytest.fixture
def failing(post: Callable[..., Response]) -> Callable[..., TransportError]:
    def send(url: str, **changes: Any) -> TransportError:
        with pytest.raises(TransportError) as caught:
            post(url, **changes)
        return caught.value

    return send


def a_client(policy: AddressPolicy, *, connections: int = 1) -> Client:
    return Client(policy, limits=limits(), connections=connections)


def get(client: Client, url: str) -> Response:
    return client.send(Request("GET", url).prepare())


def limits(**changes: Any) -> Limits:
    numbers = {"connect": 2.0, "read": 2.0, "deadline": 2.0, "max_bytes": 100_000}
    return Limits(**{**numbers, **changes})
