"""How a template is laid out, checked and escaped where its result goes."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from ..source import Piece, Source
from .form import lay_out_form
from .json_body import lay_out_json
from .layout import MASK, Layout, Slot
from .text import lay_out_header, lay_out_text
from .url import lay_out_url
from .xml_body import lay_out_xml

__all__ = ["LAYOUTS", "MASK", "Layout", "Place", "Slot"]


class Place(StrEnum):
    JSON = "json"
    URL = "url"
    HEADER = "header"
    FORM = "form"
    XML = "xml"
    TEXT = "text"


LAYOUTS: dict[Place, Callable[[Source, list[Piece]], Layout]] = {
    Place.JSON: lay_out_json,
    Place.URL: lay_out_url,
    Place.HEADER: lay_out_header,
    Place.FORM: lay_out_form,
    Place.XML: lay_out_xml,
    Place.TEXT: lay_out_text,
}
