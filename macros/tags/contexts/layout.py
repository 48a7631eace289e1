"""How the parts of a template stand in its result."""

from __future__ import annotations

from collections.abc import Callable
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
class Layout:
    """Literals as they are sent, and slots.

    `check` looks at a whole result, and raises ValueRefused with a sentence.
    """

    parts: list[str | Slot]
    check: Callable[[str], None] | None = None


def with_one_escape(pieces: list[Piece], escape: Escape) -> list[str | Slot]:
    """The parts of a layout in which every value is escaped alike."""
    return [
        Slot(piece, escape) if isinstance(piece, RawTag) else piece.text
        for piece in pieces
    ]
