"""The lines that two texts have in common, found in time in proportion to them."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from difflib import Match, SequenceMatcher

# The library takes time that grows by the cube of what it is given.
_MAX_EXACT = 100
_Pair = tuple[int, int]


class LineMatcher(SequenceMatcher[str]):
    """A SequenceMatcher that first pairs the lines which each text has once.

    Between these, short pieces are compared as the library does, and of long ones the
    beginning and the end.
    """

    def __init__(self, old: list[str], new: list[str]) -> None:
        super().__init__(None, old, new, False)
        self.old, self.new = old, new
        self._matching: list[Match] = []

    def get_matching_blocks(self) -> list[Match]:
        if not self._matching:
            end = Match(len(self.old), len(self.new), 0)
            self._matching = [*self._merged(), end]
        return self._matching

    def _merged(self) -> Iterator[Match]:
        run = Match(0, 0, 0)
        for block in self._blocks():
            if (block.a, block.b) == (run.a + run.size, run.b + run.size):
                run = run._replace(size=run.size + block.size)
                continue
            if run.size:
                yield run
            run = block
        if run.size:
            yield run

    def _blocks(self) -> Iterator[Match]:
        i = j = 0
        for next_i, next_j in _increasing(self._unique_pairs()):
            yield from self._between(i, next_i, j, next_j)
            yield Match(next_i, next_j, 1)
            i, j = next_i + 1, next_j + 1
        yield from self._between(i, len(self.old), j, len(self.new))

    def _unique_pairs(self) -> list[_Pair]:
        old, new = Counter(self.old), Counter(self.new)
        at = {line: j for j, line in enumerate(self.new) if new[line] == 1}
        return [
            (i, at[line])
            for i, line in enumerate(self.old)
            if old[line] == 1 and line in at
        ]

    def _between(self, i1: int, i2: int, j1: int, j2: int) -> Iterator[Match]:
        start = 0
        while i1 + start < i2 and j1 + start < j2:
            if self.old[i1 + start] != self.new[j1 + start]:
                break
            start += 1
        yield Match(i1, j1, start)
        i1, j1, end = i1 + start, j1 + start, 0
        while i2 - end > i1 and j2 - end > j1:
            if self.old[i2 - end - 1] != self.new[j2 - end - 1]:
                break
            end += 1
        i2, j2 = i2 - end, j2 - end
        if max(i2 - i1, j2 - j1) <= _MAX_EXACT:
            exact = SequenceMatcher(None, self.old[i1:i2], self.new[j1:j2], False)
            for i, j, size in exact.get_matching_blocks():
                yield Match(i1 + i, j1 + j, size)
        yield Match(i2, j2, end)


def _increasing(pairs: list[_Pair]) -> list[_Pair]:
    """As many of the pairs as stand in the same order in both texts."""
    lasts: list[int] = []  # The smallest end of a row of each length.
    rows: list[int] = []  # Which pair that is.
    before: list[int | None] = []
    for number, (_, j) in enumerate(pairs):
        length = bisect_left(lasts, j)
        before.append(rows[length - 1] if length else None)
        if length == len(lasts):
            lasts.append(j)
            rows.append(number)
        else:
            lasts[length], rows[length] = j, number
    chosen = []
    at = rows[-1] if rows else None
    while at is not None:
        chosen.append(pairs[at])
        at = before[at]
    return chosen[::-1]
