"""The one way to make and to change a secret, whoever asks."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from feedback.access.actors import may
from feedback.access.keys import Actor
from logs import audit

from ..models import Secret
from ..models.secrets import MAX_VALUE, MIN_VALUE

_NEW_VALUE = "Its value was changed."


@transaction.atomic
def save_secret(
    secret: Secret, value: str, actor: Actor | None, *, note: str = ""
) -> None:
    """Make a secret, or change it; an empty value keeps the one that it has.

    Writes the secret and an entry in the audit log with what differs, never with the
    value, or nothing. `note` goes into the entry; `actor` is None where the system
    itself asks, which may do all. Raises ValidationError, PermissionDenied.
    """
    rows = Secret.objects.select_for_update(no_key=True, of=("self",))
    before = rows.filter(pk=secret.pk).first() if secret.pk else None
    check_value(value, secret.hosts, before)
    if value:
        secret.conceal(value)
    secret.full_clean()
    secret.save()
    permission = f"macros.{'change' if before else 'add'}_secret"
    if actor is not None and not may(actor, permission, secret):
        raise PermissionDenied
    detail = note or (_NEW_VALUE if before and value else "")
    audit.record_change(before, secret, actor=actor, detail=detail)


def check_value(value: str, hosts: str, before: Secret | None) -> None:
    """Raises ValidationError where a secret can't have this value and these hosts.

    `before` is the secret as it is stored, or None for a new one.
    """
    problem = ""
    if value:
        if not MIN_VALUE <= len(value) <= MAX_VALUE or "\0" in value:
            problem = f"A value has {MIN_VALUE} to {MAX_VALUE:,} characters."
    elif before is None:
        problem = "Give a value."
    elif Secret(hosts=hosts).opens_beyond(before.hosts):
        problem = "Give the value again to let it go to more hosts than before."
    if problem:
        raise ValidationError({"value": problem})
