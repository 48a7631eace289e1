"""OAuth 2 client credentials (RFC 6749, section 4.4): access tokens, kept and renewed.

Tokens live in the memory of the process only, and are written nowhere.
"""

from __future__ import annotations

import json
import re
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from urllib.parse import quote_plus, urlencode, urlsplit

from ..http import Client, Kind, Request, Response, TransportError

# Given up this long before its end, in seconds, for the request's own way.
MARGIN = 30.0
# Where the response does not say how long a token lives.
DEFAULT_LIFETIME = 300.0
# Those who wait for the same token share its failure for so long.
SHARED_FAILURE = 5.0
# A token that came in place of a refused one and is refused as well is not expired:
# the destination wants something else, and asking again at every delivery won't help.
STUBBORN = 60.0

_TOKEN = re.compile(r"[\x21-\x7e]{1,16000}").fullmatch


@dataclass(frozen=True, slots=True)
class Grant:
    """What a client shows to get a token. `in_body`: there instead of in a header."""

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    parameters: tuple[tuple[str, str], ...] = ()
    in_body: bool = False

    def request(self) -> Request:
        pairs = [("grant_type", "client_credentials"), *self.parameters]
        headers = [
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Accept", "application/json"),
        ]
        if self.in_body:
            pairs += (
                ("client_id", self.client_id),
                ("client_secret", self.client_secret),
            )
        else:
            # RFC 6749 2.3.1: form-encoded first, so that a colon in the id is safe.
            pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
            headers.append(
                ("Authorization", f"Basic {b64encode(pair.encode()).decode()}")
            )
        return Request("POST", self.url, tuple(headers), urlencode(pairs).encode())


class TokenError(TransportError):
    """No token: the request itself was not sent.

    Of kind `http` when the token URL refused for good, `connect` when it may not the
    next time.
    """

    def __init__(self, grant: Grant, reason: str, kind: Kind) -> None:
        host = urlsplit(grant.url).hostname
        super().__init__(f"No access token from {host}: {reason}", kind)
        self._cause = grant, reason, kind

    def again(self) -> TokenError:
        """For another thread: one exception must not be raised by two at a time."""
        return TokenError(*self._cause)


@dataclass(slots=True)
class _Entry:
    lock: Lock = field(default_factory=Lock)
    token: str = ""
    obtained_at: float = 0.0
    expires_at: float = 0.0
    after_refusal: bool = False
    failure: TokenError | None = None
    failed_at: float = 0.0


class Tokens:
    """The tokens of a process. Where many threads need the same, one asks for it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: dict[Grant, _Entry] = {}

    def get(self, grant: Grant, client: Client, ends_at: float) -> str:
        """A token that is still good. Raises TokenError, by then at the latest."""
        with self._entry(grant, ends_at) as entry:
            now = time.monotonic()
            if entry.token and now < entry.expires_at:
                return entry.token
            if entry.failure and now - entry.failed_at < SHARED_FAILURE:
                raise entry.failure.again()
            try:
                entry.token, lifetime = _fetch(grant, client, ends_at)
            except TokenError as error:
                entry.failure, entry.failed_at = error, time.monotonic()
                raise
            entry.failure = None
            entry.obtained_at = now
            # Never all of a short life: half of it at least is used.
            entry.expires_at = now + max(lifetime - MARGIN, lifetime / 2)
            return entry.token

    def refused(self, grant: Grant, token: str, ends_at: float) -> bool:
        """Take note of a 401; True if another token is worth a second try.

        Raises TokenError, by then at the latest.
        """
        with self._entry(grant, ends_at) as entry:
            if entry.token != token:
                return True
            age = time.monotonic() - entry.obtained_at
            if entry.after_refusal and age < STUBBORN:
                return False
            entry.token = ""
            entry.after_refusal = True
            return True

    @contextmanager
    def _entry(self, grant: Grant, ends_at: float) -> Iterator[_Entry]:
        """For one thread at a time: another one may be asking for the token."""
        with self._lock:
            if len(self._entries) >= 1000 and grant not in self._entries:
                self._entries.clear()  # Each is got again when it is next needed.
            entry = self._entries.setdefault(grant, _Entry())
        if not entry.lock.acquire(timeout=max(0.0, ends_at - time.monotonic())):
            raise TokenError(grant, "another request still asks for it.", "timeout")
        try:
            yield entry
        finally:
            entry.lock.release()


def _fetch(grant: Grant, client: Client, ends_at: float) -> tuple[str, float]:
    try:
        response = client.send(grant.request().prepare(), ends_at=ends_at)
    except TransportError as error:
        raise TokenError(grant, error.message, error.kind) from None
    status = response.status_code
    if status != 200:
        passing = status in (408, 429) or status >= 500
        raise TokenError(grant, _refusal(response), "connect" if passing else "http")
    try:
        return _parse(response.body)
    except ValueError as error:
        raise TokenError(grant, f"{error}.", "http") from None


def _refusal(response: Response) -> str:
    """The status, and the error's code (RFC 6749 5.2), which holds nothing secret."""
    try:
        code = json.loads(response.body)["error"]
    except (ValueError, TypeError, KeyError, RecursionError):
        code = None
    known = isinstance(code, str) and re.fullmatch(r"[a-z_]{1,40}", code)
    return f"it responded with {response.status_code}{f' ({code})' if known else ''}."


def _parse(body: bytes) -> tuple[str, float]:
    """The token and its lifetime in seconds. Raises ValueError with a clause."""
    try:
        grant = json.loads(body)
        token, kind = grant["access_token"], grant.get("token_type", "bearer")
        lifetime = float(grant.get("expires_in") or DEFAULT_LIFETIME)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise ValueError("its response holds no access token") from None
    if not isinstance(token, str) or not _TOKEN(token):
        raise ValueError("its access token cannot be sent in a header")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise ValueError("its access token is not a bearer token")
    return token, lifetime if 0 < lifetime < 10**9 else DEFAULT_LIFETIME
