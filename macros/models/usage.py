"""What needs which secret or key: asked before one is changed or deleted."""

from __future__ import annotations

from django.db import models
from django.db.models import QuerySet

from logs.models import Destination

from ..tags import normalise
from .macros import Macro
from .secrets import Secret
from .steps import Step, step_kinds


def macros_using(secret: Secret) -> list[Macro]:
    """Those it is given to, by their templates as they are saved.

    They are searched and not compiled, so that one with a fault counts too. A
    project's own secret of the same name hides the community's.
    """
    users: set[Macro] = set()
    kinds = [kind for kind in step_kinds().values() if kind.may_use_secrets()]
    for kind in kinds:
        steps = kind._default_manager.filter(macro__community=secret.community_id)
        steps = steps.select_related("macro__feedback_type", "macro__project")
        if secret.project_id is not None:
            steps = steps.filter(macro__project=secret.project_id)
        else:
            steps = steps.exclude(macro__project__in=_hidden_from(secret))
        users |= {
            step.macro
            for step in steps
            if secret.key in step.secrets_in(step.settings())
        }
    return sorted(users, key=lambda macro: (macro.name, macro.pk))


def destinations_using(secret: Secret) -> list[Destination]:
    """Those whose client certificate's key it is; only a community's own can be."""
    if secret.project_id is not None:
        return []
    rows = Destination.objects.filter(community=secret.community_id)
    rows = rows.exclude(client_key_secret="")
    return [row for row in rows if normalise(row.client_key_secret) == secret.key]


def users_of(secret: Secret) -> list[tuple[models.Model, str]]:
    """What needs the secret, and how it is named to people."""
    users: list[tuple[models.Model, str]] = [
        (macro, f"Macro {macro} ({macro.place})") for macro in macros_using(secret)
    ]
    users += ((row, f"Destination {row}") for row in destinations_using(secret))
    return users


def macros_needing_key(community: int) -> QuerySet[Macro]:
    """Those that stop when the community's last valid API key does."""
    steps = Step.objects.needing_key().filter(macro__community=community)
    return Macro.objects.filter(pk__in=steps.values("macro"))


def _hidden_from(secret: Secret) -> QuerySet[Secret, int | None]:
    own = Secret.objects.filter(community=secret.community_id, key=secret.key)
    return own.exclude(project=None).values_list("project", flat=True)
