"""Outside programs: from the token in a request to what it may do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core.mail import send_mail
from django.db import transaction
from django.utils import timezone

from .. import mode
from ..links import link_to
from ..models import ACCEPTED, ApiKey, KeyOutcome, KeyScope, KeyUse
from ..names import one_line
from .actors import Access
from .addresses import neighbourhood, parse_address
from .roles import (
    ADD_TESTER,
    CALL_SOURCE,
    EXPORT_TESTER,
    PERMISSIONS,
    READ_DATA,
    RUN_MACRO,
    SET_UP,
    Role,
)

# A caller's limit; one with a valid key is served whatever others near it do.
REFUSALS_AN_HOUR = 30
TOO_MANY = "too_many_attempts"

# Add and change testers.
_TESTERS = frozenset({ADD_TESTER, "feedback.change_tester"})
# What a key of one project can't do: all projects share these rows, so that whoever
# works in one of them sees them.
_OF_ALL_PROJECTS = _TESTERS | {
    *(EXPORT_TESTER, "feedback.change_community", "logs.change_destination"),
}
# What lets a program see and do something to rows. The other scopes are asked for by
# the views they are for.
_BY_SCOPE: dict[KeyScope, frozenset[str]] = {
    KeyScope.READ: PERMISSIONS[Role.OBSERVER] - READ_DATA,
    KeyScope.WRITE: frozenset(
        f"feedback.{action}_{model}"
        for action in ("add", "change")
        for model in ("feedback", "comment", "filter", "attachment")
    )
    | {
        *("feedback.delete_filter", "feedback.delete_comment"),
        *("feedback.delete_attachment", *_TESTERS),
    },
    KeyScope.RUN: frozenset({RUN_MACRO}),
    KeyScope.LISTENER: frozenset({CALL_SOURCE}),
    KeyScope.DATA: READ_DATA | {EXPORT_TESTER},
    KeyScope.SECRETS: frozenset(
        f"macros.{action}_secret" for action in ("view", "add", "change", "delete")
    ),
    KeyScope.MANAGE: SET_UP,
}
_MESSAGES: dict[str, str] = {
    KeyOutcome.INVALID_KEY: "There is no API key with this token.",
    KeyOutcome.TOKEN_REPLACED: "This token was replaced. Use the key's new token.",
    KeyOutcome.KEY_DISABLED: "This API key is switched off.",
    KeyOutcome.KEY_EXPIRED: "This API key has expired.",
    KeyOutcome.ADDRESS_NOT_ALLOWED: "This API key may not be used from your address.",
    KeyOutcome.MISSING_SCOPE: "This API key lacks the scope '{scope}'.",
    TOO_MANY: "Too many calls from your address were refused. Try again in the next"
    " hour, or with a valid key at any time.",
}
_STATUS: dict[str, int] = {
    KeyOutcome.ADDRESS_NOT_ALLOWED: 403,
    KeyOutcome.MISSING_SCOPE: 403,
    TOO_MANY: 429,
}


def scope_of(permission: str) -> KeyScope:
    """The scope that gives a program this permission. Raises KeyError."""
    for scope, granted in _BY_SCOPE.items():
        if permission in granted:
            return scope
    raise KeyError(permission)


class KeyRefused(Exception):
    """Why a token opens nothing: a code for programs, a sentence for people.

    `status` is HTTP's, `retry_after` says in how many seconds to try again.
    """

    def __init__(
        self, code: str, message: str, *, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = _STATUS.get(code, 401)
        self.retry_after = retry_after


@dataclass
class KeyActor:
    """An API key at work; it stands where a user does, as `request.user` too."""

    key: ApiKey
    address: str = ""

    pk = None
    is_active = True
    is_authenticated = True
    is_anonymous = False
    is_staff = False
    is_superuser = False

    def __str__(self) -> str:
        return self.get_username()

    def get_username(self) -> str:
        """How logs call it."""
        return f"API key {self.key}"

    def has_perm(self, permission: str, row: object = None) -> bool:
        """Whether there is any place where it holds."""
        return any(permission in each.permissions for each in self.accesses)

    def has_scope(self, scope: str) -> bool:
        return self.key.has_scope(scope)

    def require(self, scope: str) -> None:
        """Raises KeyRefused, which is counted, if the key lacks the scope."""
        if not self.has_scope(scope):
            missing = KeyOutcome.MISSING_SCOPE
            raise _refusal(self.key, self.address, missing, timezone.now(), scope)

    @cached_property
    def accesses(self) -> list[Access]:
        held = [
            granted for scope, granted in _BY_SCOPE.items() if self.has_scope(scope)
        ]
        permissions: frozenset[str] = frozenset().union(*held)
        if self.key.project_id is not None:
            permissions -= _OF_ALL_PROJECTS
        return [Access(permissions, self.key.community_id, self.key.project_id)]


# Whoever asks for something.
Actor = AbstractBaseUser | AnonymousUser | KeyActor


def authenticate(token: str, address: str) -> KeyActor:
    """Who calls with this token from this IP address. Raises KeyRefused.

    Uses and refusals are counted. Call it outside of a transaction that a refusal
    undoes.
    """
    now = timezone.now()
    key = ApiKey.objects.named_by(token)
    outcome = key.authenticate(token, address, now) if key else KeyOutcome.INVALID_KEY
    if key is None or outcome not in ACCEPTED:
        raise _refusal(key, address, outcome, now)
    caller = str(parse_address(address) or "")
    key.note_use(caller, now)
    KeyUse.objects.note(key, caller, outcome, now)
    if mode.is_sending() and ApiKey.objects.take_notice(key, now):
        # A mail server that is away is logged and fails nothing.
        transaction.on_commit(lambda: _tell(key, caller, now), robust=True)
    return KeyActor(key, caller)


def count_uses(actor: KeyActor, count: int, now: datetime) -> None:
    """Calls that were let in without being counted one by one."""
    actor.key.note_use(actor.address, now, count)
    KeyUse.objects.note(actor.key, actor.address, KeyOutcome.ACCEPTED, now, count)


def _refusal(
    key: ApiKey | None,
    address: str,
    outcome: KeyOutcome,
    now: datetime,
    scope: str = "",
) -> KeyRefused:
    """Count it; who is refused too often is neither told nor counted any more."""
    caller = neighbourhood(address)
    if KeyUse.objects.refusals_from(caller, now) >= REFUSALS_AN_HOUR:
        wait = 3600 - now.minute * 60 - now.second
        return KeyRefused(TOO_MANY, _MESSAGES[TOO_MANY], retry_after=wait)
    KeyUse.objects.note(key, caller, outcome, now)
    return KeyRefused(outcome.value, _MESSAGES[outcome].format(scope=scope))


def _tell(key: ApiKey, address: str, now: datetime) -> None:
    text = (
        f"The API key {key} of {key.community} was used"
        f" at {now:%d %b %Y, %H:%M} UTC from {address or 'an unknown address'}.\n\n"
        "If you don't know who that is, switch the key off:\n"
        f"{link_to(ApiKey, key.pk)}\n\n"
        "You are told at most once a day.\n"
    )
    subject = one_line(f"API key {key.name} was used")
    send_mail(subject, text, None, key.notify_addresses)
