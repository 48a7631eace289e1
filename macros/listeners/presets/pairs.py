"""Both directions of a two-way sync, set up together.

A file in `both_ways` names macros with their triggers, and the listeners that hear what
comes back; all of it is made by one form, or nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from django.core.exceptions import ValidationError
from django.db import transaction

from feedback.access.actors import may
from feedback.access.keys import Actor
from feedback.models import FeedbackType, FormField
from feedback.names import fold
from logs import audit

from ...authoring.new_macros import NewMacro, NewSecret, create_macro
from ...authoring.presets import Preset, SecretNeed, fill
from ...authoring.presets import all_presets as macro_presets
from ...models import Listener, Macro, Trigger
from .definition import Asked, ListenerPreset
from .loading import all_presets
from .making import NewListener, create_listener

FOLDER = Path(__file__).parent / "both_ways"
# What the other side signs with, among the secrets that are asked for.
SIGNING = "signing"
# The members of a macro preset that a pair has no use for.
_UNUSED = {"group": "Issues", "subject_kind": "ticket", "response": {}}


@dataclass(frozen=True, slots=True)
class PairMacro:
    """`trigger` has a name, an event and, where it waits for a question, its field."""

    name: str
    requests: Preset
    trigger: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Pair:
    """`outgoing` has what is asked for the macros, as a macro preset has it."""

    id: str
    outgoing: Preset
    set_up: tuple[str, ...]
    macros: tuple[PairMacro, ...]
    listeners: tuple[ListenerPreset, ...]

    @classmethod
    def from_data(cls, name: str, data: Mapping[str, Any]) -> Pair:
        """Raises TypeError or KeyError where a member is unknown or missing."""
        data = dict(data)
        set_up, macros = data.pop("set_up"), data.pop("macros")
        heard = [all_presets()[each] for each in data.pop("listeners")]
        outgoing = Preset.from_data(name, {**data, **_UNUSED, "requests": ()})
        needs = [each.secret for each in heard if each.secret is not None]
        signing = SecretNeed(SIGNING, needs[0].name, needs[0].label, needs[0].help)
        outgoing = replace(outgoing, secrets=(*outgoing.secrets, signing))
        rows = []
        for each in macros:
            own = each.get("requests") or macro_presets()[each["preset"]].requests
            preset = Preset.from_data(name, {**data, **_UNUSED, "requests": own})
            rows.append(PairMacro(each["name"], preset, each["trigger"]))
        return cls(name, outgoing, tuple(set_up), tuple(rows), tuple(heard))

    @property
    def asked(self) -> Sequence[Asked]:
        """What the listeners ask for, each once."""
        by_key: dict[str, Asked] = {}
        for row in self.listeners:
            for each in row.settings:
                by_key.setdefault(each.key, each)
        return list(by_key.values())


@dataclass(frozen=True, slots=True)
class NewPair:
    """`settings` are checked values, `secrets` names; both by their keys.

    `new_secrets` are those of them that are made. `heard` is what listeners ask for.
    """

    pair: Pair
    owner: FeedbackType
    settings: Mapping[str, str]
    heard: Mapping[str, str]
    secrets: Mapping[str, str]
    new_secrets: Sequence[NewSecret] = ()
    for_community: bool = False


class PairRefused(Exception):
    """Why it can't be made, at the key of a setting, or an empty text."""

    def __init__(self, setting: str, sentence: str) -> None:
        super().__init__(sentence)
        self.setting = setting


@dataclass
class PairMade:
    macros: list[Macro] = field(default_factory=list)
    triggers: list[Trigger] = field(default_factory=list)
    listeners: list[Listener] = field(default_factory=list)


@cache
def all_pairs() -> Mapping[str, Pair]:
    pairs = [
        Pair.from_data(path.stem, yaml.safe_load(path.read_text("utf-8")))
        for path in sorted(FOLDER.glob("*.yaml"))
    ]
    return MappingProxyType({each.id: each for each in pairs})


@transaction.atomic
def create_pair(new: NewPair, actor: Actor) -> PairMade:
    """All of it, switched on, or nothing.

    Raises MacroRefused, ListenerRefused, and PairRefused.
    """
    made, signing = PairMade(), new.secrets[SIGNING]
    # First: a macro would only say that its tag is not known.
    questions = {each.name: _question(new, each.trigger) for each in new.pair.macros}
    for each in new.pair.macros:
        try:
            requests = fill(each.requests, new.settings, new.secrets)
        except ValueError as error:
            raise PairRefused("", str(error)) from None
        secrets = () if made.macros else new.new_secrets
        macro = create_macro(
            NewMacro(
                new.owner,
                each.name,
                new.pair.outgoing.title + ".",
                requests,
                secrets,
                new.for_community,
            ),
            actor,
        )
        made.macros.append(macro)
        made.triggers.append(_trigger(macro, each.trigger, questions[each.name], actor))
    for preset in new.pair.listeners:
        listener = NewListener(preset, new.owner, preset.title, new.heard, signing)
        made.listeners.append(create_listener(listener, actor))
    return made


def _question(new: NewPair, trigger: Mapping[str, str]) -> FormField | None:
    """The question of the form that the trigger waits for, if it waits for one."""
    if "field" not in trigger:
        return None
    setting = trigger["field"].strip("[]")
    wanted = fold(new.settings[setting])
    questions = list(new.owner.form_fields.all())
    for each in questions:
        if wanted in (fold(each.label), fold(each.key)):
            return each
    known = ", ".join(each.label for each in questions) or "none"
    problem = f"The form of {new.owner} has no such field. It has {known}."
    raise PairRefused(setting, problem)


def _trigger(
    macro: Macro, data: Mapping[str, str], question: FormField | None, actor: Actor
) -> Trigger:
    made = Trigger(macro=macro, name=data["name"], event=data["event"])
    made.find_owners()
    if question is not None:
        made.event_details = {"field": question.key}
    try:
        made.full_clean()
    except ValidationError as error:
        raise PairRefused("", " ".join(error.messages)) from None
    made.save()
    if not may(actor, "macros.add_trigger", made):
        raise PairRefused("", "You may not add triggers there.")
    audit.record_change(None, made, actor=actor)
    return made
