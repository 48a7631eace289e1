"""Where in a call a value is: `$.issue.key`, `header: X-Event` or `query: id`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ..extraction.budget import ExtractionError
from .payloads import Payload, Unreadable

if TYPE_CHECKING:
    from jsonpath import JSONPath

# Values of one location, where several are wanted.
MAX_VALUES = 500

_NAMED = re.compile(r"(header|query)\s*:\s*(\S.*)", re.IGNORECASE)
# A token of RFC 9110, section 5.6.2.
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_FORMS = "such as $.issue.key, header: X-Event or query: id"


@dataclass(frozen=True)
class Location:
    """One place in a call; `text` is how it was written."""

    text: str
    path: JSONPath | None = None
    header: str = ""
    member: str = ""

    @classmethod
    def parse(cls, text: str) -> Location:
        """Raises ValueError, with a sentence."""
        return _parsed(text.strip())

    def values(self, payload: Payload, limit: int = MAX_VALUES) -> list[object]:
        """All that is there, at most `limit` + 1. Raises Unreadable."""
        if self.path is not None:
            from ..extraction.paths import find_all

            try:
                return find_all(self.path, payload.data, payload.budget, limit)
            except ExtractionError as error:
                raise Unreadable(f"{self.text} {error}.") from None
        if self.header:
            value = payload.headers.get(self.header)
            return [] if value is None else [value]
        values: list[object] = []
        values += payload.query_values.get(self.member, [])
        return values[: limit + 1]

    def value(self, payload: Payload) -> object:
        """The one value that is there, or None. Raises Unreadable."""
        values = self.values(payload)
        if len(values) > 1:
            count = str(len(values))
            if len(values) > MAX_VALUES:
                count = f"more than {MAX_VALUES}"
            raise Unreadable(f"{self.text} matches {count} values, and one is needed.")
        return values[0] if values else None


@lru_cache(maxsize=1_000)
def _parsed(text: str) -> Location:
    if text.startswith("$"):
        from ..extraction.paths import compile_path  # Not before anybody has one.

        return Location(text, path=compile_path(text))
    named = _NAMED.fullmatch(text)
    if named is None:
        raise ValueError(
            f"Give a JSONPath, a header or a member of the query, {_FORMS}."
        )
    kind, name = named[1].lower(), named[2].strip()
    if kind == "query":
        return Location(f"query: {name}", member=name)
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError(f"'{name}' is not the name of a header.")
    return Location(f"header: {name}", header=name.lower())
