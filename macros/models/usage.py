"""What needs which secret or key: asked before one is changed or deleted."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.db import models
from django.db.models import QuerySet

from logs.models import Destination

from ..tags import normalise
from .credentials import SECRET_FIELDS
from .emails import SendEmail
from .macros import Macro
from .secrets import Secret
from .web_requests import WebRequest

# A tag of the namespace Secret, and not one written as text: \((Secret: name)).
SECRET_TAG = re.compile(r"(?<!\\)\(\(\s*secret\s*:([^()|\n]*)", re.IGNORECASE)


def macros_using(secret: Secret) -> list[Macro]:
    """Those it is given to, by their templates as they are saved.

    They are searched and not compiled, so that one with a fault is found too. A
    project's own secret of the same name hides the community's.
    """
    found: set[Macro] = set()
    for kind in (WebRequest, SendEmail):
        steps = kind.objects.filter(macro__community=secret.community_id)
        steps = steps.select_related("macro__feedback_type", "macro__project")
        if secret.project_id is not None:
            steps = steps.filter(macro__project=secret.project_id)
        else:
            steps = steps.exclude(macro__project__in=_hidden_from(secret))
        found |= {step.macro for step in steps if secret.key in set(names_in(step))}
    return sorted(found, key=lambda macro: (macro.name, macro.pk))


def destinations_using(secret: Secret) -> list[Destination]:
    """Those whose client certificate's key it is; only a community's own can be."""
    if secret.project_id is not None:
        return []
    rows = Destination.objects.filter(community=secret.community_id)
    rows = rows.exclude(client_key_secret="")
    return [row for row in rows if normalise(row.client_key_secret) == secret.key]


def users_of(secret: Secret) -> list[tuple[models.Model, str]]:
    """What needs the secret, and how people call it."""
    found: list[tuple[models.Model, str]] = [
        (macro, f"Macro {macro} ({macro.owner})") for macro in macros_using(secret)
    ]
    found += ((row, f"Destination {row}") for row in destinations_using(secret))
    return found


def macros_with_web_requests(community: int) -> QuerySet[Macro]:
    """Those that stop when the community's last valid API key does."""
    steps = WebRequest.objects.filter(macro__community=community)
    return Macro.objects.filter(pk__in=steps.values("macro"))


def names_in(step: WebRequest | SendEmail) -> Iterator[str]:
    """The normalised names of the secrets that a step uses."""
    is_mail = isinstance(step, SendEmail)
    for name in ("subject", "body") if is_mail else ("url", "headers", "body"):
        text = getattr(step, name)
        yield from (normalise(found[1]) for found in SECRET_TAG.finditer(text))
    if is_mail:
        return
    for field in SECRET_FIELDS:
        yield normalise(getattr(step, field))


def _hidden_from(secret: Secret) -> QuerySet[Secret, int | None]:
    own = Secret.objects.filter(community=secret.community_id, key=secret.key)
    return own.exclude(project=None).values_list("project", flat=True)
