"""Who calls: an API key's token in the one right header, or the admin's session."""

from __future__ import annotations

import re

from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from ..access.addresses import client_address
from ..access.keys import KeyActor, KeyRefused, authenticate
from .problems import refused

RIGHT_PLACE = "Send the API key in the header 'Authorization: Bearer <token>'."
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
            "An API key does not belong in the URL, where logs keep it: take this"
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
