"""What curl makes of single values: a URL's brackets, a part of -F, a body."""

from __future__ import annotations

import json
import re
from urllib.parse import quote_plus

FORM = "application/x-www-form-urlencoded"
_TAG = re.compile(r"\(\([^()]{1,500}\)\)")
_ESCAPED = re.compile(r"\\([\[\]{}])")
_SEVERAL = re.compile(
    r"(?<!\\)(?:\[\w{1,20}-\w{1,20}(?::\d{1,9})?\]|\{[^{}\\]{0,200},[^{}\\]{0,200}\})"
)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"[ \t]*;?', re.DOTALL)


def encode_around_tags(text: str) -> str:
    """Percent-encoded, but for tags: their place encodes what they stand for."""
    pieces = []
    at = 0
    for tag in _TAG.finditer(text):
        pieces += [quote_plus(text[at : tag.start()]), tag[0]]
        at = tag.end()
    return "".join([*pieces, quote_plus(text[at:])])


def without_escapes(url: str) -> str:
    return _ESCAPED.sub(r"\1", url)


def several_in(url: str) -> str:
    """The first [1-3] or {a,b} in a URL, which stands for several; or nothing."""
    match = _SEVERAL.search(url)
    return match[0] if match else ""


def form_value(content: str) -> tuple[str, str]:
    """The value of -F name=content, and what is said of it after a semicolon."""
    if quoted := _QUOTED.match(content):
        return re.sub(r"\\([\\\"])", r"\1", quoted[1]), content[quoted.end() :].strip()
    value, _, rest = content.partition(";")
    return value, rest.strip()


def is_json(body: str) -> bool:
    try:
        return isinstance(json.loads(body), dict | list)
    except (ValueError, RecursionError):
        return False


def kind_of(content_type: str) -> str:
    kind = content_type.partition(";")[0].strip().lower()
    if kind.endswith(("/json", "+json")):
        return "json"
    if kind.endswith(("/xml", "+xml")):
        return "xml"
    return "form" if kind == FORM else "text"
