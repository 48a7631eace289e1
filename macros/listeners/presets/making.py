"""From a preset and what was asked to a listener, with its secret."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import (
    NON_FIELD_ERRORS,
    PermissionDenied,
    ValidationError,
)
from django.db import transaction

from feedback.access.keys import Actor
from feedback.models import ApiKey, Community, FeedbackType, Project

from ...config import save_listener, save_secret
from ...models import ActionKind, Listener, ListenerAction, ListenerCheck, Macro, Secret
from ...tags import normalise
from .definition import ListenerPreset

_PLACEHOLDER = re.compile(r"\[\[([a-z][a-z0-9_]*)\]\]")
_PAIR = re.compile(r"\(\(|\)\)")
_OWNERS = {FeedbackType: "feedback_type", Project: "project"}


@dataclass(frozen=True, slots=True)
class NewListener:
    """What is to be made. Without a value a secret of this name is there already."""

    preset: ListenerPreset
    owner: FeedbackType | Project | Community
    name: str
    settings: Mapping[str, str] = field(default_factory=dict)
    secret_name: str = ""
    secret_value: str = field(default="", repr=False)
    api_key: ApiKey | None = None
    # Run after all else.
    macro: Macro | None = None


class ListenerRefused(Exception):
    """What can't be made, with a sentence for each member at fault.

    The members are `name`, `secret_name`, `secret_value`, the keys of settings, and an
    empty text for all else.
    """

    def __init__(self, problems: Mapping[str, Sequence[str]]) -> None:
        super().__init__(problems)
        self.problems = problems


@transaction.atomic
def create_listener(new: NewListener, actor: Actor | None) -> Listener:
    """The listener, switched on, with a new secret where it has a value; or nothing.

    Raises ListenerRefused.
    """
    document = _filled(new.preset.listener, new.settings)
    checks = document.pop("checks")
    actions = document.pop("actions")
    if not document.get("ignored"):
        # Nobody was named, so that nobody is looked for.
        document.pop("ignored_at", None)
    owner = {_OWNERS.get(type(new.owner), "community"): new.owner}
    made = Listener(**owner, **document, name=new.name)
    made.find_owners()
    made.description = made.description or new.preset.summary
    secret = _secret(new, made, actor) if new.preset.secret else None
    rows = [ListenerAction(**each) for each in actions]
    if new.macro is not None:
        rows.append(ListenerAction(kind=ActionKind.RUN, macro=new.macro))
    try:
        save_listener(made, [_check(each, new, secret) for each in checks], rows, actor)
    except ValidationError as error:
        raise _refusal(new.preset, error) from None
    except PermissionDenied:
        raise ListenerRefused({"name": ["You may not add listeners there."]}) from None
    return made


def _check(
    data: Mapping[str, Any], new: NewListener, secret: Secret | None
) -> ListenerCheck:
    signed = data["scheme"] != "api_key"
    return ListenerCheck(
        **data,
        secret=secret if signed else None,
        api_key=None if signed else new.api_key,
    )


def _secret(new: NewListener, made: Listener, actor: Actor | None) -> Secret:
    """The one of this name that the actor may see, or a new one."""
    usable = Secret.objects.usable_in(made.community_id, made.project_id)
    if actor is not None:
        usable = usable.filter(pk__in=Secret.objects.visible_to(actor).values("pk"))
    stored = list(usable.filter(key=normalise(new.secret_name)))
    stored.sort(key=lambda each: each.project_id is None)
    where = made.project or made.community
    if not new.secret_value:
        if stored:
            return stored[0]
        problem = f"There is no secret '{new.secret_name}' for {where} yet."
        raise ListenerRefused({"secret_value": [f"{problem} Enter its value."]})
    if stored:
        problem = f"There is a secret '{new.secret_name}' already. Choose another name,"
        problem += " or leave the value empty to use that one."
        raise ListenerRefused({"secret_name": [problem]})
    secret = Secret(
        community=made.community, project=made.project, name=new.secret_name
    )
    try:
        save_secret(secret, new.secret_value, actor)
    except ValidationError as error:
        own = error.message_dict
        value = own.pop("value", [])
        names = [each for messages in own.values() for each in messages]
        problems = {"secret_value": value, "secret_name": names}
        raise ListenerRefused({k: v for k, v in problems.items() if v}) from None
    except PermissionDenied:
        problem = f"You may not add secrets to {where}."
        raise ListenerRefused({"secret_name": [problem]}) from None
    return secret


def _filled(data: Any, settings: Mapping[str, str], name: str = "") -> Any:
    """The same with what was asked in its places, where it is text and never a tag."""
    if isinstance(data, Mapping):
        return {key: _filled(each, settings, key) for key, each in data.items()}
    if isinstance(data, list):
        return [_filled(each, settings) for each in data]
    if not isinstance(data, str):
        return data

    def put(match: re.Match[str]) -> str:
        text = settings.get(match[1], "").strip()
        if name != "value":
            return text
        return _PAIR.sub(lambda pair: "\\" + pair[0], text)

    return _PLACEHOLDER.sub(put, data)


def _refusal(preset: ListenerPreset, error: ValidationError) -> ListenerRefused:
    """Each problem at what was asked for the member that is at fault."""
    problems: dict[str, list[str]] = {}
    for path, messages in error.message_dict.items():
        asked = _PLACEHOLDER.search(_text_at(preset.listener, path))
        name = "name" if path in ("name", NON_FIELD_ERRORS) else ""
        label = "" if asked or name else f"{path}: "
        problems.setdefault(asked[1] if asked else name, []).extend(
            f"{label}{message}" for message in messages
        )
    return ListenerRefused(problems)


def _text_at(data: Any, path: str) -> str:
    """What the preset has at `actions[0].value_map`."""
    for part in re.findall(r"\w+", path):
        try:
            data = data[int(part) if part.isdecimal() else part]
        except (KeyError, IndexError, TypeError):
            return ""
    return data if isinstance(data, str) else ""
