"""From a preset and what was asked to the fields of its web requests.

`[[key]]` in a preset stands for a setting, or for the name that a secret got. A setting
is text, whatever is in it: it never becomes a tag, or reaches beyond its place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from ...http import TransportError, origin_of
from .definition import Preset, Setting

MAX_SETTING = 500

Writer = Callable[[str], str]

_PLACEHOLDER = re.compile(r"\[\[([a-z][a-z0-9_]*)\]\]")
_PAIR = re.compile(r"\(\(|\)\)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_UNFIT_IN_URL = re.compile(r"[\s\\?#()<>\"{}|^`]")


def check_setting(setting: Setting, value: str) -> str:
    """The value as it is used. Raises ValueError with a sentence."""
    value = value.strip()
    if not value:
        raise ValueError("Give a value.")
    if len(value) > MAX_SETTING:
        raise ValueError(f"This is longer than {MAX_SETTING} characters.")
    if _CONTROL.search(value):
        raise ValueError("This may hold no line breaks or control characters.")
    if setting.kind == "choice" and value not in setting.choices:
        raise ValueError(f"Choose one of {', '.join(setting.choices)}.")
    return _site(setting, value) if setting.kind == "url" else value


def _site(setting: Setting, value: str) -> str:
    try:
        if _UNFIT_IN_URL.search(value):
            raise ValueError
        origin_of(value)
    except (TransportError, ValueError):
        raise ValueError(f"'{value}' is not a URL such as {setting.example}") from None
    return value.rstrip("/")


def fill(
    preset: Preset, settings: Mapping[str, str], secrets: Mapping[str, str]
) -> list[dict[str, object]]:
    """The fields of each web request.

    `settings` are checked values, `secrets` names; both by the keys of the preset.
    Raises ValueError with a sentence that names the setting.
    """
    filler = _Filler(preset, settings, secrets)
    return [filler.fill(request) for request in preset.requests]


class _Filler:
    def __init__(
        self, preset: Preset, settings: Mapping[str, str], secrets: Mapping[str, str]
    ) -> None:
        self.settings = settings
        self.secrets = secrets
        self.sites = {each.key for each in preset.settings if each.kind == "url"}
        self.labels = {each.key: each.label for each in preset.settings}

    def fill(self, request: Mapping[str, Any]) -> dict[str, Any]:
        body_kind = request.get("body_kind", "json")
        writers = {
            "url": _in_url,
            "headers": _in_lines,
            "body": _IN_BODY.get(body_kind, _in_lines),
        }
        return {
            name: self._put(value, writers.get(name, _plain))
            if isinstance(value, str)
            else value
            for name, value in request.items()
        }

    def _put(self, text: str, write: Writer) -> str:
        return _PLACEHOLDER.sub(lambda match: self._value(match, write), text)

    def _value(self, match: re.Match[str], write: Writer) -> str:
        key = match[1]
        if key in self.secrets:
            return self.secrets[key]
        value = self.settings[key]
        if key in self.sites and (match.start() == 0 or write is _plain):
            return value
        try:
            return write(value)
        except ValueError as error:
            raise ValueError(f"{self.labels[key]}: {error}") from None


def placeholders(request: Mapping[str, object]) -> set[str]:
    """The keys that stand as `[[key]]` in a preset's request."""
    texts = (value for value in request.values() if isinstance(value, str))
    return {match[1] for text in texts for match in _PLACEHOLDER.finditer(text)}


def host_of(url: str) -> str:
    """The host of a URL as a secret is bound to it. Raises TransportError."""
    origin = origin_of(url)
    scheme, _, host = origin.partition("://")
    usual = {"http": ":80", "https": ":443"}[scheme]
    return host.removesuffix(usual)


def hosts_for(hosts: tuple[str, ...], settings: Mapping[str, str]) -> list[str]:
    """The hosts a secret is bound to, those of settings written out."""
    settled = []
    for host in hosts:
        setting = _PLACEHOLDER.fullmatch(host)
        settled.append(host_of(settings[setting[1]]) if setting else host)
    return settled


def _plain(value: str) -> str:
    return value


def _in_url(value: str) -> str:
    return quote(value, safe="")


def _in_json(value: str) -> str:
    return _as_text(json.dumps(value, ensure_ascii=False)[1:-1])


def _in_xml(value: str) -> str:
    entities = {'"': "&quot;", "'": "&apos;", "\\": "&#92;"}
    return _as_text(escape(value, entities))


def _in_lines(value: str) -> str:
    """In a header, a form line or plain text, which have no escape but the tags' own.

    A backslash there could take the one that keeps parentheses text.
    """
    if "\\" in value:
        raise ValueError("This may hold no backslash.")
    return _as_text(value)


def _as_text(value: str) -> str:
    """Two parentheses stay text, and begin or end no tag."""
    return _PAIR.sub(lambda match: "\\" + match[0], value)


_IN_BODY = {"json": _in_json, "xml": _in_xml}
