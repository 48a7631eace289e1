"""What must not be read in a log, masked before a row is written."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable
from functools import lru_cache
from html import escape
from urllib.parse import quote, quote_plus, unquote_plus

MASK = "••••••"

Headers = Iterable[tuple[str, str]]

# Names of headers and URL parameters that carry credentials, whoever invented them.
_CREDENTIAL_NAME = re.compile(
    r"auth(?!or(?!i))|token|secret|passw|passphrase|credential|cookie|session"
    r"|signature|jwt|(^|[-_])(pwd|sig)$"
    r"|(^|[-_])(api|access|private|subscription|functions)?[-_]?key$",
    re.IGNORECASE,
)
# Keys that identify a thing and give access to none.
_HARMLESS_NAME = re.compile(
    r"(idempotency|surrogate|issue|public|sort)[-_]key$", re.IGNORECASE
)
# The scheme is no secret, and the explanation of a 401 mentions it.
_SCHEME = re.compile(r"^(Basic|Bearer|Digest|Token|Negotiate|ApiKey)\s+", re.IGNORECASE)
# The part of a URL after its host, where it is long enough to be a secret's.
_PATH = re.compile(r"https?://[^/]+/(.{12,})", re.IGNORECASE)
# Masking shorter values would blot out ordinary words.
_MIN_REDACTED = 6


# Bounded: the names in a response are at most 64 KB each.
@lru_cache(maxsize=256)
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
    secrets = set()
    for name, value in headers:
        if is_credential(name):
            scheme = _SCHEME.match(value)
            secrets.add(value[len(scheme[0]) :] if scheme else value)
    if "?" in url:
        for name, value in _PARAMETER.findall(url):
            if is_credential(name):
                secrets |= {value, unquote_plus(value)}
    return list(_all_forms(frozenset(secrets)))


def echoes(secrets: Iterable[str]) -> tuple[str, ...]:
    """Every form in which secrets may turn up in a response or a message.

    Beside the forms of any credential these are base64, alone or inside a longer text
    as in Basic authentication, and the part of a URL after its host, which receivers
    quote in their errors.
    """
    forms: set[str] = set()
    for secret in secrets:
        # Lower case is how a host is written down.
        forms |= written_forms(secret) | _in_base64(secret) | {secret.lower()}
        path = _PATH.match(secret)
        if path:
            forms |= written_forms(path[1])
    return tuple(_longest_first(forms))


def _longest_first(forms: Iterable[str]) -> list[str]:
    long = {form for form in forms if len(form) >= _MIN_REDACTED}
    return sorted(long, key=lambda form: (-len(form), form))


# A run sends the same credentials with every delivery.
@lru_cache(maxsize=256)
def _all_forms(values: frozenset[str]) -> tuple[str, ...]:
    return tuple(
        _longest_first(form for each in values for form in written_forms(each))
    )


@lru_cache(maxsize=256)
def written_forms(value: str) -> frozenset[str]:
    """How a receiver may write a value: as it is, in a URL, in JSON, or in XML."""
    in_json = json.dumps(value)[1:-1]
    in_text_json = json.dumps(value, ensure_ascii=False)[1:-1]
    in_url = {quote(value, safe=""), quote(value), quote_plus(value)}
    return frozenset(
        {
            value,
            in_json,
            in_json.replace("/", "\\/"),
            in_text_json,
            in_text_json.replace("/", "\\/"),
            escape(value),
            *in_url,
            *(re.sub("%..", lambda code: code[0].lower(), each) for each in in_url),
        }
    )


def _in_base64(value: str) -> set[str]:
    """The base64 of a value at each of the three offsets it can have in a text.

    The characters at the edges are left out: they depend on the neighbours too.
    """
    forms = set()
    for before in range(3):
        data = b"\0" * before + value.encode()
        whole = b64encode(data).decode().rstrip("=")
        inner = whole[-(-before * 8 // 6) : len(data) * 8 // 6]
        forms |= {inner, inner.replace("+", "-").replace("/", "_")}
    return forms


def those_in(texts: Iterable[str], secrets: Iterable[str]) -> list[str]:
    """The secrets that stand in any of the texts: nearly always none."""
    whole = "\0".join(texts)
    return [secret for secret in secrets if secret in whole]


def redact(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, MASK)
    return text


def redact_end(text: str, secrets: Iterable[str]) -> str:
    """The text of a body that was cut, without the part of a secret at its end."""
    for secret in secrets:
        for length in range(min(len(secret), len(text)), _MIN_REDACTED - 1, -1):
            if text.endswith(secret[:length]):
                return text[:-length] + MASK
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
