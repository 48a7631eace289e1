"""What others announce, written into the audit log."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.signals import (
    user_logged_in,
    user_logged_out,
    user_login_failed,
)
from django.db.models import Model
from django.dispatch import receiver

from feedback.changes.signals import Pair, deleted, saved, set_together
from feedback.models import Grant, Member
from feedback.units import Changed, HasFacts

from .. import audit
from ..models import Action
from .changes import record_change
from .differences import differences_in
from .entries import record_together


@receiver(saved, dispatch_uid="audit")
def _saved(
    sender: type[Model],
    before: Model | None,
    after: Model,
    parts: list[Pair],
    note: str,
    **kwargs: object,
) -> None:
    roles = [pair for pair in parts if isinstance(pair[0] or pair[1], Grant)]
    others = [pair for pair in parts if pair not in roles]
    record_change(before, after, others, detail=note)
    for was, is_now in roles:
        _record_role(Action.ROLE_TAKEN, after, was)
        _record_role(Action.ROLE_GIVEN, after, is_now)


def _record_role(action: Action, member: Model, role: Model | None) -> None:
    if role is not None:
        audit.record(action, member, detail=str(role))


@receiver(set_together, dispatch_uid="audit")
def _set_together(
    sender: type[HasFacts], changes: list[Changed], **kwargs: object
) -> None:
    differences = {each.pk: differences_in(sender, each) for each in changes}
    record_together(sender, differences, {each.pk for each in changes if each.is_new})


@receiver(deleted, dispatch_uid="audit")
def _deleted(sender: type[Model], rows: Collection[Model], **kwargs: object) -> None:
    if issubclass(sender, Member):
        members = [row.pk for row in rows]
        grants = Grant.objects.filter(member__in=members).select_related("project")
        for grant in grants.select_related("member__user"):
            _record_role(Action.ROLE_TAKEN, grant.member, grant)
    audit.record_deletions(rows)


@receiver(user_logged_in, dispatch_uid="audit")
def _signed_in(sender: object, user: AbstractBaseUser, **kwargs: object) -> None:
    audit.record(Action.SIGNED_IN, user, actor=user)


@receiver(user_logged_out, dispatch_uid="audit")
def _signed_out(
    sender: object, user: AbstractBaseUser | None, **kwargs: object
) -> None:
    if user is not None:
        audit.record(Action.SIGNED_OUT, user, actor=user)


@receiver(user_login_failed, dispatch_uid="audit")
def _refused(
    sender: object, credentials: Mapping[str, object], **kwargs: object
) -> None:
    """Under the name that was typed in, whether anybody has it or not."""
    name = credentials.get(get_user_model().USERNAME_FIELD)
    audit.record(Action.SIGN_IN_REFUSED, None, actor=str(name or ""))
