"""What others announce, written into the audit log."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.signals import (
    user_logged_in,
    user_logged_out,
    user_login_failed,
)
from django.db.models import Model
from django.dispatch import receiver

from feedback.changes.signals import Pair, deleted, saved
from feedback.models import Grant, Member

from .. import audit
from ..models import Action
from .differences import Changes, differences, with_parts

# A field that is the point of a change, and what it means when it becomes true or
# false.
_SWITCHES = {
    "is_superuser": (Action.ROLE_GIVEN, Action.ROLE_TAKEN),
    "is_paused": (Action.PAUSED, Action.RESUMED),
    "is_active": (Action.SWITCHED_ON, Action.SWITCHED_OFF),
    "is_enabled": (Action.SWITCHED_ON, Action.SWITCHED_OFF),
}


@receiver(saved, dispatch_uid="audit")
def _saved(
    sender: type[Model],
    before: Model | None,
    after: Model,
    parts: list[Pair],
    note: str,
    **kwargs: Any,
) -> None:
    roles = [pair for pair in parts if isinstance(pair[0] or pair[1], Grant)]
    others = [pair for pair in parts if pair not in roles]
    changes = with_parts(differences(before, after), others)
    if before is None:
        audit.record(Action.CREATED, after, changes=changes, detail=note)
    elif changes or note:
        audit.record(_meaning(changes), after, changes=changes, detail=note)
    for was, is_now in roles:
        _tell_of_role(Action.ROLE_TAKEN, after, was)
        _tell_of_role(Action.ROLE_GIVEN, after, is_now)


def _meaning(changes: Changes) -> Action:
    for name, (on, off) in _SWITCHES.items():
        if name in changes:
            return on if changes[name][1] else off
    return Action.CHANGED


def _tell_of_role(action: Action, member: Model, role: Model | None) -> None:
    if role is not None:
        audit.record(action, member, detail=str(role))


@receiver(deleted, dispatch_uid="audit")
def _deleted(sender: type[Model], rows: Collection[Model], **kwargs: Any) -> None:
    if issubclass(sender, Member):
        members = [row.pk for row in rows]
        grants = Grant.objects.filter(member__in=members).select_related("project")
        for grant in grants.select_related("member__user"):
            _tell_of_role(Action.ROLE_TAKEN, grant.member, grant)
    audit.record_deletions(rows)


@receiver(user_logged_in, dispatch_uid="audit")
def _signed_in(sender: Any, user: Any, **kwargs: Any) -> None:
    audit.record(Action.SIGNED_IN, user, actor=user)


@receiver(user_logged_out, dispatch_uid="audit")
def _signed_out(sender: Any, user: Any, **kwargs: Any) -> None:
    if user is not None:
        audit.record(Action.SIGNED_OUT, user, actor=user)


@receiver(user_login_failed, dispatch_uid="audit")
def _refused(sender: Any, credentials: dict[str, Any], **kwargs: Any) -> None:
    """Under the name that was typed in, whether anybody has it or not."""
    name = credentials.get(get_user_model().USERNAME_FIELD)
    audit.record(Action.SIGN_IN_REFUSED, None, actor=str(name or ""))
