"""Secrets match in what a receiver wrote, in one pass over the text.

Texts and secrets may be anybody's, and be made for each other. So the text is searched
by RE2 for the ends of all forms together, and a form is compared only where its end
stands; the work of that is counted, and where it is too much nothing is shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Protocol

# Masking shorter values would blot out ordinary words.
MIN_REDACTED = 6
MASK = "••••••"
# In place of a text with more likenesses of secrets than are looked at.
TOO_MUCH = "(not shown: it is too much like the secrets of this macro)"

# Comparisons in one text; one with a long form counts for each of its kilobytes.
MAX_COMPARED = 10_000
# Few forms in a short text are sooner looked for one by one.
_FEW = 16
_SHORT = 200_000


class _Match(Protocol):
    def start(self) -> int: ...


_Search = Callable[[bytes, int], _Match | None]


class TooMuch(Exception):
    """Comparing would take more than it may."""


class Echoes:
    """Every form in which some secrets may turn up."""

    def __init__(self, forms: Iterable[str] = ()) -> None:
        # The longest first, so that none leaves a tail of another that begins alike.
        long = {form for form in forms if len(form) >= MIN_REDACTED}
        self.forms = tuple(sorted(long, key=lambda form: (-len(form), form)))

    def may_be_in(self, text: str) -> bool:
        """False where none is, which is nearly always so."""
        if len(self.forms) <= _FEW and len(self.forms) * len(text) <= _SHORT:
            return any(form in text for form in self.forms)
        return self._ends.search(_bytes(text), 0) is not None

    def redact(self, text: str) -> str:
        """The text with a mask in the place of each form."""
        if not text or not self.may_be_in(text):
            return text
        data = _bytes(text)
        try:
            spans = sorted(self._spans(data))
        except TooMuch:
            return TOO_MUCH
        pieces = []
        shown_from = 0
        for start, end in _joined(spans):
            pieces += [data[shown_from:start], _bytes(MASK)]
            shown_from = end
        return b"".join([*pieces, data[shown_from:]]).decode("utf-8", "surrogatepass")

    def redact_end(self, text: str) -> str:
        """The text of a body that was cut, without the part of a form at its end."""
        if not self.forms:
            return text
        data = _bytes(text)
        tail = max(0, len(data) - max(map(len, self._starts.forms)))
        at = self._beginning_in(data, tail)
        if at is None:
            return text
        return data[:at].decode("utf-8", "surrogatepass") + MASK

    def _spans(self, data: bytes) -> Iterator[tuple[int, int]]:
        spent = 0
        for at in self._ends.positions(data, 0):
            end = at + MIN_REDACTED
            for form in self._ends.forms_at(data, at):
                spent += 1 + len(form) // 1024
                if spent > MAX_COMPARED:
                    raise TooMuch
                if end >= len(form) and data.startswith(form, end - len(form)):
                    yield end - len(form), end
                    break

    def _beginning_in(self, data: bytes, tail: int) -> int | None:
        """Where the data ends with the beginning of a form."""
        spent = 0
        first: int | None = None
        for at in self._starts.positions(data, tail):
            first = at if first is None else first
            rest = data[at:]
            for form in self._starts.forms_at(data, at):
                spent += 1 + len(rest) // 1024
                if spent > MAX_COMPARED:
                    return first
                if form.startswith(rest):
                    return at
        return None

    @cached_property
    def _ends(self) -> _Marks:
        return _Marks(self.forms, slice(-MIN_REDACTED, None))

    @cached_property
    def _starts(self) -> _Marks:
        return _Marks(self.forms, slice(MIN_REDACTED))


class _Marks:
    """A few bytes of each form, by which it is recognised."""

    def __init__(self, forms: Sequence[str], part: slice) -> None:
        self.forms = [_bytes(form) for form in forms]
        self._by_mark: dict[bytes, list[bytes]] = defaultdict(list)
        for form in self.forms:
            self._by_mark[form[part]].append(form)
        import re2  # 3 MB, and few macros have so many secrets.

        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1
        options.never_capture = True
        wanted = b"|".join(map(re2.escape, sorted(self._by_mark)))
        self.search: _Search = re2.compile(wanted, options).search

    def positions(self, data: bytes, start: int) -> Iterator[int]:
        """Where a mark stands, also within another one."""
        while (match := self.search(data, start)) is not None:
            yield match.start()
            start = match.start() + 1

    def forms_at(self, data: bytes, at: int) -> list[bytes]:
        """The forms with the mark that stands here."""
        return self._by_mark[data[at : at + MIN_REDACTED]]


def _joined(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Those that overlap as one, given in their order."""
    whole: tuple[int, int] | None = None
    for start, end in spans:
        if whole is None or start >= whole[1]:
            if whole is not None:
                yield whole
            whole = start, end
        else:
            whole = whole[0], max(whole[1], end)
    if whole is not None:
        yield whole


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
