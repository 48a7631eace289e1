"""Every scheme by its name. A service has no code of its own beyond its line here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import new

from .problems import Headers, Problem, Verify, malformed, missing, wrong
from .signatures import (
    any_equal,
    base64_digest,
    digests,
    header_bytes,
    hex_digest,
    raw_keys,
    standard_keys,
)
from .timed import moment, stale

_SHA256 = 32
# Signatures that are looked at in one header; senders put two while rotating.
_MAX_SIGNATURES = 10
_DECODERS = {"hex": hex_digest, "base64": base64_digest}
_UNIX = "a moment in Unix seconds"


def standard_webhooks(
    headers: Headers, body: bytes, secrets: Sequence[str], now: datetime
) -> Problem | None:
    """Standard Webhooks 1.0; Svix, where it comes from, names its headers `svix-`."""
    prefix = "webhook" if "webhook-id" in headers else "svix"
    message_id, sent_at, signatures = (
        headers.get(f"{prefix}-{part}", "") for part in ("id", "timestamp", "signature")
    )
    if not message_id:
        return missing("webhook-id")
    if not sent_at:
        return missing("webhook-timestamp")
    if not signatures:
        return missing("webhook-signature")
    signed_at = moment(sent_at)
    if signed_at is None:
        return malformed("webhook-timestamp", _UNIX)
    given = _versioned(signatures.split(), "v1,", base64_digest)
    if not given:
        form = "'v1,' and the signature in base64"
        return malformed("webhook-signature", form)
    content = b"%b.%b.%b" % (header_bytes(message_id), sent_at.encode(), body)
    if not any_equal(given, digests(standard_keys(secrets), content, "sha256")):
        return wrong("webhook-signature")
    return stale(signed_at, now)


def gitlab(
    headers: Headers, body: bytes, secrets: Sequence[str], now: datetime
) -> Problem | None:
    """The secret itself, or the signing token of later versions, as Standard Webhooks.

    A call with both is right if either is.
    """
    token = headers.get("x-gitlab-token", "")
    if token and any_equal([header_bytes(token)], raw_keys(secrets)):
        return None
    if "webhook-signature" in headers:
        return standard_webhooks(headers, body, secrets, now)
    return wrong("X-Gitlab-Token") if token else missing("X-Gitlab-Token")


def slack(
    headers: Headers, body: bytes, secrets: Sequence[str], now: datetime
) -> Problem | None:
    sent_at = headers.get("x-slack-request-timestamp", "")
    if not sent_at:
        return missing("X-Slack-Request-Timestamp")
    signature = headers.get("x-slack-signature", "")
    if not signature:
        return missing("X-Slack-Signature")
    signed_at = moment(sent_at)
    if signed_at is None:
        return malformed("X-Slack-Request-Timestamp", _UNIX)
    given = _versioned([signature.strip()], "v0=", hex_digest)
    if not given:
        return malformed("X-Slack-Signature", "'v0=' and the signature in hexadecimal")
    content = b"v0:%b:%b" % (sent_at.encode(), body)
    if not any_equal(given, digests(raw_keys(secrets), content, "sha256")):
        return wrong("X-Slack-Signature")
    return stale(signed_at, now)


def stripe_like(name: str = "Stripe-Signature") -> Verify:
    """`t=<moment>,v1=<signature>`, in which `v1=` may come several times."""

    def verify(
        headers: Headers, body: bytes, secrets: Sequence[str], now: datetime
    ) -> Problem | None:
        header = headers.get(name.lower(), "")
        if not header:
            return missing(name)
        parts = [part.strip() for part in header.split(",")]
        moments = [part[2:] for part in parts if part.startswith("t=")]
        signed_at = moment(moments[0]) if len(moments) == 1 else None
        given = _versioned(parts, "v1=", hex_digest)
        if signed_at is None or not given:
            return malformed(name, "'t=' and a moment, and 'v1=' and a signature")
        content = b"%b.%b" % (moments[0].encode(), body)
        if not any_equal(given, digests(raw_keys(secrets), content, "sha256")):
            return wrong(name)
        return stale(signed_at, now)

    return verify


def body_hmac(
    name: str, algorithm: str = "sha256", encoding: str = "hex", prefix: str = ""
) -> Verify:
    """The HMAC of the body alone, in a header, with or without a text before it."""
    size = new(algorithm).digest_size
    decode = _DECODERS[encoding]
    written = {"hex": "hexadecimal", "base64": "base64"}[encoding]
    form = f"'{prefix}' and " * bool(prefix) + f"a signature in {written}"

    def verify(
        headers: Headers, body: bytes, secrets: Sequence[str], now: datetime
    ) -> Problem | None:
        text = headers.get(name.lower(), "").strip()
        if not text:
            return missing(name)
        given = decode(text[len(prefix) :], size) if text.startswith(prefix) else None
        if given is None:
            return malformed(name, form)
        expected = digests(raw_keys(secrets), body, algorithm)
        return None if any_equal([given], expected) else wrong(name)

    return verify


def _versioned(
    parts: Sequence[str], prefix: str, decode: Callable[[str, int], bytes | None]
) -> list[bytes]:
    """The signatures of one version; those of others are left out."""
    texts = [part.removeprefix(prefix) for part in parts if part.startswith(prefix)]
    given = [decode(text, _SHA256) for text in texts[:_MAX_SIGNATURES]]
    return [digest for digest in given if digest]


# Under the names of `macros.models.Scheme`, without the API key: that one needs the
# database.
SCHEMES: dict[str, Verify] = {
    "standard_webhooks": standard_webhooks,
    "github": body_hmac("X-Hub-Signature-256", prefix="sha256="),
    "gitlab": gitlab,
    "slack": slack,
    "atlassian": body_hmac("X-Hub-Signature", prefix="sha256="),
    "stripe": stripe_like(),
}


def verifier(
    scheme: str,
    *,
    header: str = "",
    algorithm: str = "",
    encoding: str = "",
    prefix: str = "",
) -> Verify:
    """The function of a scheme; the rest is for those that leave it open."""
    if scheme == "hmac":
        return body_hmac(header, algorithm or "sha256", encoding or "hex", prefix)
    if scheme == "stripe" and header:
        return stripe_like(header)
    return SCHEMES[scheme]
