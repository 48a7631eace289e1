from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from macros.http import AddressPolicy, Answer, Client, Limits, Request, TransportError
from tests.http.hostile import Behaviour, Server

LOOPBACK = ("127.0.0.0/8", "::1/128")


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    with ExitStack() as stack:

        def start(behaviour: Behaviour, **options: Any) -> Server:
            return stack.enter_context(Server(behaviour, **options))

        yield start


@pytest.fixture
def client() -> Iterator[Client]:
    client = Client(AddressPolicy(LOOPBACK), connections=8)
    yield client
    client.close()


@pytest.fixture
def post(client: Client) -> Callable[..., Answer]:
    """Sends `{}` with limits short enough for a test; keywords change the limits."""

    def send(url: str, **changes: Any) -> Answer:
        body = changes.pop("body", b"{}")
        method = changes.pop("method", "POST")
        headers = changes.pop("headers", ())
        sender = changes.pop("by", client)
        return sender.send(
            Request(method, url, headers, body), limits=limits(**changes)
        )

    return send


@pytest.fixture
def failing(post: Callable[..., Answer]) -> Callable[..., TransportError]:
    def send(url: str, **changes: Any) -> TransportError:
        with pytest.raises(TransportError) as caught:
            post(url, **changes)
        return caught.value

    return send


def limits(**changes: Any) -> Limits:
    numbers = {"connect": 2.0, "read": 2.0, "deadline": 2.0, "max_bytes": 100_000}
    return Limits(**{**numbers, **changes})
