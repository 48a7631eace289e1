"""How the parts of a template stand in its result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..source import Piece, RawTag
from ..values import to_text

MASK = "••••••"

# Turns a value into the text of the result; raises ValueRefused.
Escape = Callable[[object], str]


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a tag's value goes; `mask` stands there for a secret's.

    `inner` are the escapes of the languages that are nested there, innermost first.
    """

    tag: RawTag
    escape: Escape
    mask: str = MASK
    inner: tuple[Escape, ...] = ()

    def chained(self) -> Escape:
        """From the innermost language to the outermost."""
        if not self.inner:
            return self.escape
        escapes = (*self.inner, self.escape)

        def escape(value: object) -> str:
            for each in escapes:
                value = each(value)
            return to_text(value)

        return escape

    def within(self, outer: Slot) -> Slot:
        """This one in a text that the outer slot is a part of."""
        mask = outer.escape(self.mask).replace(outer.escape(MASK), MASK)
        inner = (*self.inner, self.escape, *outer.inner)
        return Slot(self.tag, outer.escape, mask, inner)


@dataclass(frozen=True, slots=True)
class Region:
    """A text within another language, as its receiver reads it, with the tags in it.

    `name` is that of the member, field or parameter which it is the value of.
    """

    parts: list[str | RawTag]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """A member that is left out when one of these tags has no value.

    `comma` is what stands before it if it is not the first.
    """

    comma: str
    parts: tuple[Part, ...]
    omitted_by: tuple[RawTag, ...]


@dataclass(frozen=True, slots=True)
class Members:
    """Those of one object."""

    members: tuple[Member, ...]


# Literals as they are sent are strings.
Part = str | Slot | Members


@dataclass(frozen=True, slots=True)
class Layout:
    """`check` looks at a whole result, and raises ValueRefused with a sentence."""

    parts: Sequence[Part]
    check: Callable[[str], None] | None = None

    def slots(self) -> Iterator[Slot]:
        return _slots_of(self.parts)


def _slots_of(parts: Iterable[Part]) -> Iterator[Slot]:
    for part in parts:
        if isinstance(part, Slot):
            yield part
        elif isinstance(part, Members):
            for member in part.members:
                yield from _slots_of(member.parts)


def with_one_escape(pieces: list[Piece], escape: Escape) -> list[str | Slot]:
    """The parts of a layout in which every value is escaped alike."""
    return [
        Slot(piece, escape) if isinstance(piece, RawTag) else piece.text
        for piece in pieces
    ]
