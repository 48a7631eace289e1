"""Keys, digests and their comparison: in constant time, and over bytes."""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from functools import lru_cache

_PREFIX = "whsec_"


def header_bytes(text: str) -> bytes:
    """The bytes of a header as they came: WSGI reads them as Latin-1."""
    return text.encode("latin-1", "backslashreplace")


def digests(keys: Iterable[bytes], content: bytes, algorithm: str) -> list[bytes]:
    return [hmac.digest(key, content, algorithm) for key in keys]


def any_equal(given: Sequence[bytes], expected: Sequence[bytes]) -> bool:
    """Whether any two are the same; all are compared, whichever it is."""
    pairs = [hmac.compare_digest(one, other) for one in given for other in expected]
    return any(pairs)


def raw_keys(secrets: Sequence[str]) -> list[bytes]:
    return [secret.encode(errors="replace") for secret in secrets]


def standard_keys(secrets: Sequence[str]) -> list[bytes]:
    """The keys that secrets may stand for: base64, with `whsec_` or not, or as is."""
    return [key for secret in secrets for key in _standard_keys(secret)]


@lru_cache(maxsize=256)
def _standard_keys(secret: str) -> tuple[bytes, ...]:
    text = secret.strip().removeprefix(_PREFIX).rstrip("=")
    raw = secret.encode(errors="replace")
    try:
        key = b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return (raw,)
    return (key, raw) if key else (raw,)


def hex_digest(text: str, size: int) -> bytes | None:
    """The digest that is written as hexadecimal digits; None where none is."""
    try:
        digest = bytes.fromhex(text) if len(text) == 2 * size else b""
    except ValueError:
        return None
    return digest or None


def base64_digest(text: str, size: int) -> bytes | None:
    try:
        digest = b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        return None
    # Only one way of writing it is right.
    is_exact = len(digest) == size and b64encode(digest).decode() == text
    return digest if is_exact else None
