"""One response, read for all its return values; its JSON is parsed once."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from jsonpath import JSONPath

from feedback.texts import storable_in

from .definitions import ReturnValue, Source
from .paths import Allowance, ExtractionError, find_all, search
from .values import MAX_ITEMS, ValueType, Written, convert


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
    allowance: Allowance = field(default_factory=Allowance)

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
        return None if value is None else self._masked(convert(value, wanted.type))

    def _find(self, wanted: ReturnValue) -> Sequence[object]:
        if wanted.source == Source.STATUS:
            return [self.status]
        if wanted.compiled is None:
            return self._header(wanted)
        if isinstance(wanted.compiled, JSONPath):
            return find_all(wanted.compiled, self._json, self.allowance, MAX_ITEMS)
        limit = MAX_ITEMS if wanted.type == ValueType.LIST else 0
        return search(wanted.compiled, self.text, limit)

    def _header(self, wanted: ReturnValue) -> list[str]:
        name = wanted.expression.lower()
        values = [value for key, value in self.headers if key.lower() == name]
        if wanted.type == ValueType.LIST or not values:
            return values
        # RFC 9110 5.3: fields of one name may be joined by commas.
        return [", ".join(values)]

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
        try:
            text = self.text.removeprefix("\ufeff")
            data = json.loads(text, parse_float=Written, parse_constant=_refuse)
            # JSON writes as an escape what the text itself can't hold.
            return (storable_in(data) if "\\u" in text else data), ""
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
