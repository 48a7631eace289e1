"""Plain text, and header values, which are one line."""

from __future__ import annotations

from ..errors import ValueRefused
from ..source import Literal, Piece, RawTag, Source
from ..values import to_text
from .layout import Layout, Region, with_one_escape
from .nested import look_inside, nest

# C0 but for the tab, DEL, C1, and the separators some libraries end a line at.
_CONTROLS = frozenset(
    chr(code)
    for code in [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029]
    if chr(code) != "\t"
)


def lay_out_text(source: Source, pieces: list[Piece]) -> Layout:
    return Layout(with_one_escape(pieces, to_text))


def lay_out_header(source: Source, pieces: list[Piece]) -> Layout:
    """A control character is a problem in a literal, and refused in a value."""
    for piece in pieces:
        if isinstance(piece, Literal) and not _is_safe(piece.text):
            raw = source.text[piece.start : piece.end]
            index = next(at for at, letter in enumerate(raw) if letter in _CONTROLS)
            source.refuse(
                piece.start + index,
                "a header may hold no line breaks or control characters",
            )
    whole = Region([each if isinstance(each, RawTag) else each.text for each in pieces])
    parts = with_one_escape(pieces, _header_text)
    return Layout(nest(parts, look_inside(source, [whole])))


def _header_text(value: object) -> str:
    text = to_text(value)
    if text.isascii() and text.isprintable():
        return text
    if not _is_safe(text):
        raise ValueRefused(
            "holds a line break or a control character, which a header cannot hold"
        )
    # A lone surrogate has no bytes at all.
    return text.encode("utf-8", "replace").decode()


def _is_safe(text: str) -> bool:
    return text.isprintable() or _CONTROLS.isdisjoint(text)
