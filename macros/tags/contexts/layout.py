"""How the parts of a template stand in its result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..source import Piece, RawTag

MASK = "••••••"

# Turns a value into the text of the result; raises ValueRefused.
Escape = Callable[[object], str]


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a tag's value goes; `mask` stands there for a secret's."""

    tag: RawTag
    escape: Escape
    mask: str = MASK


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
