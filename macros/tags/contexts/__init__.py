"""How a template is laid out, checked and escaped for where its result goes."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from ..source import Piece, Source
from .form import lay_out_form
from .json_body import lay_out_json
from .layout import MASK, Layout, Members, Part, Slot
from .members import OMIT
from .text import lay_out_header, lay_out_text
from .url import lay_out_url
from .xml_body import lay_out_xml

__all__ = [
    "LAYOUTS",
    "MASK",
    "OMIT",
    "Layout",
    "Members",
    "OutputContext",
    "Part",
    "Slot",
]


class OutputContext(StrEnum):
    """Where a template's result stands, which decides how values are escaped."""

    JSON = "json"
    URL = "url"
    HEADER = "header"
    FORM = "form"
    XML = "xml"
    TEXT = "text"


LAYOUTS: dict[OutputContext, Callable[[Source, list[Piece]], Layout]] = {
    OutputContext.JSON: lay_out_json,
    OutputContext.URL: lay_out_url,
    OutputContext.HEADER: lay_out_header,
    OutputContext.FORM: lay_out_form,
    OutputContext.XML: lay_out_xml,
    OutputContext.TEXT: lay_out_text,
}
