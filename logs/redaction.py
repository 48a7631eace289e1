"""What must not be read in a log, masked before a row is written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from urllib.parse import quote, unquote_plus

MASK = "••••••"

Headers = Iterable[tuple[str, str]]

# Names of headers and URL parameters that carry credentials, whoever invented them.
_CREDENTIAL_NAME = re.compile(
    r"auth(?!or(?!i))|token|secret|passw|passphrase|credential|cookie|session"
    r"|signature|jwt|(^|[-_])(pwd|sig)$"
    r"|(^|[-_])(api|access|private|subscription|functions)?[-_]?key$",
    re.IGNORECASE,
)
# Keys that name a thing and open none.
_HARMLESS_NAME = re.compile(
    r"(idempotency|surrogate|issue|public|sort)[-_]key$", re.IGNORECASE
)
# The scheme is no secret, and the sentence on a 401 speaks of it.
_SCHEME = re.compile(r"^(Basic|Bearer|Digest|Token|Negotiate|ApiKey)\s+", re.IGNORECASE)
# A shorter value would blot out ordinary words.
_SHORTEST_REDACTED = 6


def is_credential(name: str) -> bool:
    if _CREDENTIAL_NAME.search(name) is None:
        return False
    return _HARMLESS_NAME.search(name) is None


def mask_header(name: str, value: str) -> str:
    """The value, or a mask where the header's name says that it is a credential."""
    if not is_credential(name) or not value:
        return value
    scheme = _SCHEME.match(value)
    return f"{scheme[0] if scheme else ''}{MASK}"


def header_lines(headers: Headers) -> str:
    """Headers as `Name: value` lines, credentials masked."""
    return "\n".join(f"{name}: {mask_header(name, value)}" for name, value in headers)


def credentials_in(headers: Headers, url: str) -> list[str]:
    """The secret values of a request: they are masked wherever they turn up again.

    A receiver that echoes the request would otherwise put them into the log. The
    longest comes first, so that none leaves a tail of another that begins alike.
    """
    found = set()
    for name, value in headers:
        if is_credential(name):
            scheme = _SCHEME.match(value)
            found.add(value[len(scheme[0]) :] if scheme else value)
    if "?" in url:
        for name, value in _PARAMETER.findall(url):
            if is_credential(name):
                found |= {value, unquote_plus(value)}
    long = (value for value in found if len(value) >= _SHORTEST_REDACTED)
    echoes = {echo for value in long for echo in _echoes(value)}
    return sorted(echoes, key=lambda echo: (-len(echo), echo))


def _echoes(value: str) -> set[str]:
    """How a receiver may write a value: as it is, in a URL, or in JSON."""
    in_json = json.dumps(value)[1:-1]
    return {value, quote(value, safe=""), in_json, in_json.replace("/", "\\/")}


def redact(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, MASK)
    return text


def mask_url(url: str) -> str:
    """The URL with the values of credential parameters masked."""
    if "?" not in url:
        return url
    return _PARAMETER.sub(_masked_parameter, url)


_PARAMETER = re.compile(r"(?<=[?&])([^=&#]+)=([^&#]*)")


def _masked_parameter(match: re.Match[str]) -> str:
    name, value = match[1], match[2]
    return f"{name}={MASK if value and is_credential(name) else value}"
