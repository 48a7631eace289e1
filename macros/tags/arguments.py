"""Filter arguments: quotes, and lists of parts.

A part that begins with " or ' runs to the same quote and may hold anything else; single
quotes are for use inside JSON strings. In quotes, backslash n is a line break,
backslash t a tab, and a backslash before a quote or a backslash gives that character.
"""

from __future__ import annotations

import re

from .errors import BadArgument

QUOTED = re.compile(r"'(?:[^'\\\n]|\\[^\n])*'" + r'|"(?:[^"\\\n]|\\[^\n])*"')
_SEPARATOR = re.compile(r"[,=]")
_SPACE = re.compile(r"[ \t]*")
_ESCAPE = re.compile(r"\\([nt\\'\"])")
_ESCAPED = {"n": "\n", "t": "\t"}


def whole(raw: str) -> str:
    """The argument as one text, without its quotes if it has any."""
    stripped = raw.strip()
    if QUOTED.fullmatch(stripped):
        return _ESCAPE.sub(lambda m: _ESCAPED.get(m[1], m[1]), stripped[1:-1])
    return raw


def parts(raw: str, separator: str, max_cuts: int = -1) -> list[str]:
    """The argument cut at a comma or equals sign outside quotes.

    It is cut at most `max_cuts` times; -1 is no limit.
    """
    pieces: list[str] = []
    start = 0
    position = after_quoted(raw, 0)
    while len(pieces) != max_cuts:
        stop = _SEPARATOR.search(raw, position)
        if stop is None:
            break
        if stop[0] == separator:
            pieces.append(raw[start : stop.start()])
            start = stop.end()
        position = after_quoted(raw, stop.end())
    return [*pieces, raw[start:]]


def after_quoted(text: str, position: int) -> int:
    """The end of the quoted text that begins here, or `position`.

    Raises ValueError, with the quote's offset, when it does not end on this line.
    """
    space = _SPACE.match(text, position)
    start = space.end() if space else position
    if not text.startswith(("'", '"'), start):
        return position
    quoted = QUOTED.match(text, start)
    if quoted is None:
        raise ValueError(start)
    return quoted.end()


def whole_number(raw: str) -> int:
    """A number above 0 of at most nine digits. Raises BadArgument."""
    text = whole(raw).strip()
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):
        raise BadArgument(f"'{text}' is not a whole number above 0")
    return int(text)
