"""Every filter there is. Each takes a value and gives one; no value stays no value."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from .arguments import parts, whole, whole_number
from .dates import build_date
from .errors import BadArgument, Missing
from .mapping import build_map
from .markdown import discord, github, gitlab, markdown
from .markup import adf, html, one_line, slack
from .values import PercentEncoded, RawJson, is_empty, to_json, to_text

Apply = Callable[[object], object]
# Called with the argument as written ("" when there is none) and the tag's type;
# raises BadArgument.
Build = Callable[[str, str], Apply]


@dataclass(frozen=True, slots=True)
class Filter:
    """`argument` describes what is written after the colon, None for nothing."""

    name: str
    argument: str | None
    meaning: str
    example: str
    build: Build


def _on_text(change: Callable[[str], object]) -> Apply:
    return lambda value: None if value is None else change(to_text(value))


def _on_each_text(change: Callable[[str], str]) -> Apply:
    """A list stays one, so that it can still be joined or be a JSON list."""

    def apply(value: object) -> object:
        if value is None:
            return None
        if isinstance(value, (list, tuple)):
            return [change(to_text(item)) for item in value]
        return change(to_text(value))

    return apply


def _fixed(apply: Apply) -> Build:
    return lambda argument, kind: apply


def _truncate(argument: str, kind: str) -> Apply:
    length = whole_number(argument)

    def shorten(text: str) -> str:
        if len(text) > length:
            return text[: length - 1] + "…"
        # A plain string: shortened JSON would no longer be JSON.
        return text[:length]

    return _on_text(shorten)


def _default(argument: str, kind: str) -> Apply:
    instead = _typed(whole(argument.strip()), kind)
    return lambda value: instead if is_empty(value) else value


def _typed(text: str, kind: str) -> object:
    """A number's default is a number where JSON can tell the difference."""
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    if kind == "number" and _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    return text


def _required(value: object) -> object:
    if is_empty(value):
        raise Missing("has no value, and the template requires one")
    return value


def _title(text: str) -> str:
    """str.title would write It'S."""
    before = [" ", *text]
    return "".join(
        [
            letter.upper() if last.isspace() else letter.lower()
            for last, letter in zip(before, text, strict=False)
        ]
    )


def _replace(argument: str, kind: str) -> Apply:
    pieces = [whole(piece) for piece in parts(argument, ",")]
    if len(pieces) != 2:
        raise BadArgument(
            "the filter replace needs two texts with a comma between, as in"
            ' replace:a,b or, for a comma itself, replace:",",b'
        )
    old, new = pieces
    if not old:
        raise BadArgument("the filter replace needs a text to look for")
    return _on_each_text(lambda text: text.replace(old, new))


def _join(argument: str, kind: str) -> Apply:
    separator = whole(argument)

    def apply(value: object) -> object:
        if isinstance(value, (list, tuple)):
            return separator.join([to_text(item) for item in value])
        return value

    return apply


def _base64(text: str) -> str:
    return b64encode(text.encode("utf-8", "replace")).decode("ascii")


def _percent_encode(text: str) -> str:
    return PercentEncoded(quote(text, safe="", errors="replace"))


_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?")

FILTERS: Mapping[str, Filter] = {
    item.name: item
    for item in [
        Filter(
            "truncate",
            "the number of characters to keep",
            "Shortens a longer text to this many characters, the last of them …",
            "((Description|truncate:200))",
            _truncate,
        ),
        Filter(
            "default",
            "what to write instead of no value",
            "Stands in when there is no value",
            "((Status|default:none))",
            _default,
        ),
        Filter(
            "date",
            "a format and, after @, a time zone",
            "Writes a date as you like: %Y year, %m month, %d day, %H:%M time",
            "((Created|date:%d.%m.%Y %H:%M@Europe/Berlin))",
            build_date,
        ),
        Filter(
            "upper",
            None,
            "In capitals",
            "((Status|upper))",
            _fixed(_on_each_text(str.upper)),
        ),
        Filter(
            "lower",
            None,
            "In small letters",
            "((Status|lower))",
            _fixed(_on_each_text(str.lower)),
        ),
        Filter(
            "title",
            None,
            "Each word with a capital",
            "((Status|title))",
            _fixed(_on_each_text(_title)),
        ),
        Filter(
            "strip",
            None,
            "Without spaces and line breaks at both ends",
            "((Title|strip))",
            _fixed(_on_each_text(str.strip)),
        ),
        Filter(
            "replace",
            "two texts, with a comma between",
            "Puts the second text wherever the first one is",
            "((Title|replace:colour,color))",
            _replace,
        ),
        Filter(
            "join",
            "what to write between two items",
            "Makes one text of a list",
            "((Field: Browsers|join:' / '))",
            _join,
        ),
        Filter(
            "json",
            None,
            "As JSON: a text in quotes, a list in brackets",
            "((Field: Browsers|json))",
            _fixed(lambda value: RawJson(to_json(value))),
        ),
        Filter(
            "url",
            None,
            "Percent-encoded, for an address inside a text",
            "((Title|url))",
            _fixed(_on_text(_percent_encode)),
        ),
        Filter(
            "base64",
            None,
            "In Base64, as basic authentication wants name:password",
            "((Secret: jira_login|base64))",
            _fixed(_on_text(_base64)),
        ),
        Filter(
            "markdown",
            None,
            "Text that Markdown shows as it is, addresses as links",
            "((Title|markdown))",
            _fixed(_on_each_text(markdown)),
        ),
        *(
            Filter(
                name,
                None,
                f"Text that {vendor} shows as it is, addresses as links{besides}",
                f"((Description|{name}))",
                _fixed(_on_each_text(escape)),
            )
            for name, vendor, escape, besides in [
                ("github", "GitHub", github, "; mentions nobody"),
                ("gitlab", "GitLab", gitlab, "; mentions nobody, commands nothing"),
                ("discord", "Discord", discord, "; mentions nobody"),
                ("linear", "Linear", markdown, ""),
            ]
        ),
        Filter(
            "slack",
            None,
            "Text that Slack shows as it is, mentions included",
            "((Title|slack))",
            _fixed(_on_each_text(slack)),
        ),
        Filter(
            "html",
            None,
            "Text that a web page shows as it is, line breaks included",
            "((Description|html))",
            _fixed(_on_each_text(html)),
        ),
        Filter(
            "adf",
            None,
            "Paragraphs of Jira's document format (ADF), as a JSON list",
            "((Description|adf))",
            _fixed(adf),
        ),
        Filter(
            "line",
            None,
            "On one line: line breaks and runs of spaces become one space",
            "((Title|line))",
            _fixed(_on_each_text(one_line)),
        ),
        Filter(
            "required",
            None,
            "Refuses to send when there is no value",
            "((Submitter Email|required))",
            _fixed(_required),
        ),
        Filter(
            "map",
            "pairs old=new with commas between; * stands for any other",
            "Puts another word for each value",
            "((Field: Severity|map:Critical=P1,Major=P2,*=P3))",
            build_map,
        ),
    ]
}
