"""Whether Python's engine may take more than linear time for a regular expression.

The expression becomes an automaton whose states are its positions (Glushkov). Two ways
to read one text from a state back to itself are exponential time. A text that can be
read from one loop to itself, to another loop, and there again, is quadratic time
(Weber and Seidl, 1991). A search has one more loop in front, which passes over what
does not match: so `a+b` is quadratic where it is searched for.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

# Letters that stand for all: each class of characters tells some of them apart.
LETTERS = [chr(code) for code in range(128)] + list("\x85\xa0éÉß٣王\u2028\u200b’ſ𐍈")
_NEWLINE = LETTERS.index("\n")
# A repeat of more is as good as one without an end.
_MANY = 1_000
_BEGINNINGS = (ops.AT_BEGINNING, ops.AT_BEGINNING_STRING)
_Text = Iterable[tuple[Any, Any]]


class Use(Enum):
    """Where in a text it is looked for."""

    SEARCH = "anywhere"
    MATCH = "at the beginning"
    FULLMATCH = "as a whole"


@dataclass
class _Part:
    """What may come first and last in a part, and whether it may be empty."""

    first: set[int] = field(default_factory=set)
    last: set[int] = field(default_factory=set)
    is_empty: bool = True


class Automaton:
    def __init__(self, pattern: str, flags: int = 0) -> None:
        self.reads: list[frozenset[int]] = []
        self.after: list[set[int]] = []
        self.twice: set[tuple[int, int]] = set()
        self.within: list[_Text] = []
        self.may_fail = False
        parsed = _parser.parse(pattern, flags)
        self.flags = parsed.state.flags | flags
        # What only the beginning of a text, or of a line, begins with.
        self.pinned: set[int] = set()
        self.whole = self._sequence(parsed)

    def _sequence(self, parts: _Text) -> _Part:
        whole = _Part()
        is_pinned = False
        for op, argument in parts:
            part = self._part(op, argument)
            is_pinned |= op is ops.AT and argument in _BEGINNINGS
            if is_pinned and whole.is_empty:
                self.pinned |= part.first
            self._follow(whole.last, part.first)
            if whole.is_empty:
                whole.first |= part.first
            whole.last = part.last | (whole.last if part.is_empty else set())
            whole.is_empty &= part.is_empty
        return whole

    def _part(self, op: Any, argument: Any) -> _Part:
        if op in (ops.LITERAL, ops.NOT_LITERAL, ops.ANY, ops.IN, ops.RANGE):
            return self._position(op, argument)
        if op is ops.SUBPATTERN:
            return self._sequence(argument[-1])
        if op is ops.ATOMIC_GROUP:
            return self._sequence(argument)
        if op is ops.BRANCH:
            return self._either([self._sequence(each) for each in argument[1]])
        if op in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT):
            return self._repeat(*argument)
        if op in (ops.ASSERT, ops.ASSERT_NOT):
            self.within.append(argument[1])
        elif op not in (ops.AT, ops.GROUPREF, ops.FAILURE):
            raise NotImplementedError(op)
        self.may_fail |= bool(self.reads)
        return _Part()

    def _either(self, parts: list[_Part]) -> _Part:
        return _Part(
            set().union(*(part.first for part in parts)),
            set().union(*(part.last for part in parts)),
            any(part.is_empty for part in parts),
        )

    def _repeat(self, fewest: int, most: int, body: _Text) -> _Part:
        part = self._sequence(body)
        if most > _MANY:
            self._follow(part.last, part.first)
        elif most > 1:
            # Two stand for several: it is not repeated without an end.
            more = self._sequence(body)
            self._follow(part.last, more.first)
            part.last |= more.last
        part.is_empty |= not fewest
        return part

    def _follow(self, lasts: set[int], firsts: set[int]) -> None:
        for last in lasts:
            self.twice |= {(last, each) for each in firsts & self.after[last]}
            self.after[last] |= firsts

    def _position(self, op: Any, argument: Any) -> _Part:
        read = frozenset(
            number
            for number, letter in enumerate(LETTERS)
            if _is_read(op, argument, letter, self.flags)
        )
        self.reads.append(read)
        self.after.append(set())
        own = {len(self.reads) - 1}
        return _Part(own, set(own), False)

    # --- What is too slow in it

    def fault(self, use: Use) -> str:
        """Why it may take long, or nothing."""
        if self._is_exponential():
            return "exponential: a repeat within a repeat reads the same in two ways"
        loops = [each for each in range(len(self.reads)) if self._is_loop(each)]
        failing = [q for q in loops if use is Use.FULLMATCH or self._goes_on(q)]
        for q in failing:
            for p in loops:
                if p != q and q in self._reach(p) and self._reads_alike(p, q):
                    return "quadratic: two repeats in a row read the same"
        if use is Use.SEARCH and any(map(self._begins_within, failing)):
            return "quadratic: it begins anew within its own repeat"
        return ""

    def _is_exponential(self) -> bool:
        for p, q in self.twice:
            if p in self._reach(q):
                return True
        for p in range(len(self.reads)):
            if not self._is_loop(p):
                continue
            apart = [(x, y) for x, y in self._pairs([(p, p)]) if x != y]
            if apart and any(pair == (p, p) for pair in self._pairs(apart)):
                return True
        return False

    def _pairs(self, start: list[tuple[int, int]]) -> set[tuple[int, int]]:
        """Where two readers come to that read the same text."""
        seen: set[tuple[int, int]] = set()
        left = list(start)
        while left:
            x, y = left.pop()
            for i in self.after[x]:
                for j in self.after[y]:
                    if self.reads[i] & self.reads[j] and (i, j) not in seen:
                        seen.add((i, j))
                        left.append((i, j))
        return seen

    def _reads_alike(self, p: int, q: int) -> bool:
        """Whether some text is read from p to p, from p to q, and from q to q."""
        in_p, in_q = self._loop_of(p), self._loop_of(q)
        if in_p == in_q:
            return False
        seen = {(p, p, q)}
        left = deque(seen)
        while left:
            x, y, z = left.popleft()
            for i in self.after[x] & in_p:
                for j in self.after[y]:
                    both = self.reads[i] & self.reads[j]
                    for k in self.after[z] & in_q if both else ():
                        now = (i, j, k)
                        if both & self.reads[k] and now not in seen:
                            if now == (p, q, q):
                                return True
                            seen.add(now)
                            left.append(now)
        return False

    def _begins_within(self, q: int) -> bool:
        """Whether the text of q's loop is also read from the beginning to q."""
        loop = self._loop_of(q)
        seen = set()
        left = deque(
            (i, k)
            for z in loop
            for k in self.after[z] & loop
            for i in self._firsts_after(z)
            if self.reads[i] & self.reads[k]
        )
        while left:
            x, z = left.popleft()
            if x == q:
                return True
            for i in self.after[x]:
                for k in self.after[z] & loop:
                    if self.reads[i] & self.reads[k] and (i, k) not in seen:
                        seen.add((i, k))
                        left.append((i, k))
        return False

    def _firsts_after(self, z: int) -> set[int]:
        """Where an expression may begin after what a position reads."""
        ends_line = self.flags & re.MULTILINE and _NEWLINE in self.reads[z]
        return self.whole.first - (set() if ends_line else self.pinned)

    def _goes_on(self, q: int) -> bool:
        """Whether something must follow after the loop, so that it may fail."""
        return self.may_fail or not self._loop_of(q) & self.whole.last

    def _is_loop(self, p: int) -> bool:
        return p in self._reach(p)

    @cache  # noqa: B019 - of few automata, each gone with its test
    def _reach(self, p: int) -> frozenset[int]:
        seen: set[int] = set()
        left = [p]
        while left:
            for each in self.after[left.pop()] - seen:
                seen.add(each)
                left.append(each)
        return frozenset(seen)

    @cache  # noqa: B019
    def _loop_of(self, p: int) -> frozenset[int]:
        return frozenset(each for each in self._reach(p) if p in self._reach(each))


