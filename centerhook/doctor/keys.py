from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from feedback.models import ApiKey
from macros import crypto
from macros.models import Secret

from .findings import Finding, bad, warning

ENDS_SOON = timedelta(days=14)
# Secrets that are named.
MAX_NAMED = 20


def secrets(now: datetime) -> Iterator[Finding]:
    rows = Secret.objects.order_by("pk").values_list(
        "name", "community__name", "encrypted_value"
    )
    closed = [
        f"{name} of {community}"
        for name, community, value in rows.iterator()
        if not _opens(value)
    ]
    if closed:
        yield bad(
            "secrets_closed",
            f"None of SECRETS_KEYS opens {len(closed)} of the stored secrets:"
            f" {', '.join(closed[:MAX_NAMED])}"
            f"{' and others' if len(closed) > MAX_NAMED else ''}.",
            "Put the key that they were stored with back into SECRETS_KEYS. It is not"
            " in a backup of the database; without it enter the values again.",
        )


def _opens(value: str) -> bool:
    try:
        crypto.decrypt(value)
    except crypto.Undecryptable:
        return False
    return True


def api_keys(now: datetime) -> Iterator[Finding]:
    ending = ApiKey.objects.valid().filter(expires_at__lte=now + ENDS_SOON)
    for key in ending.select_related("community").order_by("expires_at")[:10]:
        yield warning(
            "api_key_ends",
            f"The API key {key.name} of {key.community} ends on"
            f" {key.expires_at:%d %B %Y}.",
            "Give it a later end on its page, or the programs that use it another key.",
        )
