"""Whose account it is that the provider speaks of."""

from __future__ import annotations

import base64
import hashlib
import unicodedata
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from feedback.changes.stored import as_stored
from feedback.texts import storable
from logs import audit

from .models import Identity

# A bound of the standard.
_MAX_SUBJECT = 255


class SignOnRefused(Exception):
    """The provider knows the person, but they may not sign in; the message says why."""


def account_of(claims: Mapping[str, Any]) -> User:
    """The account that is linked to this person; at the first time by the e-mail.

    Raises SignOnRefused, and ValueError for claims that name nobody.
    """
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= _MAX_SUBJECT:
        raise ValueError("The subject is not as the standard has it.")
    if storable(subject) != subject:
        raise ValueError("The subject has characters that nobody can keep.")
    linked = Identity.objects.filter(issuer=settings.OIDC_ISSUER, subject=subject)
    identity = linked.select_related("user").first()
    if identity is None:
        return _link(subject, _verified_email(claims))
    if not _may_enter(identity.user):
        raise SignOnRefused("Your account here is not active.")
    if claims.get("email_verified") is True:
        _follow(identity.user, _verified_email(claims))
    return identity.user


def _may_enter(user: User) -> bool:
    return user.is_active and user.is_staff


def _verified_email(claims: Mapping[str, Any]) -> str:
    email = str(claims.get("email") or "")
    if not email or storable(email) != email:
        raise SignOnRefused("The provider did not give your e-mail address.")
    if claims.get("email_verified") is not True:
        raise SignOnRefused(f"The provider has not verified that {email} is yours.")
    return email


def _link(subject: str, email: str) -> User:
    try:
        with transaction.atomic():
            user = _account_with(email) or _create(subject, email)
            Identity.objects.create(
                user=user, issuer=settings.OIDC_ISSUER, subject=subject
            )
            detail = "Linked to the person at the single sign-on provider."
            audit.record_change(user, user, actor=user, detail=detail)
    except IntegrityError:
        raise SignOnRefused(
            f"The account with the e-mail address {email} is linked to another person"
            " at the provider."
        ) from None
    return user


def _account_with(email: str) -> User | None:
    """None where a new one is to be made."""
    people = [
        user
        for user in User.objects.filter(email__iexact=email)
        # Databases take some different letters for the same letter.
        if _same(user.email) == _same(email)
    ]
    if not people and settings.OIDC_CREATE_USER:
        return None
    allowed = [user for user in people if _may_enter(user)]
    if len(allowed) == 1:
        return allowed[0]
    raise SignOnRefused(
        f"Several accounts have the e-mail address {email}, so it is not clear which"
        " is yours."
        if allowed
        else f"No active account has the e-mail address {email}."
    )


def _same(email: str) -> str:
    """Stricter than where people search: `ß` and `ss` are two mailboxes."""
    return unicodedata.normalize("NFC", email).lower()


def _create(subject: str, email: str) -> User:
    """An account without a role and without a password."""
    name = name_of(settings.OIDC_ISSUER, subject)
    if len(email) > 254 or User.objects.filter(username=name).exists():
        raise SignOnRefused(f"No account can be made for {email}.")
    user = User.objects.create_user(name, email=email, is_staff=True)
    audit.record_change(None, user, actor=user)
    return user


def name_of(issuer: str, subject: str) -> str:
    """A user name of 100 bits, from which nobody learns an address.

    Whoever knows somebody's e-mail address can't find out by it whether there is an
    account.
    """
    digest = hashlib.sha256(f"{issuer}\n{subject}".encode()).digest()
    return f"sso-{base64.b32encode(digest).decode().lower()[:20]}"


def _follow(user: User, email: str) -> None:
    """The provider knows the person's address of today."""
    if user.email == email or len(email) > 254:
        return
    before = as_stored(user)
    user.email = email
    with transaction.atomic():
        user.save(update_fields=["email"])
        audit.record_change(before, user, actor=user)
