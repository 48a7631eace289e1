"""Credentials that somebody wrote into a web request, taken out of what is exported.

In place of each the file has the tag of a secret, whose value is asked for on import.
What only looks like one is taken too: nobody is hurt by being asked once more.
"""

from __future__ import annotations

import re
from copy import deepcopy
from itertools import count
from typing import Any

from logs.redaction import MASK, is_credential_in_body, replace_typed

from ..http import TransportError, origin_of
from ..models import Macro, Secret, Vault, step_kinds
from .problems import ConfigRefused
from .writing import Document

_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
_USUAL_PORTS = {"http": ":80", "https": ":443"}


def concealed(macro: Macro, document: Document) -> Document:
    """One of the macro's documents as programs may read it.

    What is typed into its templates has the tag of a secret, or dots, in its place.
    """
    community, project = macro.community_id, macro.project_id
    names = Secret.objects.keys_in(community, project)
    vault = Secret.objects.open(community, project, names)
    return Concealer(vault, blots=True).conceal(deepcopy(document))


class Concealer:
    """Takes the credentials out of the macros of one file.

    Each value gets a name of its own, which no secret has yet. `hosts` says by name
    where it was sent to: the secret is bound to that. Where no tag can stand, it raises
    ConfigRefused, or with `blots` has dots in its place.
    """

    def __init__(self, vault: Vault, *, blots: bool = False) -> None:
        self.vault = vault
        self.blots = blots
        self.hosts: dict[str, list[str]] = {}
        self._taken = set(vault.values) | set(vault.problems)
        self._names: dict[tuple[str, str], str] = {}
        self._next_number: dict[str, int] = {}
        self._host = ""

    def conceal(self, macro: Document) -> Document:
        """The macro's document without them. Raises ConfigRefused."""
        for number, step in enumerate(macro["steps"], start=1):
            self._step(step, f"{macro['name']}, step {number}")
        return self.mask(macro)

    def mask(self, document: Document) -> Document:
        """The same, with what stands in it of a secret's value blotted out."""
        masked: Document = _redacted(document, self.vault)
        return masked

    def _step(self, step: Document, where: str) -> None:
        kind = step_kinds()[step["kind"]]
        templates = kind.secret_templates(step)
        for name in templates:
            step[name] = self._known_values(step[name])
        for name in kind.UNTAGGED_LINES:
            label = name.replace("_", " ")
            if self.blots:
                step[name] = "\n".join(map(_blotted, step[name].splitlines()))
            else:
                _check_lines(step[name], f"{where}: the {label}")
        self._host = _host_of(kind.url_in(step))
        for name, output in templates.items():
            step[name] = replace_typed(step[name], output, self._tag)

    def _known_values(self, text: str) -> str:
        """A secret's value that was written out becomes its tag."""
        for key, value in self.vault.values.items():
            text = text.replace(value, f"((Secret: {key}))")
        return text

    def _tag(self, what: str, value: str) -> str:
        name = self._names.get((value, self._host))
        if name is None:
            name = self._free_name(what)
            self._names[value, self._host] = name
            self.hosts[name] = [self._host] if self._host else []
        return f"((Secret: {name}))"

    def _free_name(self, what: str) -> str:
        base = _NOT_IN_NAMES.sub("_", what.lower()).strip("_")[:60] or "secret"
        for number in count(self._next_number.get(base, 1)):
            name = base if number == 1 else f"{base}_{number}"
            if name not in self._taken:
                break
        # The next one goes on from here, or thousands would be looked at again each.
        self._next_number[base] = number + 1
        self._taken.add(name)
        return name


def _check_lines(text: str, label: str) -> None:
    """They know no tags, so that nothing can stand in for a credential."""
    for line in text.splitlines():
        if _has_credential(line):
            name = line.partition("=")[0]
            raise ConfigRefused(
                [
                    f"{label} hold {name.strip()} as it is, and that must not leave"
                    " in a file. Keep it as the secret to authenticate with, then"
                    " export again."
                ]
            )


def _has_credential(line: str) -> bool:
    name, _, value = line.partition("=")
    return bool(value.strip()) and is_credential_in_body(name.strip())


def _blotted(line: str) -> str:
    return f"{line.partition('=')[0]}={MASK}" if _has_credential(line) else line


def _host_of(url: str) -> str:
    """The host that a secret is bound to; empty where it is made of tags."""
    try:
        scheme, _, host = origin_of(url.strip()).partition("://")
    except TransportError:
        return ""
    return "" if "(" in host else host.removesuffix(_USUAL_PORTS[scheme])


def _redacted(value: Any, vault: Vault) -> Any:
    """What is left of a secret's value, such as in a description, is masked."""
    if isinstance(value, str):
        return vault.redact(value)
    if isinstance(value, list):
        return [_redacted(each, vault) for each in value]
    if isinstance(value, dict):
        return {name: _redacted(each, vault) for name, each in value.items()}
    return value
