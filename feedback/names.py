"""How names and addresses are compared: as people do, who see no code points."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from unicodedata import normalize

_SEPARATORS = re.compile(r"[\s_-]+")
# Letters that lower case leaves apart, and what they are one with.
SAME = {"ß": "ss", "ς": "σ"}
# What is in a text without being seen: soft hyphens, zero-width and direction marks.
UNSEEN = "".join(
    map(chr, [0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F)])
) + "".join(map(chr, [*range(0x2060, 0x2065), 0xFEFF]))
# Most texts have none, and looking costs a tenth of translating.
_ODD = re.compile(f"[{UNSEEN}{''.join(SAME)}]")
_FOLDS = str.maketrans(dict.fromkeys(UNSEEN, "") | SAME)


def fold(text: str) -> str:
    """What is the same for all spellings of a text that look alike to people.

    `feedback.selection.folding` has the same for both databases.
    """
    if text.isascii():
        return text.lower()
    lowered = normalize("NFKC", text).lower()
    if _ODD.search(lowered):
        lowered = lowered.translate(_FOLDS)
    return normalize("NFKC", lowered)


def normalise(name: str) -> str:
    """`Jira key`, `jira_key` and ` JIRA-key ` are one name: `jira_key`."""
    return _SEPARATORS.sub("_", fold(name).strip()).strip("_")


def first_twin(names: Iterable[str]) -> str:
    """The first of the names that looks like one before it; empty where none does."""
    seen: set[str] = set()
    for name in names:
        folded = fold(name).strip()
        if folded in seen:
            return name
        seen.add(folded)
    return ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about a word that is not known; empty if none is near."""
    wanted = fold(word[:100])
    # What looks the same would be no help.
    shown = {fold(each): each for each in known if fold(each) != wanted}
    close = get_close_matches(wanted, shown, n=1)
    return f" Did you mean '{shown[close[0]]}'?" if close else ""


class Hints:
    """Did you mean ...? For the first of many that are not known, and for no more.

    Looking takes a millisecond where there are some hundred names, and what is sent may
    have a hundred thousand that are wrong.
    """

    MOST = 20

    def __init__(self) -> None:
        self._left = self.MOST

    def near(self, word: str, known: Iterable[str]) -> str:
        if not self._left:
            return ""
        self._left -= 1
        return did_you_mean(word, known)


def one_line(text: str) -> str:
    """For a header or the subject of a mail: no name begins another line."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
