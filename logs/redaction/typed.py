"""Credentials that somebody wrote into a template instead of the tag of a secret.

The one place that knows what they look like: they are taken out of what is exported,
and masked where a request is shown. What only looks like one counts too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from urllib.parse import unquote_plus

from .forms import MIN_REDACTED
from .masks import MASK, is_credential, origin_in, replace_parameters

# Given the credential's name and its value as written: what stands in its place.
Replace = Callable[[str, str], str]

# The name of a URL that is a credential as a whole.
WHOLE_URL = "webhook_url"
WEBHOOK_URL = re.compile(
    r"https://(hooks\.slack\.com/|discord(app)?\.com/api/webhooks/|hooks\.zapier\.com/"
    r"|[\w.-]+\.webhook\.office\.com/|[\w.-]+\.logic\.azure\.com[:/]"
    r"|[\w.-]+\.api\.powerplatform\.com[:/]|hook\.[\w.-]+\.make\.com/)",
    re.IGNORECASE,
)
# A tag of the namespace Secret, and not one written as text: \((Secret: name)).
SECRET_TAG = re.compile(r"(?<!\\)\(\(\s*secret\s*:([^()|\n]*)", re.IGNORECASE)
_TAG = re.compile(r"(?<!\\)\(\([^()]*\)\)")
# Every text in quotes, and its value if it is a member's name. One without an end is
# taken to the end, so that no letter is looked at again and again.
_TEXT = r'"(?:[^"\\]|\\[\s\S])*'
_MEMBER = re.compile(rf'({_TEXT}")(?:(\s*:\s*)({_TEXT}"))?|{_TEXT}\\?\Z')
# Bearer, Token ...: no secret, and the receiver wants to read it.
_SCHEME = re.compile(r"([A-Za-z][\w-]*) +(?=\S)")
_USER_INFO = re.compile(r"\s*https?://[^/?#\s]*@", re.IGNORECASE)
_ELEMENT = re.compile(r"<([\w:.-]+)>([^<>]+)(?=</\1>)")
# How a JSON text begins that may hold members.
_OPENINGS = ("{", "[")
_LINE_END = re.compile(r"\r\n|\n")


def replace_typed(text: str, output: str, replace: Replace) -> str:
    """The template with something else for each credential that is written out.

    `output` is the value of its OutputContext.
    """

    def typed(name: str, value: str) -> str:
        return replace(name, value) if _is_typed(value) else value

    match output:
        case "url":
            return _in_url(text, typed)
        case "header":
            return _in_lines(text, ":", typed)
        case "form":
            return _in_lines(text, "=", typed)
        case "json":
            return replace_members(text, typed)
        case "xml":
            return _ELEMENT.sub(lambda match: _in_element(match, typed), text)
    return text


def mask_typed(text: str, output: str) -> tuple[str, frozenset[str]]:
    """The template with masks, and what was written in their places, without tags."""
    written: set[str] = set()

    def mask(name: str, value: str) -> str:
        for each in _TAG.split(value):
            written.update((each, _plain(each, output)))
        if name != WHOLE_URL:
            return MASK
        origin = origin_in(value).removesuffix("/…")
        # Where it led to may be read, and its path is what others may quote.
        written.update(_TAG.split(value.partition(origin)[2].lstrip("/")))
        return f"{origin}/{MASK}"

    masked = replace_typed(text, output, mask)
    return masked, frozenset(each for each in written if len(each) >= MIN_REDACTED)


def _plain(written: str, output: str) -> str:
    """What the receiver reads."""
    match output:
        case "url":
            return unquote_plus(written)
        case "json":
            try:
                return str(json.loads(f'"{written}"'))
            except ValueError:
                return written
        case "xml":
            return unescape(written)
    return written


def is_credential_in_body(name: str) -> bool:
    """A plain "key" in a body is as often the key of a project."""
    return is_credential(name) and name.lower() != "key"


def replace_members(text: str, replace: Replace) -> str:
    """JSON, whole or not, with something else for the texts of credential members."""

    def one(match: re.Match[str]) -> str:
        name, colon, value = match.groups()
        if not value:
            return match[0]
        if not is_credential_in_body(_member_name(name)):
            return f'{name}{colon}"{_in_string(value[1:-1], replace)}"'
        return f'{name}{colon}"{replace(_member_name(name), value[1:-1])}"'

    return _MEMBER.sub(one, text)


def _in_string(written: str, replace: Replace) -> str:
    """JSON within a JSON string; each level of it has twice the backslashes."""
    if not written.lstrip().startswith(_OPENINGS) or '\\"' not in written:
        return written
    try:
        text = str(json.loads(f'"{written}"'))
    except ValueError:
        return written
    replaced = replace_members(text, replace)
    if replaced == text:
        return written
    return json.dumps(replaced, ensure_ascii=False)[1:-1]


def _member_name(text: str) -> str:
    try:
        return str(json.loads(text))
    except ValueError:
        return ""


def _is_typed(value: str) -> bool:
    """Whether something of it is written out, and not all of it tags."""
    return not SECRET_TAG.search(value) and bool(_TAG.sub("", value).strip())


def _in_url(url: str, replace: Replace) -> str:
    whole = WEBHOOK_URL.match(url.strip()) or _USER_INFO.match(url)
    if whole and not SECRET_TAG.search(url):
        return replace(WHOLE_URL, url)

    def one(name: str, value: str) -> str:
        plain = unquote_plus(name)
        # The key of an Azure function, or what somebody may sign in with.
        if is_credential(plain) or plain.lower() == "code":
            return replace(plain, value)
        return value

    return replace_parameters(url, one)


def _in_lines(text: str, separator: str, replace: Replace) -> str:
    """The lines of headers or of a form."""
    is_header = separator == ":"
    fits = is_credential if is_header else is_credential_in_body

    def one(line: str) -> str:
        name, mark, value = line.partition(separator)
        if mark and not fits(name.strip()) and value.lstrip().startswith(_OPENINGS):
            return f"{name}{mark}{replace_members(value, replace)}"
        if not mark or not fits(name.strip()):
            return line
        start = value[: len(value) - len(value.lstrip())]
        value = value.strip()
        scheme = _SCHEME.match(value) if is_header else None
        kept = scheme[0] if scheme else ""
        rest = replace(name.strip(), value[len(kept) :])
        return f"{name}{mark}{start}{kept}{rest}"

    return "\n".join(one(line) for line in _LINE_END.split(text))


def _in_element(match: re.Match[str], replace: Replace) -> str:
    name, value = match[1], match[2]
    if not is_credential_in_body(name):
        return match[0]
    return f"<{name}>{replace(name, value)}"
