from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from macros import crypto


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
