"""Idempotency keys: a request that is sent again does its work once.

After the IETF's draft, draft-ietf-httpapi-idempotency-key-header.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from rest_framework.request import Request

from ..access.keys import KeyActor
from ..models.numbers import ExactEncoder
from .problems import in_header, invalid

HEADER = "Idempotency-Key"
_MAX_LENGTH = 255


def key_of(request: Request, *scope: object) -> str:
    """32 hexadecimal digits: the header as it counts for this caller and scope.

    Empty without the header. Raises Problem.
    """
    given = request.headers.get(HEADER)
    if given is None:
        return ""
    fits = given.strip() and len(given) <= _MAX_LENGTH
    if not (fits and given.isascii() and given.isprintable()):
        problem = f"Give 1 to {_MAX_LENGTH} ASCII characters, such as a random UUID."
        raise invalid([in_header(HEADER, problem)])
    user: Any = request.user
    who = ("key", user.key.pk) if isinstance(user, KeyActor) else ("user", user.pk)
    return fingerprint([*who, *scope, given])[:32]


def fingerprint(data: object) -> str:
    """Alike for bodies that say the same, however they are written."""
    written = json.dumps(data, cls=ExactEncoder, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()
