"""Masks in the place of what must not be read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from urllib.parse import unquote_plus

from .finding import MASK, Echoes
from .forms import written_forms

# What stands in place of a value as a whole.
HIDDEN = "(not shown)"

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
_ORIGIN = re.compile(r"\s*(https?://)(?:[^/?#@\s]*@)?([^/?#\s]+)(.*)", re.S | re.I)


# Bounded: the names in a response are at most 64 KB each.
@lru_cache(maxsize=256)
def is_credential(name: str) -> bool:
    if _CREDENTIAL_NAME.search(name) is None:
        return False
    return _HARMLESS_NAME.search(name) is None


def origin_in(url: str) -> str:
    """A URL as far as its host: what follows is often a secret itself."""
    match = _ORIGIN.match(url)
    if match is None:
        return HIDDEN
    return match[1] + match[2] + ("/…" if match[3].strip("/") else "")


def mask_header(name: str, value: str) -> str:
    """The value, or a mask where the header's name says that it is a credential."""
    if not is_credential(name) or not value:
        return value
    scheme = _SCHEME.match(value)
    return f"{scheme[0] if scheme else ''}{MASK}"


def header_lines(headers: Headers) -> str:
    """Headers as `Name: value` lines, credentials masked."""
    return "\n".join(f"{name}: {mask_header(name, value)}" for name, value in headers)


def credentials_in(headers: Headers, url: str) -> Echoes:
    """The secret values of a request: they are masked wherever they turn up again.

    A receiver that echoes the request would otherwise put them into the log.
    """
    secrets = set()
    for name, value in headers:
        if is_credential(name):
            scheme = _SCHEME.match(value)
            secrets.add(value[len(scheme[0]) :] if scheme else value)
    for name, value in parameters_in(url):
        if is_credential(name):
            secrets |= {value, unquote_plus(value)}
    return _all_forms(frozenset(secrets))


# A run sends the same credentials with every delivery.
@lru_cache(maxsize=256)
def _all_forms(values: frozenset[str]) -> Echoes:
    return Echoes(form for each in values for form in written_forms(each))


def mask_url(url: str) -> str:
    """The URL with the values of credential parameters masked."""
    return replace_parameters(url, _mask)


def _mask(name: str, value: str) -> str:
    return MASK if value and is_credential(name) else value


# One match for each parameter, so that no letter is looked at twice.
_PARAMETER = re.compile(r"([?&])([^=&#]*)=([^&#]*)|[?&][^=&#]*")


def parameters_in(url: str) -> list[tuple[str, str]]:
    """Name and value of each parameter, as they are written."""
    if "?" not in url:
        return []
    return [(name, value) for _, name, value in _PARAMETER.findall(url) if name]


def replace_parameters(url: str, replace: Callable[[str, str], str]) -> str:
    """The URL with another value for each of its parameters, given name and value."""
    if "?" not in url:
        return url

    def one(match: re.Match[str]) -> str:
        mark, name, value = match.groups()
        return f"{mark}{name}={replace(name, value)}" if name else match[0]

    return _PARAMETER.sub(one, url)
