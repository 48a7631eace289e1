"""An API key wherever other systems can put one.

In the URL it is weaker, since others' logs keep URLs; ours keep none of its query.
"""

from __future__ import annotations

import binascii
from base64 import b64decode

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from ..access.addresses import client_address
from ..access.keys import KeyActor, KeyRefused, authenticate
from ..sources.members import KEY_PARAMETER
from .problems import refused

_HEADERS = "in the header 'Authorization: Bearer <token>', in the header X-Api-Key"
_BASIC = "as the password of Basic authentication"
PLACES = f"{_HEADERS}, {_BASIC}, or in the URL as {KEY_PARAMETER}=<token>"
# Where URLs take no parameter of ours.
OUTSIDE_URL = f"{_HEADERS}, or {_BASIC}"


class KeyInAnyPlace(BaseAuthentication):
    """Without a key it leaves the request to others."""

    realm = "CenterHook"

    def authenticate(self, request: Request) -> tuple[KeyActor, None] | None:
        token = token_in(request)
        if not token:
            return None
        try:
            return authenticate(token, client_address(request)), None
        except KeyRefused as refusal:
            raise refused(refusal) from refusal

    def authenticate_header(self, request: Request) -> str:
        """Basic too, so that spreadsheets and BI tools ask for it."""
        return f'Basic realm="{self.realm}", charset="UTF-8", Bearer'


def token_in(request: Request) -> str:
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        return _password(rest)
    given = request.headers.get("X-Api-Key") or request.query_params.get(KEY_PARAMETER)
    return (given or "").strip()


def _password(encoded: str) -> str:
    """The key, whatever the name; some tools take no empty password."""
    try:
        name, _, password = b64decode(encoded).decode().partition(":")
    except (binascii.Error, ValueError):
        return ""
    return (password or name).strip()
