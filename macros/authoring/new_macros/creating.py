from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from feedback.access.actors import may
from feedback.models import Community, FeedbackType, Project

from ...config import note_version
from ...models import Macro, Secret
from ...steps.kinds.web_request import WebRequest

_LABELS = {"url": "URL", "body": "body text", "headers": "headers"}


@dataclass(frozen=True, slots=True)
class NewSecret:
    """`key` is what a refusal is reported under."""

    key: str
    name: str
    value: str = field(repr=False)
    hosts: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Start:
    """All that a new macro is made of. `requests` hold fields of WebRequest."""

    place: FeedbackType | Project | Community
    name: str
    description: str
    requests: Sequence[Mapping[str, Any]]
    secrets: Sequence[NewSecret] = ()
    for_community: bool = False


class MacroRefused(Exception):
    """What can't be made, with a sentence for each member at fault.

    The members are `place`, `name`, the keys of secrets, and an empty text for
    web requests.
    """

    def __init__(self, problems: Mapping[str, Sequence[str]]) -> None:
        super().__init__(problems)
        self.problems = problems


def create_macro(start: Start, actor: Any) -> Macro:
    """The macro with its requests and new secrets, or nothing. Raises MacroRefused."""
    macro = Macro.at(start.place, name=start.name, description=start.description)
    community = macro.community
    if not community.is_unlocked():
        problem = (
            f"Web requests are locked: the community {community} has no valid API key."
            " A Community Manager can create one."
        )
        raise MacroRefused({"place": [problem]})
    with transaction.atomic():
        for secret in start.secrets:
            _create_secret(macro, secret, actor, for_community=start.for_community)
        _checked("name", macro)
        macro.save()
        if not may(actor, "macros.add_macro", macro):
            raise MacroRefused({"name": ["You may not add macros there."]})
        for position, request in enumerate(start.requests, start=1):
            _create_request(macro, position, request)
        note_version(macro, actor)
    return macro


def _create_secret(
    macro: Macro, new: NewSecret, actor: Any, *, for_community: bool
) -> None:
    """For the macro's project, or its whole community."""
    project = None if for_community else macro.project
    secret = Secret(
        community=macro.community,
        project=project,
        name=new.name,
        hosts="\n".join(new.hosts),
    )
    if Secret.objects.usable_in(macro.community_id, macro.project_id).named(new.name):
        raise MacroRefused(
            {
                new.key: [
                    f"There is a secret '{new.name}' already. Choose another name, or"
                    " use that one."
                ]
            }
        )
    secret.conceal(new.value)
    _checked(new.key, secret)
    secret.save()
    if not may(actor, "macros.add_secret", secret):
        where = "the project" if project else "the community"
        raise MacroRefused({new.key: [f"You may not add secrets to {where}."]})


def _create_request(macro: Macro, position: int, values: Mapping[str, Any]) -> None:
    step = WebRequest(macro=macro, position=position, **values)
    try:
        step.full_clean(exclude=["step_ptr"])
    except ValidationError as error:
        problems = [
            f"{_LABELS.get(name, name.replace('_', ' ')).capitalize()}: {message}"
            for name, messages in error.message_dict.items()
            for message in messages
        ]
        raise MacroRefused({"": problems}) from None
    step.save()


def _checked(key: str, row: Macro | Secret) -> None:
    try:
        row.full_clean()
    except ValidationError as error:
        raise MacroRefused({key: error.messages}) from None
