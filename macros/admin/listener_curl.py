"""A call to a listener as shell commands, signed as each scheme wants it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from ..models import Listener, ListenerCheck, PayloadFormat, Scheme

_BODIES = {
    PayloadFormat.JSON: ("application/json", '{"example": "value"}'),
    PayloadFormat.FORM: ("application/x-www-form-urlencoded", "example=value"),
    PayloadFormat.XML: ("application/xml", "<example>value</example>"),
    PayloadFormat.TEXT: ("text/plain; charset=utf-8", "value"),
}
# Where whoever calls from an allowed address is let in.
_BY_ADDRESS = "from an allowed address"
_KEYED = "SECRET='the secret of the listener'"
_NOW = "SENT_AT=$(date +%s)"
_HEX = "SIGNATURE=$(printf '%s' {content} | openssl dgst -{algorithm} -hmac"
_HEX += " \"$SECRET\" | sed 's/^.*= *//')"
_BASE64 = "SIGNATURE=$(printf '%s' {content} | openssl dgst -{algorithm} -hmac"
_BASE64 += ' "$SECRET" -binary | openssl base64 -A)'
_STANDARD = [
    _KEYED,
    _NOW,
    'ID="msg_$SENT_AT"',
    "KEY=$(printf '%s' \"${SECRET#whsec_}\" | openssl base64 -d -A | od -An -v -tx1"
    " | tr -d ' \\n')",
    "SIGNATURE=$(printf '%s' \"$ID.$SENT_AT.$BODY\" | openssl dgst -sha256 -mac HMAC"
    ' -macopt "hexkey:$KEY" -binary | openssl base64 -A)',
]


def _signed(content: str, algorithm: str = "sha256", encoding: str = "hex") -> str:
    form = _BASE64 if encoding == "base64" else _HEX
    return form.format(content=content, algorithm=algorithm)


def _lines(check: ListenerCheck) -> tuple[list[str], list[str]]:
    """What comes before the call, and its headers as words of a shell."""
    match check.scheme:
        case Scheme.API_KEY:
            before = ["TOKEN='the token of an API key with the scope listener'"]
            return before, [_word("Authorization: Bearer ", "$TOKEN")]
        case Scheme.STANDARD:
            return _STANDARD, [
                _word("webhook-id: ", "$ID"),
                _word("webhook-timestamp: ", "$SENT_AT"),
                _word("webhook-signature: v1,", "$SIGNATURE"),
            ]
        case Scheme.GITLAB:
            return [_KEYED], [_word("X-Gitlab-Token: ", "$SECRET")]
        case Scheme.SLACK:
            return [_KEYED, _NOW, _signed('"v0:$SENT_AT:$BODY"')], [
                _word("X-Slack-Request-Timestamp: ", "$SENT_AT"),
                _word("X-Slack-Signature: v0=", "$SIGNATURE"),
            ]
        case Scheme.STRIPE:
            name = check.header or "Stripe-Signature"
            header = _word(f"{name}: t=", "$SENT_AT", ",v1=", "$SIGNATURE")
            return [_KEYED, _NOW, _signed('"$SENT_AT.$BODY"')], [header]
        case Scheme.HMAC:
            signed = _signed('"$BODY"', check.algorithm or "sha256", check.encoding)
            header = _word(f"{check.header}: {check.prefix}", "$SIGNATURE")
            return [_KEYED, signed], [header]
    name = "X-Hub-Signature"
    name += "-256" if check.scheme == Scheme.GITHUB else ""
    header = _word(f"{name}: sha256=", "$SIGNATURE")
    return [_KEYED, _signed('"$BODY"')], [header]


def _word(*parts: str) -> str:
    """One word: what people typed is taken as it is, and our variables expand."""
    return "".join(
        f'"{part}"' if part.startswith("$") else shlex.quote(part) for part in parts
    )


def commands(
    listener: Listener, address: str, checks: Iterable[ListenerCheck]
) -> list[tuple[str, str]]:
    """For each way to show who calls: its name, and the commands for sh and bash."""
    kind, body = _BODIES[PayloadFormat(listener.payload_format)]
    ways = [(check.get_scheme_display(), *_lines(check)) for check in checks]
    made = []
    for name, before, headers in ways or [(_BY_ADDRESS, [], [])]:
        words = [shlex.quote(f"Content-Type: {kind}"), *headers]
        call = [
            f"curl --request {listener.method} {shlex.quote(address)}",
            *(f"  --header {word}" for word in words),
            '  --data-raw "$BODY"',
        ]
        lines = [f"BODY='{body}'", *before, " \\\n".join(call)]
        made.append((name, "\n".join(lines)))
    return made
