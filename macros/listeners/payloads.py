"""What a call says, read from bytes that a stranger wrote.

JSON is the same object to everybody here: of two members of one name the last counts,
a number keeps all of its digits. XML has this shape:

    <a:Order id="7"><line>x</line><line>y</line></a:Order>
    {"Order": {"@id": "7", "line": ["x", "y"]}}

Prefixes and declarations of namespaces are left out. An element that comes once is no
list, one without text is null, and text beside attributes is `#text`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl
from xml.parsers import expat

import orjson
import xmltodict
from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http.multipartparser import MultiPartParser, MultiPartParserError

from feedback.texts import storable, storable_in

from ..extraction.budget import Budget

# Each within the other: as deep as a JSONPath goes.
MAX_DEPTH = 100
# Values, lists and objects in a call.
MAX_PARTS = 100_000
# Members of a form or a query.
MAX_FIELDS = 1_000

_BOM = b"\xef\xbb\xbf"
# What a float may not hold exactly. In a text it does no harm.
_LONG_NUMBER = re.compile(rb"\d[\d.]{15,}")
_MAX_FLOAT_DIGITS = 15
_MAX_EXPONENT = 150
_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]{1,40})", re.IGNORECASE)


class Unreadable(Exception):
    """Why a call or a value in it can't be read, as a sentence."""


@dataclass
class Payload:
    """What one event says; headers by their names in lower case.

    The budget pays for all that is looked up in it.
    """

    data: object
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    budget: Budget = field(default_factory=Budget)

    def with_data(self, data: object) -> Payload:
        """One event of a call that brings several."""
        return Payload(data, self.headers, self.query)

    @cached_property
    def query_values(self) -> Mapping[str, list[str]]:
        return _members(_pairs(self.query))

    @property
    def members(self) -> dict[str, object]:
        """All of it, as it is written down with a run."""
        return {"data": self.data, "headers": {**self.headers}, "query": self.query}


def read_payload(
    listener_format: str, body: bytes, headers: Mapping[str, str], query: str
) -> Payload:
    """The call as one event. Raises Unreadable, and nothing else."""
    lowered = {
        storable(name.lower()): storable(str(each)) for name, each in headers.items()
    }
    content_type = lowered.get("content-type", "")
    data = _READERS[listener_format](body, content_type)
    _check_size(data)
    return Payload(storable_in(data), lowered, query)


def kept_payload(text: str) -> Payload | None:
    """What was written down with a run; None where it was deleted since."""
    try:
        kept = _parsed(text.encode())
    except ValueError:
        return None
    return Payload(kept["data"], kept["headers"], kept["query"])


def _check_size(data: object) -> None:
    """Before anything goes down in it by calling itself."""
    level = [data]
    parts = depth = 0
    while level:
        parts += len(level)
        if parts > MAX_PARTS:
            raise Unreadable(f"The body has more than {MAX_PARTS:,} parts.")
        if depth > MAX_DEPTH:
            raise Unreadable(f"The body is nested more than {MAX_DEPTH} deep.")
        depth += 1
        below: list[object] = []
        for each in level:
            if isinstance(each, dict):
                below += each.values()
            elif isinstance(each, list):
                below += each
        level = below


def _json(body: bytes, content_type: str) -> object:
    body = body.removeprefix(_BOM)
    if not body.strip():
        raise Unreadable("The body is empty, and JSON is expected.")
    try:
        return _parsed(body)
    except ValueError as error:
        raise Unreadable(f"The body is not JSON: {error}.") from None


def _parsed(body: bytes) -> Any:
    data = orjson.loads(body)
    if _LONG_NUMBER.search(body):
        _check_size(data)
        return json.loads(body, parse_float=_number)
    return data


def _number(text: str) -> float | Decimal:
    if len(text) <= _MAX_FLOAT_DIGITS:
        return float(text)
    number = Decimal(text)
    return number if abs(number.adjusted()) <= _MAX_EXPONENT else float(text)


def _form(body: bytes, content_type: str) -> object:
    """Text by name, a list where a name comes again; files are left out.

    Senders that have JSON to say put it into the member `payload`: it is read as such.
    """
    if content_type.lower().startswith("multipart/"):
        members = _multipart(body, content_type)
    else:
        members = _members(_pairs(_decoded(body, content_type)))
    data: dict[str, object] = {
        name: values[0] if len(values) == 1 else values
        for name, values in members.items()
    }
    payload = data.get("payload")
    if isinstance(payload, str) and payload.lstrip().startswith(("{", "[")):
        with suppress(Unreadable):  # Then it is a text.
            data["payload"] = _json(payload.encode(), "")
    return data


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Unreadable(f"It has more than {MAX_FIELDS:,} members.") from None


def _members(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    members: dict[str, list[str]] = {}
    for name, value in pairs:
        members.setdefault(storable(name), []).append(storable(value))
    return members


def _multipart(body: bytes, content_type: str) -> dict[str, list[str]]:
    meta = {"CONTENT_TYPE": content_type, "CONTENT_LENGTH": len(body)}
    handlers = [MemoryFileUploadHandler()]
    try:
        members, _ = MultiPartParser(meta, BytesIO(body), handlers).parse()
    except (MultiPartParserError, SuspiciousOperation) as error:
        raise Unreadable(f"The body is not a form: {error}.") from None
    return {
        storable(name): [*map(storable, values)] for name, values in members.lists()
    }


def _text(body: bytes, content_type: str) -> object:
    return _decoded(body, content_type)


def _decoded(body: bytes, content_type: str) -> str:
    named = _CHARSET.search(content_type)
    for charset in [named[1] if named else "", "utf-8"]:
        try:
            return storable(body.removeprefix(_BOM).decode(charset or "utf-8"))
        except (LookupError, ValueError):
            continue
    raise Unreadable("The body is not text in UTF-8.")


def _xml(body: bytes, content_type: str) -> object:
    try:
        _Outline().check(body)
        parsed = xmltodict.parse(body, postprocessor=_without_prefix)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise Unreadable(f"The body is not XML: {error}.") from None
    return parsed


class _Outline:
    """Looks at XML before it is read: at what is declared in it, and how deep it is."""

    def __init__(self) -> None:
        self.depth = self.elements = 0
        self.parser = expat.ParserCreate()
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end

    def check(self, body: bytes) -> None:
        self.parser.Parse(body, True)

    def _doctype(self, *declared: object) -> None:
        raise Unreadable("The body has a DOCTYPE, which is not allowed.")

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self.depth += 1
        self.elements += 1 + len(attributes)
        if self.depth > MAX_DEPTH:
            raise Unreadable(f"The body is nested more than {MAX_DEPTH} deep.")
        if self.elements > MAX_PARTS:
            raise Unreadable(f"The body has more than {MAX_PARTS:,} parts.")

    def _end(self, name: str) -> None:
        self.depth -= 1


def _without_prefix(path: object, key: str, value: Any) -> Any:
    if not key.startswith("@"):
        return key.rpartition(":")[2], value
    name = key[1:]
    if name == "xmlns" or name.startswith("xmlns:"):
        return None
    return f"@{name.rpartition(':')[2]}", value


_READERS: dict[str, Callable[[bytes, str], object]] = {
    "json": _json,
    "form": _form,
    "xml": _xml,
    "text": _text,
}
