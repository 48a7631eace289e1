"""A pasted command cut into words, as the shell it was written for would.

Nothing is run: a variable or a command in the text stays text, with a note.
"""

from __future__ import annotations

import re

from .errors import CurlError
from .windows import PowerShell, split_arguments, without_carets
from .words import LEFT_OUT, LINE_END, SPACE, Note, Words

_CMD = re.compile(r'\^[ \t]*\r?\n|(?:^|\s)\^"')
_POWERSHELL = re.compile(r"`[ \t]*\r?\n|^\s*(?:PS [^>\n]*> *)?curl\.exe\b")
_PLAIN_ENDS = re.compile(r"[\s'\"\\|;&<>$`]")
_SINGLE_END = re.compile(r"'")
_DOUBLE_MARK = re.compile(r'["\\$`]')
_ANSI = re.compile(
    r"\\(?:x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{1,4}|U[0-9a-fA-F]{1,8}|[0-7]{1,3}|c.|.)",
    re.DOTALL,
)
_ANSI_LETTERS = {
    "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n",
    "r": "\r", "t": "\t", "v": "\v",
}  # fmt: skip


def split(text: str, note: Note) -> list[str]:
    """The words of the command. Raises CurlError."""
    if _CMD.search(text):
        return split_arguments(without_carets(text))
    if _POWERSHELL.search(text):
        return PowerShell(text, note).words()
    return _Posix(text, note).words()


class _Posix(Words):
    """sh and bash, also with $'...'."""

    def read(self, letter: str) -> bool:
        following = self.text[self.at + 1 : self.at + 2]
        if letter == "\\":
            self._escape()
        elif letter == "'":
            end = self.find(_SINGLE_END, self.at + 1, "'")
            self.put(self.text[self.at + 1 : end])
            self.at = end + 1
        elif letter == '"':
            self._double()
        elif letter == "$":
            self._dollar(following)
        elif letter == "#" and self.word is None:
            self.at = (self.text + "\n").index("\n", self.at)
        elif letter in "|;<>&":
            return self._operator(letter, following)
        elif letter == "`":
            self.command()
            self.put(letter)
            self.at += 1
        else:
            plain_end = _PLAIN_ENDS.search(self.text, self.at + 1)
            stop = plain_end.start() if plain_end else len(self.text)
            self.put(self.text[self.at : stop])
            self.at = stop
        return True

    def _dollar(self, following: str) -> None:
        if following == "'":
            self._ansi()
        elif following == '"':
            self.at += 1
            self._double()
        else:
            self.variable()

    def _escape(self) -> None:
        line_end = LINE_END.match(self.text, self.at)
        if line_end:
            # Spaces behind the backslash are there by mistake.
            self.at = line_end.end()
            if line_end[0].strip("\r\n") != "\\":
                self.end_word()
            return
        self.put(self.text[self.at + 1 : self.at + 2])
        self.at += 2

    def _double(self) -> None:
        self.at += 1
        self.put("")
        while True:
            end = self.find(_DOUBLE_MARK, self.at, '"')
            self.put(self.text[self.at : end])
            self.at = end
            if self.text[end] == '"':
                self.at += 1
                return
            self._in_double(self.text[end], self.text[end + 1 : end + 2])

    def _in_double(self, mark: str, following: str) -> None:
        if mark == "$":
            self.variable()
        elif mark == "`":
            self.command()
            self.put(mark)
            self.at += 1
        else:
            kept = "" if following in '"\\$`\n' else mark
            self.put(kept + following.strip("\n"))
            self.at += 2

    def _ansi(self) -> None:
        start = self.at
        self.at += 2
        self.put("")
        while True:
            end = self.find(re.compile(r"['\\]"), self.at, f"$' of column {start + 1}")
            self.put(self.text[self.at : end])
            self.at = end + 1
            if self.text[end] == "'":
                return
            escape = _ANSI.match(self.text, end)
            if escape is None:
                raise CurlError("The command ends within a quote.")
            self.put(_ansi_letter(escape[0][1:]))
            self.at = escape.end()

    def _operator(self, letter: str, following: str) -> bool:
        inside = self.word is not None or letter in "<>"
        if letter == "&" and self.word is not None and following not in (*SPACE, ""):
            # A URL without quotes. A shell would cut it here, and nobody means that.
            self.put(letter)
            self.at += 1
            return True
        if letter in "<>" and inside:
            # Where the response goes; what it is written to follows as a word.
            self.note(LEFT_OUT)
            return False
        if self.text[self.at :].strip(" \t\r\n;&"):
            self.note(LEFT_OUT)
        return False


def _ansi_letter(code: str) -> str:
    kind, rest = code[0], code[1:]
    if kind in "xuU" and rest:
        number = int(rest, 16)
        if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
            raise CurlError(f"\\{code} in the command is not a character.")
        return chr(number)
    if kind in "01234567":
        return chr(int(code, 8) & 0xFF)
    if kind == "c":
        return chr(ord(rest[0]) & 0x1F) if rest else "c"
    if kind in "\\'\"?":
        return kind
    return _ANSI_LETTERS.get(kind, f"\\{kind}")
