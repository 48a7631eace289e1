"""What the shells have in common: a text is read word by word."""

from __future__ import annotations

import re
from collections.abc import Callable

from .errors import CurlError

Note = Callable[[str], None]

# What ends a line that goes on: a backslash, a backtick or a caret.
LINE_END = re.compile(r"[\\`^][ \t]*\r?\n")
SPACE = " \t\r\n"
LEFT_OUT = "What follows the curl command was left out: only the request is taken over."
_VARIABLE = re.compile(r"\$(?:\w+|\{\w+\})")


class Words:
    """Reads word by word; subclasses say what a quote or an escape means."""

    def __init__(self, text: str, note: Note) -> None:
        self.text = text
        self.note = note
        self.at = 0
        self.ended: list[str] = []
        self.word: list[str] | None = None

    def words(self) -> list[str]:
        while self.at < len(self.text):
            letter = self.text[self.at]
            if letter in SPACE:
                self.end_word()
                self.at += 1
            elif not self.read(letter):
                break
        self.end_word()
        return self.ended

    def read(self, letter: str) -> bool:
        """Go on past what begins with the letter; False where the command ends."""
        raise NotImplementedError

    def put(self, text: str) -> None:
        if self.word is None:
            self.word = []
        self.word.append(text)

    def end_word(self) -> None:
        if self.word is not None:
            self.ended.append("".join(self.word))
        self.word = None

    def find(self, pattern: re.Pattern[str], start: int, quote: str) -> int:
        match = pattern.search(self.text, start)
        if match is None:
            line = self.text.count("\n", 0, start) + 1
            raise CurlError(f"The quote {quote} in line {line} is not closed.")
        return match.start()

    def variable(self) -> None:
        match = _VARIABLE.match(self.text, self.at)
        if match:
            self.note(f"{match[0]} is a variable of your shell; it was kept as text.")
        elif self.text.startswith("$(", self.at):
            self.command()
        shown = match[0] if match else "$"
        self.put(shown)
        self.at += len(shown)

    def command(self) -> None:
        self.note("A command in $(...) or `...` is not run; it was kept as text.")
