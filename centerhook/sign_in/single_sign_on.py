"""Single sign-on by OpenID Connect. Needs requirements-oidc.txt.

The provider says who somebody is; the accounts here decide who may sign in.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, cast

import jwt
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from mozilla_django_oidc import auth
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from mozilla_django_oidc.views import (
    OIDCAuthenticationCallbackView,
    OIDCAuthenticationRequestView,
)
from requests import Response, Session

from macros.http import AddressPolicy, Client, Limits

from .accounts import SignOnRefused, account_of

logger = logging.getLogger(__name__)

# What a provider's response can fail with; an error of `requests` is an OSError.
FAULTS = (
    SuspiciousOperation,
    jwt.PyJWTError,
    OSError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
CLOCK_SKEW = 60
# Keys and claims take some kilobytes.
MAX_BYTES = 1_000_000


class _Guarded:
    """What the library calls as `requests`: behind the address policy, and bounded.

    A session for each request, so that no cookie of one person's sign-in is sent with
    another's. It takes no proxy and no password from the environment.
    """

    def get(self, url: str, **options: Any) -> Response:
        return self._request("GET", url, **options)

    def post(self, url: str, **options: Any) -> Response:
        return self._request("POST", url, **options)

    def _request(self, method: str, url: str, **options: Any) -> Response:
        policy = AddressPolicy(
            settings.ALLOWED_NETWORKS, settings.ALLOWED_DESTINATION_HOSTS
        )
        limits = Limits(
            connect=settings.CONNECT_TIMEOUT,
            read=settings.READ_TIMEOUT,
            # A person waits, and so does the web process.
            deadline=min(settings.REQUEST_DEADLINE, settings.OIDC_TIMEOUT),
            max_bytes=MAX_BYTES,
        )
        with Session() as session:
            session.trust_env = False
            client = Client(policy, limits=limits, connections=1)
            for scheme in ("http://", "https://"):
                session.mount(scheme, client)
            # The endpoints are configured: one that leads elsewhere is not meant.
            return session.request(method, url, allow_redirects=False, **options)


auth.requests = _Guarded()


class ProviderBackend(OIDCAuthenticationBackend):
    """Signs in the account of the person whom the provider has verified."""

    def authenticate(
        self, request: HttpRequest, *, nonce: str, code_verifier: str
    ) -> User | None:
        """With arguments of its own, so that it is never asked about a password."""
        try:
            user: User | None = super().authenticate(
                request, nonce=nonce, code_verifier=code_verifier
            )
            return user
        except SignOnRefused as refusal:
            _note_refusal(request, str(refusal))
        except FAULTS:
            logger.warning("The provider's response is refused.", exc_info=True)
            _note_refusal(request, "The provider's response could not be checked.")
        return None

    def get_user(self, user_id: int) -> User | None:
        """A person who is deactivated is out at once, as with a password."""
        return ModelBackend.get_user(self, user_id)

    def get_token(self, payload: dict[str, Any]) -> Any:
        return super().get_token({**payload, "redirect_uri": _callback_url()})

    def get_payload_data(self, token: str, key: Any) -> dict[str, Any]:
        """Checks also that this provider made the token for us, and recently."""
        return jwt.decode(
            token,
            key,
            algorithms=[settings.OIDC_RP_SIGN_ALGO],
            audience=settings.OIDC_RP_CLIENT_ID,
            issuer=settings.OIDC_ISSUER,
            leeway=CLOCK_SKEW,
            options={"require": ["aud", "exp", "iss", "sub"]},
        )

    def get_or_create_user(
        self, access_token: str, id_token: str, payload: dict[str, Any]
    ) -> User:
        claims = self.get_userinfo(access_token, id_token, payload)
        # OpenID Connect Core, 5.3.2: otherwise it may be about somebody else.
        if claims.get("sub") != payload["sub"]:
            raise ValueError("The user info is about another person.")
        return account_of(claims)


def _note_refusal(request: HttpRequest, reason: str) -> None:
    setattr(request, "refusal", reason)  # noqa: B010 - unknown to the type


def _callback_url() -> str:
    """Built from BASE_URL: a proxy may hide the URL that people use."""
    return str(settings.BASE_URL) + reverse("oidc_authentication_callback")


class Start(OIDCAuthenticationRequestView):
    def get_extra_params(self, request: HttpRequest) -> Mapping[str, str]:
        return {"redirect_uri": _callback_url()}


class Callback(OIDCAuthenticationCallbackView):
    def get(self, request: HttpRequest) -> HttpResponse:
        if "error" in request.GET:
            _note_refusal(request, "The provider did not sign you in.")
            return self.login_failure()
        try:
            return cast(HttpResponse, super().get(request))
        except SuspiciousOperation:
            _note_refusal(
                request, "This sign-in was started elsewhere, or too long ago."
            )
            return self.login_failure()

    def login_failure(self) -> HttpResponse:
        default = "This sign-in was started elsewhere, or too long ago."
        context = {
            "title": "Sign-in did not work",
            "provider": settings.OIDC_NAME,
            "reason": getattr(self.request, "refusal", default),
        }
        return render(self.request, "admin/sign_in/refused.html", context, status=403)


urlpatterns = [
    path("start/", Start.as_view(), name="oidc_authentication_init"),
    path("callback/", Callback.as_view(), name="oidc_authentication_callback"),
]
