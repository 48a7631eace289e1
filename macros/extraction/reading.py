"""One response, read for all its return values; its JSON is parsed once."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, cast

from feedback.texts import storable_in

from .budget import Budget, ExtractionError
from .definitions import ReturnValue, Source
from .patterns import Pattern, search
from .values import MAX_ITEMS, ValueType, Written, convert

if TYPE_CHECKING:
    from jsonpath import JSONPath

# Commas and brackets: as many as there are members and elements, or more.
MAX_PARTS = 100_000


@dataclass
class Reading:
    """A response as it may be shown: `text` is its body, `cut` why it is not whole.

    `redact` masks secrets: `text` is redacted already, headers are not. Both are
    storable, and what is taken from them is too.
    """

    status: int
    headers: Sequence[tuple[str, str]]
    text: str
    cut: str = ""
    redact: Callable[[str], str] = str
    budget: Budget = field(default_factory=Budget)

    def take(self, wanted: ReturnValue) -> object:
        """The value, secrets masked; None if there is none. Raises ExtractionError."""
        values = self._find(wanted)
        if len(values) == 1 and (values[0] is None or wanted.source == Source.JSON):
            # A list in JSON is one value of that type, and null is none.
            value = values[0]
        elif wanted.type == ValueType.LIST:
            value = values or None
        else:
            value = _only(values)
        if value is None:
            return None
        # JSON writes as an escape what the text itself can't hold.
        return self._masked(storable_in(convert(value, wanted.type)))

    def _find(self, wanted: ReturnValue) -> Sequence[object]:
        if wanted.source == Source.STATUS:
            return [self.status]
        if wanted.compiled is None:
            return self._header(wanted)
        if wanted.source == Source.JSON:
            from .paths import find_all  # Loaded by whoever compiled one.

            path = cast("JSONPath", wanted.compiled)
            return find_all(path, self._json, self.budget, MAX_ITEMS)
        limit = MAX_ITEMS if wanted.type == ValueType.LIST else 0
        pattern = cast(Pattern, wanted.compiled)
        return search(pattern, self.text, limit, self.budget)

    def _header(self, wanted: ReturnValue) -> list[str]:
        values = self._fields.get(wanted.expression.lower(), [])
        if wanted.type == ValueType.LIST or not values:
            return values
        # RFC 9110 5.3: fields of one name may be joined by commas.
        return [", ".join(values)]

    @cached_property
    def _fields(self) -> dict[str, list[str]]:
        fields: dict[str, list[str]] = {}
        for name, value in self.headers:
            fields.setdefault(name.lower(), []).append(value)
        return fields

    @property
    def _json(self) -> object:
        data, problem = self._parsed
        if problem:
            raise ExtractionError(problem)
        return data

    @cached_property
    def _parsed(self) -> tuple[object, str]:
        """The JSON, and why there is none."""
        if self.cut:
            return None, f"can't be looked up: the response is not whole ({self.cut})"
        if not self.text.strip():
            return None, "can't be looked up: the response is empty"
        if sum(map(self.text.count, ",[{")) > MAX_PARTS:
            limit = f"{MAX_PARTS:,}"
            return None, f"can't be looked up: the response has more than {limit} parts"
        try:
            text = self.text.removeprefix("\ufeff")
            return json.loads(text, parse_float=Written, parse_constant=_refuse), ""
        except (ValueError, RecursionError):
            return None, "can't be looked up: the response is not JSON"

    def _masked(self, value: object) -> object:
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, list):
            return [self._masked(item) for item in value]
        if self.redact(shown := json.dumps(value, default=str)) != shown:
            raise ExtractionError("is a secret")
        return value


def _only(values: Sequence[object]) -> object:
    if len(values) > 1:
        count = len(values) if len(values) <= MAX_ITEMS else f"more than {MAX_ITEMS}"
        raise ExtractionError(f"matches {count} values; take one, or make it a list")
    return values[0] if values else None


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
