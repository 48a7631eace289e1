"""Standard Webhooks 1.0: how a receiver knows that a request comes from here.

The signature is HMAC-SHA256 over `id.timestamp.body`, base64 with the version `v1,`
in front. While a key is being changed there are two, separated by a space.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterable

ID_HEADER = "Webhook-Id"
TIMESTAMP_HEADER = "Webhook-Timestamp"
SIGNATURE_HEADER = "Webhook-Signature"

_PREFIX = "whsec_"
# In bytes; the specification's least.
SHORTEST_KEY = 24


def parse_key(secret: str) -> bytes:
    """The key of `whsec_` and base64. Raises ValueError with the end of a sentence."""
    text = secret.strip().removeprefix(_PREFIX).rstrip("=")
    try:
        key = b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise ValueError("is not whsec_ followed by base64") from None
    if len(key) < SHORTEST_KEY:
        raise ValueError(f"is shorter than {SHORTEST_KEY} bytes")
    return key


def signed(
    keys: Iterable[bytes], message_id: str, timestamp: int, body: bytes
) -> list[tuple[str, str]]:
    """The headers to add; `timestamp` is the moment of the try in Unix seconds."""
    content = f"{message_id}.{timestamp}.".encode() + body
    digests = (hmac.digest(key, content, "sha256") for key in keys)
    signatures = " ".join(f"v1,{b64encode(digest).decode()}" for digest in digests)
    return [(TIMESTAMP_HEADER, str(timestamp)), (SIGNATURE_HEADER, signatures)]
