"""From a pasted command to the request that curl would send."""

from __future__ import annotations

import re

from feedback.texts import storable

from . import options
from .command import Command, ParsedCurl
from .errors import CurlError
from .shells import split

MAX_LENGTH = 100_000

# What a terminal writes before a command.
_PROMPT = re.compile(r"(?:[$>#%]\s+|PS [^>\n]*>\s*|[A-Za-z]:\\[^>\n]*>\s*)(?=\S*curl)")


def parse(text: str) -> ParsedCurl:
    """Raises CurlError with a sentence that says what is wrong."""
    if len(text) > MAX_LENGTH:
        raise CurlError(
            f"The command is longer than {MAX_LENGTH:,} characters, so it was not read."
        )
    if "\0" in text:
        raise CurlError("The command holds a character that no command can hold.")
    command = Command()
    words = split(_without_prompt(storable(text).strip()), command.note)
    if any("\0" in word for word in words):
        raise CurlError("The command holds a character that no command can hold.")
    for name, value in options.read(_arguments(words)):
        command.take(name, value)
    return command.result()


def _without_prompt(text: str) -> str:
    prompt = _PROMPT.match(text)
    return text[prompt.end() :] if prompt else text


def _arguments(words: list[str]) -> list[str]:
    if not words:
        raise CurlError("Paste a curl command.")
    name = re.split(r"[/\\]", words[0])[-1].lower().removesuffix(".exe")
    if name != "curl":
        shown = words[0][:20]
        raise CurlError(f"This is not a curl command: it begins with '{shown}'.")
    if "curl" in words[1:]:
        raise CurlError("These are several commands. Paste one at a time.")
    return words[1:]
