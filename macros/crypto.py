"""Secrets at rest: Fernet (AES-128-CBC, HMAC-SHA256) under the keys of SECRETS_KEYS.

Its library takes 7 MB, and is loaded with the first secret.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet


class Undecryptable(Exception):
    """No key in use decrypts the value, or it was tampered with."""


def encrypt(text: str) -> str:
    """Under the first key."""
    return _keys().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Under whichever key fits. Raises Undecryptable."""
    from cryptography.fernet import InvalidToken

    try:
        return _keys().decrypt(token.encode()).decode()
    except InvalidToken:
        raise Undecryptable from None


def reencrypt(token: str) -> str:
    """The same value under the first key. Raises Undecryptable."""
    from cryptography.fernet import InvalidToken

    try:
        return _keys().rotate(token.encode()).decode()
    except InvalidToken:
        raise Undecryptable from None


def bad_keys(keys: list[str]) -> list[int]:
    """The positions, counted from 1, of keys that are not Fernet keys."""
    return [number for number, key in enumerate(keys, start=1) if not _is_key(key)]


def _is_key(key: str) -> bool:
    """32 bytes in base64 for URLs."""
    try:
        return len(urlsafe_b64decode(key)) == 32
    except (binascii.Error, ValueError):
        return False


def _keys() -> MultiFernet:
    return _keys_of(tuple(settings.SECRETS_KEYS))


@lru_cache(maxsize=4)
def _keys_of(keys: tuple[str, ...]) -> MultiFernet:
    from cryptography.fernet import Fernet, MultiFernet

    return MultiFernet([Fernet(key) for key in keys])
