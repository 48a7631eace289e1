"""Credentials that somebody typed into a web request, taken out of what is exported."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from logs.redaction import is_credential

from ..tags import normalise

_WEBHOOK_URL = re.compile(
    r"https://(hooks\.slack\.com/|discord(app)?\.com/api/webhooks/|hooks\.zapier\.com/"
    r"|[\w.-]+\.webhook\.office\.com/|[\w.-]+\.logic\.azure\.com[:/]"
    r"|[\w.-]+\.api\.powerplatform\.com[:/]|hook\.[\w.-]+\.make\.com/)",
    re.IGNORECASE,
)
_PARAMETER = re.compile(r"(?<=[?&])([^=&#]+)=([^&#]+)")
_USER = re.compile(r"(?<=://)[^/?#@\s]+@")
_MEMBER = re.compile(r'"((?:[^"\\]|\\.)*)"(\s*:\s*)"((?:[^"\\]|\\.)+)"')
_SCHEME = re.compile(r"(Basic|Bearer|Token|ApiKey)\s+(?=\S)", re.IGNORECASE)


def concealed(step: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a step that change: a tag of a secret for each credential.

    Whoever imports it is asked for the value.
    """
    if step.get("kind") != "web_request":
        return {}
    return {
        "url": _url(step["url"]),
        "headers": "\n".join(map(_header, step["headers"].splitlines())),
        "body": _MEMBER.sub(_member, step["body"]),
        "token_parameters": "\n".join(
            line
            for line in step["token_parameters"].splitlines()
            if not is_credential(line.partition("=")[0].strip())
        ),
    }


def _tag(name: str) -> str:
    return (
        f"((Secret: {normalise(re.sub(r'[^0-9A-Za-z]+', ' ', name)) or 'credential'}))"
    )


def _url(url: str) -> str:
    if _WEBHOOK_URL.match(url) and "((" not in url:
        return _tag("webhook url")
    url = _USER.sub("", url)

    def parameter(found: re.Match[str]) -> str:
        name, value = found.groups()
        is_typed = is_credential(name) and "((" not in value
        return f"{name}={_tag(name)}" if is_typed else found[0]

    return _PARAMETER.sub(parameter, url)


def _header(line: str) -> str:
    name, colon, value = line.partition(":")
    value = value.strip()
    if not value or "((" in value or not is_credential(name.strip()):
        return line
    scheme = _SCHEME.match(value)
    return f"{name}{colon} {scheme[0] if scheme else ''}{_tag(name)}"


def _member(found: re.Match[str]) -> str:
    name, colon, value = found.groups()
    # A `key` alone names a thing, such as Jira's project.
    if "((" in value or name.lower() == "key" or not is_credential(name):
        return found[0]
    return f'"{name}"{colon}"{_tag(name)}"'
