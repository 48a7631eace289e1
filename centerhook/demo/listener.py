"""What hears the receiver in the demo: an issue is closed there, a ticket here."""

from __future__ import annotations

import secrets

from feedback.models import Community
from macros.config import save_listener, save_secret
from macros.models import (
    ActionKind,
    Listener,
    ListenerAction,
    ListenerCheck,
    RecordBy,
    Scheme,
    Secret,
)
from macros.tags import normalise

NAME = "Issues closed at the receiver"
_SECRET = "demo_receiver"  # noqa: S105 - its name


def ensure_listener(community: Community) -> Listener | None:
    """Made once; None where somebody has deleted it since."""
    row = Listener.objects.filter(community=community, name=NAME).first()
    secret = Secret.objects.filter(community=community, key=normalise(_SECRET))
    if row is not None or secret.exists():
        return row
    signing = Secret(community=community, name=_SECRET)
    signing.description = "What the local receiver signs its calls with."
    save_secret(signing, secrets.token_urlsafe(24), None)
    made = Listener(
        community=community,
        name=NAME,
        description="Press the button at a request on the receiver's page.",
        record_by=RecordBy.ID,
        record_at="$.ticket",
        name_at="$.event",
        names="issue closed",
        id_at="header: X-Event-Id",
        time_at="$.at",
    )
    check = ListenerCheck(scheme=Scheme.GITHUB, secret=signing)
    status = ListenerAction(
        kind=ActionKind.STATUS,
        value="((Payload: $.status))",
        value_map="Done -> Closed",
    )
    comment = ListenerAction(
        kind=ActionKind.COMMENT, value="The issue was closed at the local receiver."
    )
    save_listener(made, [check], [status, comment], None)
    return made


def signed_with(listener: Listener) -> str:
    """The secret's value, for the receiver."""
    check = listener.checks.exclude(secret=None).first()
    secret = check.secret if check else None
    return secret.reveal() if secret else ""
