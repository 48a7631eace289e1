from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

if TYPE_CHECKING:
    from pytest_django import Settings

PASSWORD = "correct-horse"


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
