"""Whom a request is from: only what a trusted proxy wrote is believed."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from feedback.access.addresses import client_address


def address(settings: Any, proxies: int, forwarded: str, remote: str) -> str:
    settings.PROXY_COUNT = proxies
    headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    return client_address(RequestFactory().get("/", REMOTE_ADDR=remote, **headers))


@pytest.mark.parametrize(
    ("proxies", "forwarded", "client"),
    [
        (0, "", "10.0.0.9"),
        (0, "1.2.3.4", "10.0.0.9"),
        (1, "1.2.3.4", "1.2.3.4"),
        (1, "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        (2, "6.6.6.6, 1.2.3.4, 10.0.0.8", "1.2.3.4"),
        (2, "1.2.3.4", "1.2.3.4"),
        (1, "", ""),
        (1, "<script>", ""),
        (1, "2001:DB8::1", "2001:db8::1"),
    ],
)
def test_only_as_many_addresses_as_there_are_proxies_are_believed(
    settings: Any, proxies: int, forwarded: str, client: str
) -> None:
    assert address(settings, proxies, forwarded, "10.0.0.9") == client


def test_a_socket_has_no_address(settings: Any) -> None:
    assert address(settings, 0, "", "") == ""
