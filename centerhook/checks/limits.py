from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from macros import crypto
from macros.deliveries import SHORTEST_LEASE


@register
def check_secrets_keys(**kwargs: Any) -> list[CheckMessage]:
    bad = crypto.bad_keys(settings.SECRETS_KEYS)
    if not bad:
        return []
    places = ", ".join(map(str, bad))
    return [
        Error(
            f"SECRETS_KEYS holds what is not a Fernet key (number {places}).",
            hint="Make one with: python -c 'from cryptography.fernet import Fernet;"
            " print(Fernet.generate_key().decode())'",
            id="centerhook.E101",
        )
    ]


@register
def check_lease(**kwargs: Any) -> list[CheckMessage]:
    """A lease may be shorter than a request, since it is renewed meanwhile."""
    if settings.LEASE_SECONDS >= SHORTEST_LEASE:
        return []
    return [
        Error(
            f"LEASE_SECONDS is {settings.LEASE_SECONDS:g}: too short to be renewed in"
            " time, so that workers would take deliveries from each other.",
            hint=f"Give at least {SHORTEST_LEASE:g}; 60 suits nearly everyone.",
            id="centerhook.E102",
        )
    ]
