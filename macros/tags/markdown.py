"""Text that Markdown shows as it is, with addresses that stay links.

One escaping, since the flavours have the backslash of CommonMark in common. What a
flavour does besides, after Markdown, is a matter of its own: GitHub, GitLab and Discord
notify whoever is written behind an @, also behind a backslash, so that only something
unseen between the two keeps a name text.
"""

from __future__ import annotations

import re

# What is markup anywhere in a line.
_INLINE = re.compile(r"[\\`*_{}\[\]<>#|~&$!]")
# What is markup, or a command to GitLab, at the beginning of a line.
_AT_START = re.compile(r"(?:[-+=/:]|(?<=[0-9])[.)])")
_NUMBER = re.compile(r"[0-9]{1,9}(?=[.)])")
_INDENT = re.compile(r"[ \t\v\f]*")
_TAB = "\N{NO-BREAK SPACE}" * 4
_URL = re.compile(r"\bhttps?://[^\s\x00-\x1f<>\"'`\\^{|}\[\]*()]+", re.IGNORECASE)
_AFTER_URL = ".,;:!?_~&"
_ENTITY = re.compile(r"&#?\w+;")
_ZERO_WIDTH = "\N{ZERO WIDTH SPACE}"
# A person or a group, but no e-mail address; or another issue.
_FOR_GITHUB = re.compile(r"((?<!\w)@|#|\bGH-)(?=\w)", re.IGNORECASE)
# GitLab has a mark for each kind of thing, and names of several words in quotes.
_FOR_GITLAB = re.compile(r"((?<!\w)@|[#!%~$&^])(?=[\w\"{])")
_FOR_DISCORD = re.compile(r"(@)(?=everyone|here)")


def markdown(text: str) -> str:
    """For CommonMark, and for Linear."""
    return _escaped(text, None)


def github(text: str) -> str:
    """Mentions nobody, and refers to no issue."""
    return _escaped(text, _FOR_GITHUB)


def gitlab(text: str) -> str:
    """The same; and a line that begins with a slash is no quick action."""
    return _escaped(text, _FOR_GITLAB)


def discord(text: str) -> str:
    return _escaped(text, _FOR_DISCORD)


def _escaped(text: str, references: re.Pattern[str] | None) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(_line(line, references) for line in text.split("\n"))


def _line(line: str, references: re.Pattern[str] | None) -> str:
    indent = _INDENT.match(line)
    start = indent.end() if indent else 0
    # Markdown makes code of what is indented by spaces, and drops fewer of them.
    before = line[:start].replace("\t", _TAB).translate(_SPACES)
    words = line[start:].rstrip(" \t\v\f")
    if not words:
        return ""
    pieces = []
    at = 0
    for match in _URL.finditer(words):
        url = match[0].rstrip(_AFTER_URL)
        if _ENTITY.search(url):
            continue  # It would be read as a letter.
        pieces += [_inline(words[at : match.start()], references), f"<{url}>"]
        at = match.start() + len(url)
    pieces.append(_inline(words[at:], references))
    return before + _start("".join(pieces))


_SPACES = str.maketrans(" \v\f", "\N{NO-BREAK SPACE}" * 3)


def _inline(text: str, references: re.Pattern[str] | None) -> str:
    if references is not None:
        text = references.sub(r"\1" + _ZERO_WIDTH, text)
    return _INLINE.sub(r"\\\g<0>", text)


def _start(line: str) -> str:
    number = _NUMBER.match(line)
    at = number.end() if number else 0
    return f"{line[:at]}\\{line[at:]}" if _AT_START.match(line, at) else line
