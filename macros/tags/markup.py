"""Text as other systems' own formats want it: shown as it is, never as markup."""

from __future__ import annotations

import re

from .errors import ValueRefused
from .limits import MAX_LINES
from .values import to_text

# Chains of `replace`, since `translate` takes ten times as long and more.
_BLANK_LINES = re.compile(r"\n\s*\n")


def slack(text: str) -> str:
    """https://api.slack.com/reference/surfaces/formatting#escaping"""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def html(text: str) -> str:
    """Escapes markup, and keeps line breaks."""
    escaped = slack(text).replace('"', "&quot;").replace("'", "&#39;")
    return escaped.replace("\r", "").replace("\n", "<br>")


def one_line(text: str) -> str:
    return " ".join(text.split())


def adf(value: object) -> list[object]:
    """The paragraphs of a document in the Atlassian Document Format.

    https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/
    A text node may not be empty, and a line break is a node of its own.
    """
    text = to_text(value).replace("\r\n", "\n").replace("\r", "\n").strip()
    if text.count("\n") >= MAX_LINES:
        raise ValueRefused(f"has more than {MAX_LINES:,} lines")
    return [
        {"type": "paragraph", "content": _lines(paragraph)}
        for paragraph in _BLANK_LINES.split(text)
        if paragraph
    ]


def _lines(paragraph: str) -> list[object]:
    nodes: list[object] = []
    for number, line in enumerate(paragraph.split("\n")):
        nodes += [{"type": "hardBreak"}] if number else []
        nodes += [{"type": "text", "text": line}] if line else []
    return nodes
