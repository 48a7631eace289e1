"""What senders do: sign a body, each in the way of its scheme."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
Headers = dict[str, str]
Sign = Callable[[bytes, str, int], Headers]


def standard(body: bytes, secret: str, at: int) -> Headers:
    key = b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, b"msg_1.%d.%b" % (at, body), "sha256")
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{b64encode(digest).decode()}",
    }


def github(body: bytes, secret: str, at: int) -> Headers:
    return {"x-hub-signature-256": f"sha256={_hex(secret, body)}"}


def gitlab_token(body: bytes, secret: str, at: int) -> Headers:
    return {"x-gitlab-token": secret}


def slack(body: bytes, secret: str, at: int) -> Headers:
    signature = _hex(secret, b"v0:%d:%b" % (at, body))
    return {
        "x-slack-request-timestamp": str(at),
        "x-slack-signature": f"v0={signature}",
    }


def atlassian(body: bytes, secret: str, at: int) -> Headers:
    return {"x-hub-signature": f"sha256={_hex(secret, body)}"}


def stripe(body: bytes, secret: str, at: int) -> Headers:
    signature = _hex(secret, b"%d.%b" % (at, body))
    return {"stripe-signature": f"t={at},v1={signature}"}


def hmac_sha512(body: bytes, secret: str, at: int) -> Headers:
    digest = hmac.digest(secret.encode(), body, "sha512")
    return {"x-sum": f"sum:{b64encode(digest).decode()}"}


def _hex(secret: str, content: bytes) -> str:
    return hmac.digest(secret.encode(), content, "sha256").hex()
