"""What requests are given at the moment they go out: a token and a signature."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ..http import Client, Request, TransportError
from ..http.signing import ID_HEADER, signed
from .oauth import Grant, Tokens

_tokens = Tokens()


@dataclass(frozen=True, slots=True)
class Credentials:
    """What one step shows. Added on each try, since both run out with time."""

    keys: tuple[bytes, ...] = field(default=(), repr=False)
    grant: Grant | None = None

    def headers(
        self, request: Request, client: Client, ends_at: float
    ) -> list[tuple[str, str]]:
        """May ask for a token over the network until then. Raises TransportError."""
        added = []
        if self.grant is not None:
            token = _tokens.get(self.grant, client, ends_at)
            added.append(("Authorization", f"Bearer {token}"))
        if self.keys:
            message_id = dict(request.headers)[ID_HEADER]
            now = int(time.time())
            body = request.body or b""
            if not isinstance(body, bytes):
                sentence = "A request that sends files can't be signed."
                raise TransportError(sentence, "render")
            added += signed(self.keys, message_id, now, body)
        return added

    def refused(self, request: Request, ends_at: float) -> bool:
        """Take note of a 401; True if a second try with another token is due.

        Raises TransportError.
        """
        if self.grant is None:
            return False
        token = dict(request.headers)["Authorization"].removeprefix("Bearer ")
        return _tokens.refused(self.grant, token, ends_at)


def with_headers(request: Request, headers: Iterable[tuple[str, str]]) -> Request:
    """The request with these headers in place of others of their names."""
    added = tuple(headers)
    names = {name.lower() for name, _ in added}
    kept = [
        (name, value) for name, value in request.headers if name.lower() not in names
    ]
    return replace(request, headers=(*kept, *added))
