from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.text import capfirst

from feedback.access.keys import Actor
from feedback.access.unlocking import locked_message
from feedback.models import Community, FeedbackType, Project

from ...config import save_macro, save_secret
from ...models import Macro, Secret
from ...steps.kinds.web_request import WebRequest

_LABELS = {"url": "URL", "body": "body text"}


@dataclass(frozen=True, slots=True)
class NewSecret:
    """`key` is what a refusal is reported under."""

    key: str
    name: str
    value: str = field(repr=False)
    hosts: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class NewMacro:
    """All that a new macro is made of. `requests` hold fields of WebRequest."""

    owner: FeedbackType | Project | Community
    name: str
    description: str
    requests: Sequence[Mapping[str, object]]
    secrets: Sequence[NewSecret] = ()
    for_community: bool = False


class MacroRefused(Exception):
    """What can't be made, with a sentence for each member at fault.

    The members are `owner`, `name`, the keys of secrets, and an empty text for
    web requests.
    """

    def __init__(self, problems: Mapping[str, Sequence[str]]) -> None:
        super().__init__(problems)
        self.problems = problems


def create_macro(new: NewMacro, actor: Actor) -> Macro:
    """The macro with its requests and new secrets, or nothing. Raises MacroRefused."""
    macro = Macro.at(new.owner, name=new.name, description=new.description)
    if not macro.community.is_unlocked():
        raise MacroRefused({"owner": [locked_message(macro.community)]})
    steps = [
        WebRequest(macro=macro, position=position, **values)
        for position, values in enumerate(new.requests, start=1)
    ]
    with transaction.atomic():
        for secret in new.secrets:
            _create_secret(macro, secret, actor, for_community=new.for_community)
        try:
            save_macro(macro, steps, actor)
        except ValidationError as error:
            raise _refusal(error) from None
        except PermissionDenied:
            raise MacroRefused({"name": ["You may not add macros there."]}) from None
    return macro


def _create_secret(
    macro: Macro, new: NewSecret, actor: Actor, *, for_community: bool
) -> None:
    """For the macro's project, or its whole community."""
    if Secret.objects.usable_in(macro.community_id, macro.project_id).named(new.name):
        problem = (
            f"There is a secret '{new.name}' already. Choose another name, or use that"
            " one."
        )
        raise MacroRefused({new.key: [problem]})
    project = None if for_community else macro.project
    hosts = "\n".join(new.hosts)
    secret = Secret(
        community=macro.community, project=project, name=new.name, hosts=hosts
    )
    try:
        save_secret(secret, new.value, actor)
    except ValidationError as error:
        raise MacroRefused({new.key: error.messages}) from None
    except PermissionDenied:
        owner = "the project" if project else "the community"
        problem = f"You may not add secrets to {owner}."
        raise MacroRefused({new.key: [problem]}) from None


def _refusal(error: ValidationError) -> MacroRefused:
    """The members of steps in words, all others under the macro's name."""
    own: list[str] = []
    requests: list[str] = []
    for path, messages in error.message_dict.items():
        if not path.startswith("steps["):
            own += messages
            continue
        name = path.partition(".")[2]
        label = capfirst(_LABELS.get(name, name.replace("_", " ")))
        requests += [f"{label}: {each}" if label else each for each in messages]
    groups = {"name": own, "": requests}
    return MacroRefused({key: each for key, each in groups.items() if each})
