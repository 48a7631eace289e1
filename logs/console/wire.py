"""What others have sent, made such that people can read it and nothing can hide in it.

JSON is shown folded and within bounds; what can't be read as JSON is shown as it is.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

# Characters of a body that a page shows; the API has all that is kept.
MAX_SHOWN = 200_000
# Values, lists and objects of JSON, how deep they nest, and characters of one of them.
MAX_PARTS = 2_000
MAX_DEPTH = 40
MAX_TEXT = 2_000
# What is open at first: outer levels, and what is not long.
_OPEN_DEPTH = 4
_OPEN_PARTS = 30
MAX_FIELDS = 200

# All that is not seen, or changes how what follows is seen: C0 and C1 but for tab and
# new line, zero-width characters, what turns the direction of reading, and halves of
# characters, which no page can be sent with.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ud800-\udfff]"
)


def visible(value: object) -> str:
    """The text with its unseen characters named, so that it reads as it was sent.

    Else a right-to-left override could make a body read as another one, and an escape
    sequence act in the terminal it is copied to.
    """
    text = "" if value is None else str(value)
    return _UNSEEN.sub(_named, text.replace("\r\n", "\n"))


def _named(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)  # Its own picture, such as ␛.
    name = unicodedata.name(match[0], "").lower()
    return f"⟨U+{code:04X}{f' {name}' if name else ''}⟩"


def headers_of(lines: str) -> list[tuple[str, str]]:
    """The names and values of header lines as they are logged."""
    pairs = (line.partition(":") for line in lines.splitlines() if line.strip())
    return [(visible(name), visible(value.strip())) for name, _, value in pairs]


@dataclass(frozen=True)
class Body:
    """A body as it is logged; `header_lines` say what it claims to be."""

    text: str
    header_lines: str = ""

    def __bool__(self) -> bool:
        return bool(self.text)

    @property
    def shown(self) -> str:
        return visible(self.text[:MAX_SHOWN])

    @property
    def left_out(self) -> int:
        """How many characters the page does not show."""
        return max(0, len(self.text) - MAX_SHOWN)

    @cached_property
    def pretty(self) -> SafeString:
        """As a tree or a table; empty where it is neither."""
        if len(self.text) > MAX_SHOWN:
            return SafeString("")
        return folded(self.text) or self._as_form()

    def _as_form(self) -> SafeString:
        kind = next(
            (
                value
                for name, value in headers_of(self.header_lines)
                if name.lower() == "content-type"
            ),
            "",
        )
        if "x-www-form-urlencoded" not in kind:
            return SafeString("")
        try:
            pairs = parse_qsl(self.text, True, max_num_fields=MAX_FIELDS)
        except ValueError:
            return SafeString("")
        rows = ((visible(name), visible(value)) for name, value in pairs)
        body = format_html_join("", '<tr><th scope="row">{}</th><td>{}</td></tr>', rows)
        return format_html('<table class="wire-pairs">{}</table>', body)


class _Written(str):
    """A number as it was written: `1.50` and 30 digits stay what they are."""


class _Members(list[tuple[str, Any]]):
    """An object with all of its members, also two of one name."""


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def folded(text: str) -> SafeString:
    """A JSON object or list as a tree that can be folded; empty where it is none."""
    if text.lstrip()[:1] not in ("{", "["):
        return SafeString("")
    try:
        data = json.loads(
            text,
            parse_int=_Written,
            parse_float=_Written,
            parse_constant=_refuse,
            object_pairs_hook=_Members,
        )
    except (ValueError, RecursionError):
        return SafeString("")
    return format_html('<div class="tree">{}</div>', _Tree().shown(data))


class _Tree:
    """Draws one tree within its budget of parts."""

    def __init__(self) -> None:
        self.left = MAX_PARTS

    def shown(self, value: Any, name: SafeString | str = "", depth: int = 0) -> Any:
        if not isinstance(value, list):
            return format_html("{}{}", name, _scalar(value))
        is_object = isinstance(value, _Members)
        ends = "{}" if is_object else "[]"
        if not value:
            return format_html("{}<span>{}</span>", name, ends)
        if depth >= MAX_DEPTH:
            return format_html(
                '{}<span class="quiet">nested deeper than {}</span>', name, MAX_DEPTH
            )
        is_open = depth < _OPEN_DEPTH and len(value) <= _OPEN_PARTS
        return format_html(
            '<details{}><summary>{}<span class="quiet">{} {} {}</span></summary>'
            "<ul>{}</ul></details>",
            SafeString(" open") if is_open else "",
            name,
            ends[0],
            len(value),
            ends[1],
            self._members(value, depth + 1),
        )

    def _members(self, value: list[Any], depth: int) -> SafeString:
        rows = []
        for at, each in enumerate(value):
            if self.left <= 0:
                more = f"{len(value) - at:,} more: see the text as it was sent"
                rows.append(format_html('<li class="quiet">{}</li>', more))
                break
            self.left -= 1
            name: SafeString | str = ""
            if isinstance(value, _Members):
                key, each = each
                name = format_html('<span class="key">{}</span>: ', _cut(key))
            rows.append(format_html("<li>{}</li>", self.shown(each, name, depth)))
        return SafeString("".join(rows))


def _scalar(value: Any) -> SafeString:
    if value is None or isinstance(value, bool):
        return format_html('<span class="word">{}</span>', json.dumps(value))
    kind = "number" if isinstance(value, _Written) else "text"
    text = _cut(value) if kind == "number" else f'"{_cut(value)}"'
    return format_html('<span class="{}">{}</span>', kind, text)


def _cut(text: str) -> str:
    shown = visible(text[:MAX_TEXT])
    more = len(text) - MAX_TEXT
    return f"{shown}… and {more:,} more characters" if more > 0 else shown
