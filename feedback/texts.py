"""Text from outside, made such that every store and every engine takes it."""

from __future__ import annotations

import re
from typing import TypeGuard

# What every database can look up as a number, in ASCII digits.
NUMBER = re.compile(r"[0-9]{1,18}")
_MAX_PK = 2**63 - 1
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def is_pk(value: object) -> TypeGuard[int]:
    """Whether a value from outside may be the number of a row: true is no number."""
    return type(value) is int and 0 < value <= _MAX_PK


def storable(text: str) -> str:
    """The text, with U+FFFD for each character that somebody downstream can't take.

    PostgreSQL keeps no NUL. A lone surrogate, as systems leave it that cut texts by
    UTF-16 units, has no UTF-8 form, so SQLite, RE2 and a log file all refuse it. The
    two halves of one character are joined.
    """
    if "\0" not in text:
        if text.isascii():
            return text
        try:
            text.encode()
        except UnicodeEncodeError:
            pass
        else:
            return text
    units = text.encode("utf-16-le", "surrogatepass")
    return units.decode("utf-16-le", "replace").replace("\0", REPLACEMENT)


def storable_in(value: object) -> object:
    """The same for every text in parsed JSON, names of members too.

    Raises RecursionError where it is nested too deeply.
    """
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [storable_in(each) for each in value]
    if isinstance(value, dict):
        return {storable(name): storable_in(each) for name, each in value.items()}
    return value


def lines(text: str) -> str:
    """The text with each line ended by a line feed: browsers send two characters."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def lines_in(value: object) -> object:
    """The same for every text in parsed JSON."""
    if isinstance(value, str):
        return lines(value)
    if isinstance(value, list):
        return [lines_in(each) for each in value]
    if isinstance(value, dict):
        return {name: lines_in(each) for name, each in value.items()}
    return value
