"""Regular expressions over a stranger's text, run by RE2.

Its time grows with the text only, but for some expressions as much as text times
expression, which is what a search is counted with.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from re import Match
from typing import Protocol

from feedback.texts import storable

from .budget import Budget, current, too_much

_MAX_MEMORY = 1 << 20
# A pattern of match() or search() may come from the response itself: it is shorter,
# smaller, and costs what compiling it costs at worst.
_MAX_GIVEN = 500
_MAX_GIVEN_MEMORY = 1 << 17
_COMPILING = 250
# What RE2 does in the time of a step at worst: characters times instructions.
_IN_A_STEP = 300


class Pattern(Protocol):
    """A regular expression that RE2 has compiled."""

    groups: int
    programsize: int

    def finditer(self, text: str) -> Iterator[Match[str]]: ...
    def search(self, text: str) -> Match[str] | None: ...
    def fullmatch(self, text: str) -> Match[str] | None: ...


def compile_pattern(text: str) -> Pattern:
    """Raises ValueError, with a sentence that names the fault."""
    try:
        pattern = _compiled(text, _MAX_MEMORY)
    except ValueError as error:
        raise ValueError(
            f"This regular expression can't be used: {error}. It is read by RE2, which"
            " has no look-around and no back-references."
        ) from None
    if pattern.groups > 1:
        raise ValueError("Use at most one group (...); write others as (?:...).")
    return pattern


def search(pattern: Pattern, text: str, limit: int, budget: Budget) -> list[str]:
    """The group of each match, or all of it if there is none; at most `limit` + 1.

    Raises ExtractionError where the text goes on beyond what the budget is enough for.
    """
    within = text[: _affordable(pattern, budget)]
    values: list[str] = []
    seen = len(within)
    for match in pattern.finditer(within):
        if match.end() == len(within) < len(text):
            continue  # It might go on.
        value = match.group(1) if pattern.groups else match.group(0)
        if value is not None:
            values.append(value)
        if len(values) > limit:
            seen = match.end()
            break
    else:
        if len(within) < len(text):
            budget.left = 0
            raise too_much()
    budget.spend(_cost(pattern, seen))
    return values


def matches(text: object, given: object, *, whole: bool) -> bool:
    """What match() and search() of a JSONPath say. Raises ExtractionError."""
    if not isinstance(text, str) or not isinstance(given, str):
        return False
    budget = current()
    if given not in budget.patterns:
        budget.patterns.add(given)
        budget.spend(_COMPILING)
    pattern = _given(given)
    if pattern is None:
        return False
    budget.spend(1 + _cost(pattern, len(text)))
    text = storable(text)
    return bool(pattern.fullmatch(text) if whole else pattern.search(text))


def _cost(pattern: Pattern, length: int) -> int:
    return length * pattern.programsize // _IN_A_STEP


def _affordable(pattern: Pattern, budget: Budget) -> int:
    """How many characters can be searched."""
    return (budget.left + 1) * _IN_A_STEP // pattern.programsize


@lru_cache(maxsize=256)
def _given(text: str) -> Pattern | None:
    """None where it is not one; it matches nothing then (RFC 9535 2.4.6)."""
    if len(text) > _MAX_GIVEN:
        return None
    try:
        return _compiled(storable(text), _MAX_GIVEN_MEMORY)
    except ValueError:
        return None


def _compiled(text: str, memory: int) -> Pattern:
    """Raises ValueError, with what RE2 says."""
    import re2  # 3 MB, and few macros have patterns.

    options = re2.Options()
    options.max_mem = memory
    options.log_errors = False  # The author is told instead.
    try:
        pattern: Pattern = re2.compile(text, options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        if isinstance(reason, bytes):
            reason = reason.decode("utf-8", "replace")
        raise ValueError(reason) from None
    return pattern
