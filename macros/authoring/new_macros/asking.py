"""The credentials that a new macro asks for, and what is given for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from feedback.models import Community, FeedbackType, Project
from feedback.names import fold

from ...http import TransportError
from ...models import Macro, Secret
from ..presets import Preset, host_of, hosts_for
from .creating import MacroRefused, NewSecret


@dataclass(frozen=True, slots=True)
class AskedSecret:
    """A credential to ask for; a pasted command brings its `value` along."""

    key: str
    name: str
    label: str
    help: str
    kind: str = "text"
    hosts: Sequence[str] = ()
    value: str = ""


def asked_by(preset: Preset) -> Iterator[AskedSecret]:
    for each in preset.secrets:
        key = f"secret_{each.key}"
        yield AskedSecret(
            key, each.name, each.label, each.help, each.kind, hosts=each.hosts
        )


@dataclass(frozen=True, slots=True)
class GivenSecret:
    """Without a value it is the one that is there under the name."""

    asked: AskedSecret
    name: str
    value: str


def new_secrets(
    given: Iterable[GivenSecret],
    owner: FeedbackType | Project | Community | None,
    settings: Mapping[str, str],
) -> list[NewSecret]:
    """Those that are to be made, each bound to the hosts that it is for.

    Raises MacroRefused, whose members are `<key>_name` and `<key>_value`.
    """
    problems: dict[str, list[str]] = defaultdict(list)
    made: list[NewSecret] = []
    for each in given:
        if not each.value:
            if owner and each.name and (problem := _why_missing(each.name, owner)):
                problems[f"{each.asked.key}_value"].append(problem)
            continue
        try:
            hosts = _hosts(each, settings)
        except TransportError:
            problems[f"{each.asked.key}_value"].append("This is not a valid URL.")
            continue
        made.append(
            NewSecret(f"{each.asked.key}_name", each.name, each.value, hosts=hosts)
        )
    seen: set[str] = set()
    for new in made:
        if new.name and fold(new.name) in seen:
            problems[new.key].append(f"The name '{new.name}' is given twice.")
        seen.add(fold(new.name))
    if problems:
        raise MacroRefused(problems)
    return made


def _why_missing(name: str, owner: FeedbackType | Project | Community) -> str:
    """Why there is nothing to use under the name, or an empty string."""
    macro = Macro.at(owner)
    usable = Secret.objects.usable_in(macro.community_id, macro.project_id)
    if usable.named(name):
        return ""
    where = macro.project or macro.community
    return f"There is no secret '{name}' for {where} yet. Enter its value."


def _hosts(given: GivenSecret, settings: Mapping[str, str]) -> list[str]:
    """Raises TransportError where the value is to be a URL, and is none."""
    if given.asked.kind == "url":
        return [host_of(given.value)]
    try:
        return hosts_for(tuple(given.asked.hosts), settings)
    except KeyError:
        return []  # The setting itself is refused.
