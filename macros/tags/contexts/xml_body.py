"""An XML body: values are text or attribute values, never markup."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from xml.parsers import expat

from ..source import Literal, Piece, RawTag, Source
from ..values import to_text
from .layout import Escape, Layout, Region, Slot
from .nested import look_inside, nest

# Stands for a tag. A private-use character may be text but not part of a name.
_MARK = "\ue000"
# Not a Char of XML 1.0, section 2.2.
_ILLEGAL = [
    *(code for code in range(0x20) if code not in (0x9, 0xA, 0xD)),
    *range(0xD800, 0xE000),
    0xFFFE,
    0xFFFF,
]
# A parser turns a bare carriage return into a line feed.
_TEXT: dict[int, str | None] = dict.fromkeys(_ILLEGAL) | {
    ord("&"): "&amp;",
    ord("<"): "&lt;",
    ord(">"): "&gt;",
    ord("\r"): "&#13;",
}
# And in an attribute, line feeds and tabs into spaces.
_ATTRIBUTE: dict[int, str | None] = _TEXT | {
    ord('"'): "&quot;",
    ord("'"): "&apos;",
    ord("\n"): "&#10;",
    ord("\t"): "&#9;",
}


def _text(value: object) -> str:
    return to_text(value).translate(_TEXT)


def _attribute(value: object) -> str:
    return to_text(value).translate(_ATTRIBUTE)


def _cdata(value: object) -> str:
    """Escaped outside the section: inside, nothing can be written for its end."""
    return f"]]>{_text(value)}<![CDATA["


class _Spot(Enum):
    TEXT = "text"
    ATTRIBUTE = "attribute"
    CDATA = "cdata"
    OTHER = "other"


_ESCAPES: dict[_Spot, Escape] = {
    _Spot.TEXT: _text,
    _Spot.ATTRIBUTE: _attribute,
    _Spot.CDATA: _cdata,
    _Spot.OTHER: _text,
}


class _Refusal(Exception):
    """XML that is well-formed but cannot be sent."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset
        self.message = message


def lay_out_xml(source: Source, pieces: list[Piece]) -> Layout:
    """Where tags are in text and where in attributes; bad XML is a problem."""
    if not source.text.strip():
        source.refuse(0, "The XML body is empty")
    tags = [piece for piece in pieces if isinstance(piece, RawTag)]
    reader = _Reader(source, tags)
    if not source.problems:
        reader.read(_shadow(source.text, pieces))
    spots = iter(reader.spots)
    parts = [
        piece.text
        if isinstance(piece, Literal)
        else Slot(piece, _ESCAPES[next(spots, _Spot.TEXT)])
        for piece in pieces
    ]
    if source.problems:
        return Layout(parts)
    return Layout(nest(parts, look_inside(source, reader.regions)))


def _shadow(text: str, pieces: list[Piece]) -> str:
    """As long as the source, so that a fault has the same position in both."""
    return "".join(
        text[piece.start : piece.end].replace(_MARK, "x")
        if isinstance(piece, Literal)
        else _MARK.ljust(piece.end - piece.start, "x")
        for piece in pieces
    )


class _Reader:
    """Parses the shadow, and notes where each tag stands, in order."""

    def __init__(self, source: Source, tags: list[RawTag]) -> None:
        self.source = source
        self.tags = tags
        self.spots: list[_Spot] = []
        # The texts between elements, and those of attributes.
        self.regions: list[Region] = []
        self.text: list[str] = []
        self.in_cdata = False
        self.parser = expat.ParserCreate()
        self.parser.ordered_attributes = True
        self.parser.XmlDeclHandler = self._declaration
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._element
        self.parser.EndElementHandler = self._end_text
        self.parser.CharacterDataHandler = self._characters
        self.parser.StartCdataSectionHandler = self._cdata(True)
        self.parser.EndCdataSectionHandler = self._cdata(False)
        self.parser.CommentHandler = self._comment
        self.parser.ProcessingInstructionHandler = self._instruction

    def read(self, shadow: str) -> None:
        try:
            self.parser.Parse(shadow, True)
        except expat.ExpatError as error:
            offset = self._offset(error.lineno, error.offset)
            self.source.refuse(offset, self._meaning(error, offset))
        except _Refusal as refusal:
            self.source.refuse(refusal.offset, refusal.message)
        for tag, spot in zip(self.tags, self.spots, strict=False):
            if spot is _Spot.OTHER:
                self.source.refuse(
                    tag.start, "a tag cannot stand in a comment or an instruction"
                )

    def _offset(self, line: int, column: int) -> int:
        start = 0
        for _ in range(line - 1):
            start = self.source.text.find("\n", start) + 1
        return start + column

    def _meaning(self, error: expat.ExpatError, offset: int) -> str:
        if any(tag.start <= offset < tag.end for tag in self.tags):
            return "a tag may stand in text or in a quoted attribute value, not here"
        return f"this is not well-formed XML: {expat.ErrorString(error.code)}"

    def _note(self, text: str, spot: _Spot) -> None:
        self.spots += [spot] * text.count(_MARK)

    def _end_text(self, name: str = "") -> None:
        self._add_region("".join(self.text))
        self.text = []

    def _add_region(self, text: str) -> None:
        """A text of which the tags have just been noted."""
        first, *others = text.split(_MARK)
        tags = self.tags[len(self.spots) - len(others) : len(self.spots)]
        parts: list[str | RawTag] = [first]
        for tag, other in zip(tags, others, strict=False):
            # Behind a mark, its tag is filled up.
            parts += [tag, other[tag.end - tag.start - 1 :]]
        self.regions.append(Region(parts))

    def _declaration(self, version: str, encoding: str | None, alone: int) -> None:
        if encoding is not None and encoding.upper() != "UTF-8":
            raise _Refusal(0, f"the body is sent as UTF-8, not as {encoding}")

    def _doctype(self, name: str, *rest: object) -> None:
        raise _Refusal(self.source.text.find("<!DOCTYPE"), "a DOCTYPE is not allowed")

    def _element(self, name: str, attributes: list[str]) -> None:
        self._end_text()
        for value in attributes[1::2]:
            self._note(value, _Spot.ATTRIBUTE)
            self._add_region(value)

    def _characters(self, text: str) -> None:
        self._note(text, _Spot.CDATA if self.in_cdata else _Spot.TEXT)
        self.text.append(text)

    def _cdata(self, inside: bool) -> Callable[[], None]:
        def handle() -> None:
            self.in_cdata = inside

        return handle

    def _comment(self, text: str) -> None:
        self._note(text, _Spot.OTHER)

    def _instruction(self, name: str, text: str) -> None:
        self._note(text, _Spot.OTHER)
