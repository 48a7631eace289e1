"""The settings by which a web request proves who sends it."""

from __future__ import annotations

from django.db import models


class AuthKind(models.TextChoices):
    NONE = "", "None"
    BASIC = "basic", "Basic (user name and password)"
    BEARER = "bearer", "Bearer token"
    OAUTH = "oauth", "OAuth 2 client credentials"


# The settings that name a secret.
SECRET_FIELDS = ("auth_secret", "signing_secret", "previous_signing_secret")


def token_parameters(text: str) -> tuple[tuple[str, str], ...]:
    """Name and value of each line. Raises ValueError with a sentence."""
    pairs = []
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if not line.strip():
            continue
        if not equals or not name.strip():
            raise ValueError(f"Write '{line.strip()}' as name=value.")
        pairs.append((name.strip(), value.strip()))
    return tuple(pairs)
