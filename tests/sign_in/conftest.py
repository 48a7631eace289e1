from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from django.conf import settings as active
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import clear_url_caches

import centerhook.urls

from .provider import CLIENT_ID, CLIENT_SECRET, Provider

if TYPE_CHECKING:
    from pytest_django import Settings

PASSWORD = "correct-horse"
BACKEND = "centerhook.sign_in.single_sign_on.ProviderBackend"


@pytest.fixture(autouse=True)
def cheap_passwords(settings: Settings) -> None:
    """Many sign-ins, none of which is about the cost of a hash."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def olivia(db: None) -> User:
    return User.objects.create_superuser("olivia", "olivia@example.com", PASSWORD)


@pytest.fixture
def nora(db: None) -> User:
    """On the team, and no superuser."""
    return User.objects.create_user("nora", "nora@example.com", PASSWORD, is_staff=True)


@pytest.fixture
def sign_in() -> Callable[..., HttpResponse]:
    """Give a name and a password to the login page."""

    def post(
        client: Client, name: str, password: str = PASSWORD, **headers: str
    ) -> HttpResponse:
        fields = {"username": name, "password": password, "next": "/admin/"}
        response: HttpResponse = client.post("/admin/login/", fields, **headers)
        return response

    return post


def route() -> None:
    """Build the URLs by the settings as they are now."""
    importlib.reload(centerhook.urls)
    clear_url_caches()


@pytest.fixture
def provider(settings: Settings) -> Iterator[Provider]:
    with Provider() as running:
        settings.OIDC_ISSUER = running.url
        settings.SINGLE_SIGN_ON = True
        settings.OIDC_NAME = "Example Corp"
        settings.OIDC_OP_AUTHORIZATION_ENDPOINT = f"{running.url}/authorize"
        settings.OIDC_OP_TOKEN_ENDPOINT = f"{running.url}/token"
        settings.OIDC_OP_USER_ENDPOINT = f"{running.url}/userinfo"
        settings.OIDC_OP_JWKS_ENDPOINT = f"{running.url}/keys"
        settings.OIDC_RP_CLIENT_ID = CLIENT_ID
        settings.OIDC_RP_CLIENT_SECRET = CLIENT_SECRET
        settings.AUTHENTICATION_BACKENDS = [*active.AUTHENTICATION_BACKENDS, BACKEND]
        settings.BASE_URL = "https://hooks.example.com"
        route()
        running.info = {
            "sub": "person-1",
            "email": "nora@example.com",
            "email_verified": True,
        }
        yield running
    settings.SINGLE_SIGN_ON = False
    route()
