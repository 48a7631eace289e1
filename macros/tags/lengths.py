"""How long a text is, as whoever receives it counts, and where it may be cut.

A cut goes through nothing that is one letter to a reader, such as a family of emoji,
and through nothing that a letter was escaped as.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from .arguments import parts, whole, whole_number
from .errors import BadArgument
from .names import nearest

# Each with its encoding, the bytes of a unit, and the most that a character has.
UNITS = {
    "characters": ("utf-32-le", 4, 1),
    "utf-16": ("utf-16-le", 2, 2),
    "bytes": ("utf-8", 1, 4),
}
_ELLIPSIS = "…"
# What stands for a letter or a link in HTML, Slack's format and Markdown.
_ESCAPED = r"<br>|<https?://[^<>\s]*>|&#?\w{1,31};\p{M}*"
# And in JSON and URLs; a backslash may be an escape's, or text before one. Else the
# grapheme clusters of Unicode's annex 29, but for flags, before which the library looks
# back at all others, in quadratic time.
_ATOM = (
    rf"{_ESCAPED}|\\u[0-9a-fA-F]{{4}}|\\(?!\s)(?:{_ESCAPED}|\X)"
    r"|%[0-9a-fA-F]{2}(?:%[89abAB][0-9a-fA-F])*|\p{RI}{2}[\p{M}\u200d]*|\X"
)


@dataclass(frozen=True, slots=True)
class Limit:
    """The longest that a text may be; `unit` is one of UNITS."""

    most: int
    unit: str = "characters"

    @classmethod
    def parse(cls, argument: str) -> Limit:
        """A number and, after a comma, a unit. Raises BadArgument."""
        number, *rest = parts(argument, ",")
        most = whole_number(number)
        if not rest:
            return cls(most)
        unit = whole(",".join(rest)).strip().lower()
        if unit not in UNITS:
            known = "characters, utf-16 and bytes"
            message = f"'{unit}' is not a unit of length; there are {known}"
            raise BadArgument(message, nearest(unit, UNITS))
        return cls(most, unit)

    def measure(self, text: str) -> int:
        encoding, size, _ = UNITS[self.unit]
        return len(text.encode(encoding, "replace")) // size

    @property
    def surely(self) -> int:
        """As many characters fit, whichever they are."""
        return self.most // UNITS[self.unit][2]

    def fits(self, text: str) -> bool:
        if len(text) <= self.surely:
            return True
        return len(text) <= self.most and self.measure(text) <= self.most

    def cut(self, text: str) -> str:
        """The text, or its beginning with an ellipsis."""
        if self.fits(text):
            return text
        mark = _ELLIPSIS if self.measure(_ELLIPSIS) <= self.most else ""
        end = self._reach(text, self.most - self.measure(mark))
        return text[: _boundary(text, end)] + mark

    def _reach(self, text: str, most: int) -> int:
        """How many characters have room, the last of them whole."""
        if self.unit == "characters":
            return most
        encoding, size, _ = UNITS[self.unit]
        encoded = text[:most].encode(encoding, "replace")[: most * size]
        return len(encoded.decode(encoding, "ignore"))


def _boundary(text: str, end: int) -> int:
    """The last position up to `end` where nothing is cut through."""
    # Whatever is one thing holds no space, but may begin with one.
    start = max(text.rfind(" ", 0, end), text.rfind("\n", 0, end), 0)
    if text[start - 1 : start] == "\r":
        start -= 1
    for atom in _atoms().finditer(text, start):
        if atom.end() > end:
            return start
        start = atom.end()
    return start


@cache
def _atoms() -> Any:
    import regex  # Loaded by the first text that is too long.

    return regex.compile(_ATOM, regex.DOTALL)