def faults_of(pattern: str, flags: int = 0, use: Use = Use.SEARCH) -> list[str]:
    """Those of an expression, and of what stands in its look-aheads."""
    whole = Automaton(pattern, flags)
    faults = [whole.fault(use)]
    for within in whole.within:
        part = Automaton("", whole.flags & ~re.DEBUG)
        part.whole = part._sequence(within)
        part.may_fail = True
        faults.append(part.fault(use))
    return [fault for fault in faults if fault]


def _is_read(op: Any, argument: Any, letter: str, flags: int) -> bool:
    letters = {letter}
    if flags & re.IGNORECASE:
        letters |= {letter.lower(), letter.upper()}
    return any(_reads(op, argument, each, flags) for each in letters)


def _reads(op: Any, argument: Any, letter: str, flags: int) -> bool:
    if op is ops.ANY:
        return letter != "\n" or bool(flags & re.DOTALL)
    if op is ops.LITERAL:
        return ord(letter[0]) == argument
    if op is ops.NOT_LITERAL:
        return ord(letter[0]) != argument
    if op is ops.RANGE:
        return bool(argument[0] <= ord(letter[0]) <= argument[1])
    if op is ops.CATEGORY:
        return re.match(_CATEGORIES[argument], letter) is not None
    negated = argument[0][0] is ops.NEGATE
    items = argument[1:] if negated else argument
    return negated != any(_reads(*item, letter, flags) for item in items)


_CATEGORIES = {
    ops.CATEGORY_DIGIT: r"\d",
    ops.CATEGORY_NOT_DIGIT: r"\D",
    ops.CATEGORY_SPACE: r"\s",
    ops.CATEGORY_NOT_SPACE: r"\S",
    ops.CATEGORY_WORD: r"\w",
    ops.CATEGORY_NOT_WORD: r"\W",
}
