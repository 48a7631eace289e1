"""Credentials that somebody wrote into a web request, taken out of what is exported.

In place of each the file has the tag of a secret, whose value is asked for on import.
What only looks like one is taken too: nobody is hurt by being asked once more.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote_plus

from logs.redaction import is_credential, redact

from ..http import TransportError, origin_of
from ..models import Vault, step_kinds
from ..models.secrets import SECRET_TAG
from ..tags import OutputContext
from .problems import ConfigRefused

# Addresses that are a credential as a whole.
WEBHOOK_URL = re.compile(
    r"https://(hooks\.slack\.com/|discord(app)?\.com/api/webhooks/|hooks\.zapier\.com/"
    r"|[\w.-]+\.webhook\.office\.com/|[\w.-]+\.logic\.azure\.com[:/]"
    r"|[\w.-]+\.api\.powerplatform\.com[:/]|hook\.[\w.-]+\.make\.com/)",
    re.IGNORECASE,
)
JSON_MEMBER = re.compile(r'("(?:[^"\\]|\\.)*")(\s*:\s*)("(?:[^"\\]|\\.)*")')
_TAG = re.compile(r"(?<!\\)\(\([^()]*\)\)")
# Bearer, Token ...: no secret, and the receiver wants to read it.
_SCHEME = re.compile(r"([A-Za-z][\w-]*) +(?=\S)")
_USER_INFO = re.compile(r"\s*https?://[^/?#\s]*@", re.IGNORECASE)
_PARAMETER = re.compile(r"(?<=[?&])([^=&#]+)=([^&#]*)")
_ELEMENT = re.compile(r"<([\w:.-]+)>([^<>]+)(?=</\1>)")
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
_USUAL_PORTS = {"http": ":80", "https": ":443"}


class Concealer:
    """Takes the credentials out of the macros of one file.

    Each value gets a name of its own, which no secret has yet. `hosts` says by name
    where it was sent to: the secret is bound to that.
    """

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self.hosts: dict[str, list[str]] = {}
        self._taken = set(vault.values) | set(vault.problems)
        self._names: dict[tuple[str, str], str] = {}
        self._host = ""

    def conceal(self, macro: dict[str, Any]) -> dict[str, Any]:
        """The macro's document without them. Raises ConfigRefused."""
        for number, step in enumerate(macro["steps"], start=1):
            self._step(step, f"{macro['name']}, step {number}")
        found: dict[str, Any] = _redacted(macro, self.vault)
        return found

    def _step(self, step: dict[str, Any], called: str) -> None:
        kind = step_kinds()[step["kind"]]
        templates = kind.secret_templates(step)
        for name in templates:
            step[name] = self._known_values(step[name])
        for name in kind.UNTAGGED_LINES:
            label = name.replace("_", " ")
            _check_lines(step[name], f"{called}: the {label}")
        self._host = _host_of(kind.url_in(step))
        for name, output in templates.items():
            step[name] = self._taken_out(step[name], output)

    def _taken_out(self, text: str, output: OutputContext) -> str:
        match output:
            case OutputContext.URL:
                return self._url(text)
            case OutputContext.HEADER:
                return self._lines(text, ":")
            case OutputContext.FORM:
                return self._lines(text, "=")
            case OutputContext.JSON:
                return JSON_MEMBER.sub(self._member, text)
            case OutputContext.XML:
                return _ELEMENT.sub(self._element, text)
        return text

    def _known_values(self, text: str) -> str:
        """A secret's value that was written out becomes its tag."""
        for key, value in self.vault.values.items():
            text = text.replace(value, f"((Secret: {key}))")
        return text

    def _url(self, url: str) -> str:
        whole = WEBHOOK_URL.match(url.strip()) or _USER_INFO.match(url)
        if whole and not SECRET_TAG.search(url):
            return self._tag("webhook_url", url)

        def one(found: re.Match[str]) -> str:
            name = unquote_plus(found[1])
            if not is_credential(name):
                return found[0]
            return f"{found[1]}={self._concealed(name, found[2])}"

        return _PARAMETER.sub(one, url)

    def _lines(self, text: str, separator: str) -> str:
        """Of headers or of a form."""
        is_header = separator == ":"

        def one(line: str) -> str:
            name, found, value = line.partition(separator)
            fits = is_credential if is_header else _is_credential
            if not found or not fits(name.strip()):
                return line
            start = value[: len(value) - len(value.lstrip())]
            value = value.strip()
            scheme = _SCHEME.match(value) if is_header else None
            kept = scheme[0] if scheme else ""
            rest = self._concealed(name.strip(), value[len(kept) :])
            return f"{name}{found}{start}{kept}{rest}"

        return "\n".join(one(line) for line in re.split(r"\r\n|\n", text))

    def _member(self, found: re.Match[str]) -> str:
        try:
            name = str(json.loads(found[1]))
        except ValueError:
            return found[0]
        if not _is_credential(name):
            return found[0]
        value = self._concealed(name, found[3][1:-1])
        return f'{found[1]}{found[2]}"{value}"'

    def _element(self, found: re.Match[str]) -> str:
        if not _is_credential(found[1]):
            return found[0]
        return f"<{found[1]}>{self._concealed(found[1], found[2])}"

    def _concealed(self, name: str, value: str) -> str:
        """The value, or a tag in its place if something of it is written out."""
        if SECRET_TAG.search(value) or not _TAG.sub("", value).strip():
            return value
        return self._tag(name, value)

    def _tag(self, what: str, value: str) -> str:
        name = self._names.get((value, self._host))
        if name is None:
            base = _NOT_IN_NAMES.sub("_", what.lower()).strip("_")[:60] or "secret"
            name, number = base, 1
            while name in self._taken:
                number += 1
                name = f"{base}_{number}"
            self._taken.add(name)
            self._names[value, self._host] = name
            self.hosts[name] = [self._host] if self._host else []
        return f"((Secret: {name}))"


def _check_lines(text: str, label: str) -> None:
    """They know no tags, so that nothing can stand in for a credential."""
    for line in text.splitlines():
        name, _, value = line.partition("=")
        if value.strip() and _is_credential(name.strip()):
            raise ConfigRefused(
                [
                    f"{label} hold {name.strip()} as it is, and that must not leave"
                    " in a file. Keep it as the secret to authenticate with, then"
                    " export again."
                ]
            )


def _is_credential(name: str) -> bool:
    """In a body a plain "key" is as often the key of a project."""
    return is_credential(name) and name.lower() != "key"


def _host_of(url: str) -> str:
    """As a secret is bound to it; empty where it is made of tags."""
    try:
        scheme, _, host = origin_of(url.strip()).partition("://")
    except TransportError:
        return ""
    return "" if "(" in host else host.removesuffix(_USUAL_PORTS[scheme])


def _redacted(value: Any, vault: Vault) -> Any:
    """What is left of a secret's value, such as in a description, is masked."""
    if isinstance(value, str):
        return redact(value, vault.echoes)
    if isinstance(value, list):
        return [_redacted(each, vault) for each in value]
    if isinstance(value, dict):
        return {name: _redacted(each, vault) for name, each in value.items()}
    return value
