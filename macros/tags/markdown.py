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
_MARK = re.compile(r"^(\xa0*)([-+=/:])", re.MULTILINE)
_NUMBER = re.compile(r"^(\xa0*[0-9]{1,9})([.)])", re.MULTILINE)
_SPACE = " \t\v\f"
_INDENT = re.compile(r"^[ \t\v\f]+", re.MULTILINE)
_UNBREAKABLE = str.maketrans(dict.fromkeys(_SPACE, "\xa0") | {"\t": "\xa0" * 4})
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
    """Over the whole text at once, since texts of very many lines are short ones."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    text = "\n".join([line.rstrip(_SPACE) for line in lines])
    # Markdown makes code of what is indented by spaces, and drops fewer of them.
    text = _INDENT.sub(lambda indent: indent[0].translate(_UNBREAKABLE), text)
    pieces = []
    at = 0
    for match in _URL.finditer(text):
        url = match[0].rstrip(_AFTER_URL)
        if _ENTITY.search(url):
            continue  # It would be read as a letter.
        pieces += [_inline(text[at : match.start()], references), f"<{url}>"]
        at = match.start() + len(url)
    pieces.append(_inline(text[at:], references))
    text = "".join(pieces)
    for beginning in (_MARK, _NUMBER):
        text = beginning.sub(r"\1\\\2", text)
    return text


def _inline(text: str, references: re.Pattern[str] | None) -> str:
    if references is not None:
        text = references.sub(r"\1" + _ZERO_WIDTH, text)
    return _INLINE.sub(r"\\\g<0>", text)
