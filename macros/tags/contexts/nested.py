"""A language inside a language: JSON in a form field, GraphQL in a JSON string.

A value is escaped from the inside out there, so that whoever reads the outer language
and then the inner one gets the value, and nothing beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from feedback.names import normalise

from ..source import RawTag, Source
from .graphql import GraphqlReader, is_graphql
from .json_text import JsonReader
from .layout import Region, Slot

# The innermost slot of each tag, by where the tag begins.
Inner = Mapping[int, Slot]

# No other text begins so: [BUG-12] and {name} are as often text.
_LIKE_JSON = re.compile(r'\s*(?:\[[\s\[]*)?(?:\{\s*)?"')
_JSON_ADVICE = (
    "mend it, or write the tag as a whole value, without quotes, as in ((Title|json))"
)


def look_inside(source: Source, regions: Iterable[Region]) -> Inner:
    """The slots of tags in other languages; what can't be known is a problem."""
    slots: dict[int, Slot] = {}
    for region in regions:
        slots |= _look(source, region)
    return slots


def nest(parts: list[str | Slot], inner: Inner) -> list[str | Slot]:
    """The parts of the outer language, with the inner ones' slots in its own."""
    if not inner:
        return parts
    return [
        inner[part.tag.start].within(part)
        if isinstance(part, Slot) and part.tag.start in inner
        else part
        for part in parts
    ]


def _look(source: Source, region: Region) -> Inner:
    tags = [part for part in region.parts if isinstance(part, RawTag)]
    first = region.parts[0] if region.parts else ""
    if not tags or isinstance(first, RawTag):
        return {}
    if first.lstrip().startswith(("{", "[")) and (slots := _as_json(source, region)):
        return slots
    if region.name == "query" and is_graphql(region.parts):
        return _as_graphql(source, region, tags)
    return {}


def _as_json(source: Source, region: Region) -> Inner:
    reader = JsonReader()
    slots: dict[int, Slot] = {}
    for part in region.parts:
        if isinstance(part, str):
            reader.read_text(part)
        else:
            slots[part.start] = reader.read_tag(part, len("{}"))
    shadow = "".join(reader.shadow)
    problem = reader.problem()
    if problem is None and '"' in shadow:
        return _joined(source, slots, reader.texts())
    if problem is not None and _is_like_json(shadow):
        unsafe = (
            tag
            for start, _, tag in reader.spans
            if start not in reader.values or not _is_json(tag)
        )
        if tag := next(unsafe, None):
            message = f"the text around this tag looks like JSON, but {problem[1]}"
            source.refuse(tag.start, f"{message}; {_JSON_ADVICE}")
    return {}


def _is_like_json(shadow: str) -> bool:
    is_object = shadow.lstrip().startswith("{")
    return bool(_LIKE_JSON.match(shadow)) or (is_object and '":' in shadow)


def _as_graphql(source: Source, region: Region, tags: list[RawTag]) -> Inner:
    reader = GraphqlReader()
    reader.read(region.parts, {tag.start for tag in tags if _is_json(tag)})
    for start, message in reader.problems:
        source.refuse(start, message)
    return _joined(source, reader.slots, reader.texts)


def _joined(source: Source, slots: Inner, regions: Iterable[Region]) -> Inner:
    deeper = look_inside(source, regions)
    return {
        start: deeper[start].within(slot) if start in deeper else slot
        for start, slot in slots.items()
    }


def _is_json(tag: RawTag) -> bool:
    """Whether it writes a whole JSON value."""
    return bool(tag.filters) and normalise(tag.filters[-1].name) == "json"
