"""Single sign-on by OpenID Connect. Needs requirements-oidc.txt.

The provider says who somebody is; the accounts here decide who may sign in.
"""

from __future__ import annotations

import logging
import unicodedata
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
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from mozilla_django_oidc.views import (
    OIDCAuthenticationCallbackView,
    OIDCAuthenticationRequestView,
)

from feedback.texts import storable

logger = logging.getLogger(__name__)

# What a provider's response can fail with; an error of `requests` is an OSError.
FAULTS = (
    SuspiciousOperation,
    jwt.PyJWTError,
    OSError,
    LookupError,
    TypeError,
    ValueError,
)
CLOCK_SKEW = 60


class SignOnRefused(Exception):
    """The provider knows the person, but they may not sign in; the message says why."""


class ProviderBackend(OIDCAuthenticationBackend):
    """Signs in the account whose e-mail address the provider has verified."""

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
        email = str(claims.get("email") or "")
        if not email or storable(email) != email:
            raise SignOnRefused("The provider did not give your e-mail address.")
        if claims.get("email_verified") is not True:
            raise SignOnRefused(f"The provider has not verified that {email} is yours.")
        return _person_of(email)


def _person_of(email: str) -> User:
    """Raises SignOnRefused."""
    people = [
        user
        for user in User.objects.filter(email__iexact=email)
        # Databases take some different letters for the same letter.
        if _same(user.email) == _same(email)
    ]
    if not people and settings.OIDC_CREATE_USER:
        return _create(email)
    allowed = [user for user in people if user.is_active and user.is_staff]
    if len(allowed) == 1:
        return allowed[0]
    raise SignOnRefused(
        f"Several accounts have the e-mail address {email}, so it is not clear which"
        " is yours."
        if allowed
        else f"No active account has the e-mail address {email}."
    )


def _same(email: str) -> str:
    return unicodedata.normalize("NFKC", email).casefold()


def _create(email: str) -> User:
    """An account without a role and without a password."""
    if len(email) > 150 or User.objects.filter(username__iexact=email).exists():
        raise SignOnRefused(f"No account can be made with the name {email}.")
    return User.objects.create_user(email, email=email, is_staff=True)


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
