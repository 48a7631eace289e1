"""Testers as other programs name them: by their e-mail addresses."""

from __future__ import annotations

from collections.abc import Iterable

from django import forms
from django.core.exceptions import ValidationError

from ..models import Community, Tester
from ..models.folded import Folded
from ..names import fold

_EMAIL = forms.EmailField(max_length=254)


def valid_email(text: str) -> str:
    """Raises ValidationError."""
    return str(_EMAIL.clean(text))


def tester_of(community: Community, email: str, *, makes: bool) -> Tester:
    """The community's tester of this address, or a new one that is not saved.

    Raises ValidationError where there is none and none may be made.
    """
    if known := testers_by_email(community, [email]).get(fold(email)):
        if known.erased_at is not None:
            raise ValidationError("This tester was erased.")
        return known
    if not makes:
        raise ValidationError("The community has no tester with this e-mail address.")
    return Tester(community=community, email=email)


def testers_by_email(community: Community, emails: Iterable[str]) -> dict[str, Tester]:
    """Those there are, by the folded address; one query, by the index of addresses."""
    wanted = sorted({fold(email) for email in emails})
    rows = Tester.objects.filter(community=community).alias(folded=Folded("email"))
    return {fold(row.email): row for row in rows.filter(folded__in=wanted)}
