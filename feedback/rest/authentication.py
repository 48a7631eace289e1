"""Who calls: an API key's token in the one right header, or the admin's session."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode

from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from ..access.addresses import client_address
from ..access.keys import KeyActor, KeyRefused, authenticate
from .problems import refused

RIGHT_PLACE = "Send the API key in the header 'Authorization: Bearer <token>'."
DATA_PLACES = (
    "Send an API key with the scope 'data' in the header 'Authorization: Bearer"
    " <token>', in the header X-Api-Key, or as the password of Basic authentication."
)
# Tells a key that came in the wrong place from other values.
_TOKEN = re.compile(r"(?<![A-Za-z0-9])ch_[0-9A-Za-z_]{20,}")
_KEY_HEADERS = ("X-Api-Key", "Api-Key", "Apikey", "X-Auth-Token", "X-Access-Token")


class KeyAuthentication(authentication.BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[KeyActor, None] | None:
        header = str(request.META.get("HTTP_AUTHORIZATION", ""))
        if not header:
            _refuse_misplaced(request)
            return None
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise AuthenticationFailed(
                f"This Authorization header is not understood. {RIGHT_PLACE}",
                code="wrong_scheme",
            )
        try:
            return authenticate(token.strip(), client_address(request)), None
        except KeyRefused as refusal:
            raise refused(refusal) from refusal

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="CenterHook API"'


class DataKeyAuthentication(authentication.BaseAuthentication):
    """Spreadsheets and BI tools know Basic: any user name, and the key as password."""

    def authenticate(self, request: Request) -> tuple[KeyActor, None] | None:
        token = token_in(request)
        if not token:
            if "Authorization" in request.headers:
                raise AuthenticationFailed(DATA_PLACES, code="wrong_scheme")
            return None
        try:
            return authenticate(token, client_address(request)), None
        except KeyRefused as refusal:
            raise refused(refusal) from refusal

    def authenticate_header(self, request: Request) -> str:
        # Excel and Power BI ask for a password only where this is offered.
        return 'Basic realm="CenterHook data", charset="UTF-8"'


class SessionAuthentication(authentication.SessionAuthentication):
    """The admin's own session, for people in a browser; CSRF is checked."""

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except PermissionDenied as refusal:
            raise PermissionDenied(
                "With a session, send the CSRF token in the header X-CSRFToken.",
                code="csrf_failed",
            ) from refusal


def _refuse_misplaced(request: Request) -> None:
    if any(_TOKEN.search(value) for value in _query_values(request)):
        raise AuthenticationFailed(
            "An API key does not belong into the URL, where logs keep it: take this"
            f" one out of use. {RIGHT_PLACE}",
            code="key_in_url",
        )
    headers = request.headers
    if any(name in headers for name in _KEY_HEADERS) or any(
        _TOKEN.search(value) for value in headers.values()
    ):
        raise AuthenticationFailed(
            f"The API key is in the wrong header. {RIGHT_PLACE}",
            code="key_in_wrong_header",
        )


def _query_values(request: Request) -> list[str]:
    return [value for _, values in request.query_params.lists() for value in values]


def token_in(request: Request, parameter: str = "") -> str:
    """The token in one of the places in which other systems can send it.

    A bearer token, the header X-Api-Key, the password of Basic authentication, or the
    parameter of the URL where one is named: the weakest, since others' logs keep URLs.
    """
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return b64decode(rest).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            return ""
    in_url = request.query_params.get(parameter) if parameter else ""
    return (request.headers.get("X-Api-Key") or in_url or "").strip()
