"""A pasted command cut into words, as the shell it was written for would.

Nothing is run: a variable or a command in the text stays text, with a note.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from typing import cast

from feedback.texts import REPLACEMENT, storable

from .errors import CurlError
from .windows import PowerShell, split_arguments, without_carets
from .words import LEFT_OUT, LINE_END, SPACE, Note, Words

_CMD = re.compile(r'\^[ \t]*\r?\n|(?:^|\s)\^"')
_POWERSHELL = re.compile(r"`[ \t]*\r?\n|^\s*(?:PS [^>\n]*> *)?curl\.exe\b")
_PLAIN_ENDS = re.compile(r"[\s'\"\\|;&<>$`]")
# <user id>, as documentation has it without quotes.
_BLANK = re.compile(r"<[A-Za-z_][\w .-]{0,60}>")
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
    if _CMD.search(text) or _doubles_quotes(text):
        return split_arguments(without_carets(text))
    if _POWERSHELL.search(text):
        return PowerShell(text, note).words()
    return _Posix(text, note).words()


def _doubles_quotes(text: str) -> bool:
    """Whether a quote in quotes is written as two, as Firefox did for cmd on one line.

    In sh they would end the quotes and begin them again, which nobody writes.
    """
    at, opened = 0, -1
    while at < len(text):
        letter = text[at]
        if letter == "\\":
            at += 1
        elif letter == "'" and opened < 0:
            return False  # Quotes of sh, which cmd does not know.
        elif letter == '"' and opened < 0:
            opened = at
        elif letter == '"':
            if text[at + 1 : at + 2] == '"' and at > opened + 1:
                return True
            opened = -1
        at += 1
    return False


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
            end = self.text.find("\n", self.at)
            self.at = len(self.text) if end < 0 else end
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
        pieces: list[str | bytes] = []
        while True:
            end = self.find(re.compile(r"['\\]"), self.at, f"$' of column {start + 1}")
            if end > self.at:
                pieces.append(self.text[self.at : end])
            self.at = end + 1
            if self.text[end] == "'":
                self.put(self._ansi_text(pieces))
                return
            escape = _ANSI.match(self.text, end)
            if escape is None:
                raise CurlError("The command ends within a quote.")
            pieces.append(_ansi_piece(escape[0][1:]))
            self.at = escape.end()

    def _ansi_text(self, pieces: list[str | bytes]) -> str:
        """Bytes are UTF-8, and two halves in a row one character. Raises CurlError."""
        text = ""
        for are_bytes, run in groupby(pieces, lambda piece: isinstance(piece, bytes)):
            if are_bytes:
                text += self._decoded(b"".join(cast(Iterable[bytes], run)))
            else:
                text += "".join(cast(Iterable[str], run))
        joined = storable(text.replace("\0", ""))
        if joined.count(REPLACEMENT) > text.count(REPLACEMENT) or "\0" in text:
            raise CurlError("An escape in the command stands for no character.")
        return joined

    def _decoded(self, written: bytes) -> str:
        try:
            return written.decode()
        except UnicodeDecodeError:
            self.note(
                "Bytes in $'...' that are not UTF-8 were read as the letters of these"
                " numbers, which is what older browsers mean by them."
            )
            return written.decode("latin-1")

    def _operator(self, letter: str, following: str) -> bool:
        inside = self.word is not None or letter in "<>"
        if blank := _BLANK.match(self.text, self.at):
            self.note(f"{blank[0]} is a place to fill in; it was kept as text.")
            self.put(blank[0])
            self.at = blank.end()
            return True
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


def _ansi_piece(code: str) -> str | bytes:
    """What an escape stands for: a byte, or a character."""
    kind, rest = code[0], code[1:]
    if kind == "x" and rest:
        return bytes([int(rest, 16)])
    if kind in "01234567":
        return bytes([int(code, 8) & 0xFF])
    if kind in "uU" and rest:
        number = int(rest, 16)
        if number > 0x10FFFF:
            raise CurlError(f"\\{code} in the command is not a character.")
        return chr(number)
    if kind == "c":
        return chr(ord(rest[0]) & 0x1F) if rest else "c"
    if kind in "\\'\"?":
        return kind
    return _ANSI_LETTERS.get(kind, f"\\{kind}")
