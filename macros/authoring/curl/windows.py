"""The two shells of Windows: cmd with its carets, PowerShell with its backticks."""

from __future__ import annotations

import re

from .errors import CurlError
from .words import LEFT_OUT, LINE_END, Words

_BACKSLASHES = re.compile(r"\\+")


class PowerShell(Words):
    """A backtick escapes, and variables are kept as text."""

    def read(self, letter: str) -> bool:
        following = self.text[self.at + 1 : self.at + 2]
        if letter == "`":
            line_end = LINE_END.match(self.text, self.at)
            if not line_end:
                self.put({"n": "\n", "t": "\t", "r": "\r"}.get(following, following))
            self.at = line_end.end() if line_end else self.at + 2
        elif letter in "'\"":
            self._quoted(letter)
        elif letter == "$":
            self.variable()
        elif letter in "|;>" and self.word is None:
            self.note(LEFT_OUT)
            return False
        else:
            self.put(letter)
            self.at += 1
        return True

    def _quoted(self, quote: str) -> None:
        """A doubled quote is one; in double quotes a backtick escapes."""
        opened = self.at
        self.at += 1
        self.put("")
        while True:
            if self.at >= len(self.text):
                self.find(re.compile(r"(?!)"), opened, quote)
            letter = self.text[self.at]
            following = self.text[self.at + 1 : self.at + 2]
            if letter == quote and following != quote:
                self.at += 1
                return
            if letter == quote:
                self.put(quote)
                self.at += 2
            elif quote == '"' and letter == "`":
                self.put({"n": "\n", "t": "\t", "r": "\r"}.get(following, following))
                self.at += 2
            elif quote == '"' and letter == "$":
                self.variable()
            elif letter == "\\" and following == '"':
                # curl.exe gets its arguments through one more round of quotes.
                self.put('"')
                self.at += 2
            else:
                self.put(letter)
                self.at += 1


def without_carets(text: str) -> str:
    """What cmd leaves of a command: outside quotes a caret keeps what follows it."""
    kept: list[str] = []
    quoted = False
    at = 0
    while at < len(text):
        letter = text[at]
        if letter == "^" and not quoted:
            end = LINE_END.match(text, at)
            if end:
                at = end.end()
                # A line break that is kept is written as a caret and two of them.
                if text[at : at + 1] == "\n":
                    kept.append("\n")
                    at += 1
                continue
            kept.append(text[at + 1 : at + 2])
            at += 2
            continue
        if letter == '"':
            quoted = not quoted
        # A line break that no caret keeps is between two words.
        kept.append(" " if letter in "\r\n" and not quoted else letter)
        at += 1
    return "".join(kept)


def split_arguments(text: str) -> list[str]:
    """The arguments of a command line, as a Windows program reads it."""
    words: list[str] = []
    word: list[str] | None = None
    quoted = False
    at = 0
    while at < len(text):
        letter = text[at]
        if letter in " \t" and not quoted:
            if word is not None:
                words.append("".join(word))
            word = None
            at += 1
            continue
        word = [] if word is None else word
        if letter == "\\":
            written, length = _backslashes(text, at)
            word.append(written)
            at += length
        elif letter == '"' and not (quoted and text[at + 1 : at + 2] == '"'):
            quoted = not quoted
            at += 1
        else:
            # Two quotes within a pair of them are one.
            word.append(letter)
            at += 2 if letter == '"' else 1
    if quoted:
        raise CurlError('A quote " in the command is not closed.')
    return words if word is None else [*words, "".join(word)]


def _backslashes(text: str, at: int) -> tuple[str, int]:
    """What some backslashes stand for, and how many characters that takes.

    Before a quote two of them are one, and an odd one makes the quote a plain letter.
    """
    run = _BACKSLASHES.match(text, at)
    count = len(run[0]) if run else 0
    if text[at + count : at + count + 1] != '"':
        return "\\" * count, count
    escaped = count % 2
    return "\\" * (count // 2) + '"' * escaped, count + escaped
