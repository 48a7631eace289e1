"""Requests to the provider are guarded and bounded like all others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.test import Client

from centerhook.sign_in import single_sign_on
from tests.http.hostile import (
    Server,
    always,
    dripping,
    endless,
    http_response,
    large,
    silent,
)

from .arriving import arrive, is_in, refusal
from .provider import Provider

if TYPE_CHECKING:
    from pytest_django import Settings

ENDPOINTS = ["TOKEN", "JWKS", "USER"]


@pytest.fixture(autouse=True)
def people(nora: User) -> None:
    """One who may come in if all is well."""


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("listed", ["127.0.0.1", "network", ""])
def test_a_provider_inside_is_reached_where_it_is_allowed(
    provider: Provider, client: Client, settings: Settings, endpoint: str, listed: str
) -> None:
    """Each of the three goes by the policy on its own."""
    settings.ALLOWED_NETWORKS = ["127.0.0.2/32"] if listed == "network" else []
    settings.ALLOWED_DESTINATION_HOSTS = ["localhost", listed]
    for each in ENDPOINTS:
        name = f"OIDC_OP_{each}_ENDPOINT"
        host = "localhost" if each != endpoint else "127.0.0.1"
        setattr(settings, name, getattr(settings, name).replace("127.0.0.1", host))
    response = arrive(client, provider)
    assert is_in(client) == (listed == "127.0.0.1")
    if not is_in(client):
        assert "could not be checked" in refusal(response)


def test_the_environment_says_nothing(
    provider: Provider, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a proxy, which would resolve names itself, nor a password."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    arrive(client, provider)
    assert is_in(client)


@pytest.mark.usefixtures("short_limits")
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    "behaviour",
    [
        silent,
        endless,
        large(single_sign_on.MAX_BYTES + 1),
        dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b" "),
        always(http_response(b"[" * 100_000)),
        always(http_response(b"null")),
        always(http_response(b"", status="204 No Content")),
    ],
    ids=["silent", "endless", "large", "dripping", "deep", "null", "empty"],
)
def test_a_provider_that_behaves_badly_only_refuses_the_sign_in(
    provider: Provider,
    client: Client,
    settings: Settings,
    serve: Callable[..., Server],
    endpoint: str,
    behaviour: Callable[..., None],
) -> None:
    setattr(settings, f"OIDC_OP_{endpoint}_ENDPOINT", serve(behaviour).url("/"))
    assert "could not be checked" in refusal(arrive(client, provider))
    assert not is_in(client)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_provider_leads_nowhere_else(
    provider: Provider,
    client: Client,
    settings: Settings,
    serve: Callable[..., Server],
    endpoint: str,
) -> None:
    elsewhere = serve(always(http_response(b"{}")))
    moved = http_response(b"", f"Location: {elsewhere.url('/')}", status="307 Moved")
    setattr(settings, f"OIDC_OP_{endpoint}_ENDPOINT", serve(always(moved)).url("/"))
    assert "could not be checked" in refusal(arrive(client, provider))
    assert elsewhere.requests == []
