"""One answer, read for as many return values as there are, and its JSON once."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .definitions import ReturnValue, Source
from .paths import Allowance, Unfit, find_all, search
from .values import MAX_ITEMS, ValueType, convert


@dataclass
class Reading:
    """An answer as it may be shown: `text` is its body, `cut` why it is not whole.

    `redact` masks secrets: `text` is redacted already, headers are not.
    """

    status: int
    headers: Sequence[tuple[str, str]]
    text: str
    cut: str = ""
    redact: Callable[[str], str] = str
    allowance: Allowance = field(default_factory=Allowance)

    def take(self, wanted: ReturnValue) -> Any:
        """The value, secrets masked; None if the answer has none. Raises Unfit."""
        found = self._find(wanted)
        if len(found) == 1 and (found[0] is None or wanted.source == Source.JSON):
            # A list in JSON is one value of that type, and null is none.
            value = found[0]
        elif wanted.type == ValueType.LIST:
            value = found or None
        else:
            value = _only(found)
        return None if value is None else self._masked(convert(value, wanted.type))

    def _find(self, wanted: ReturnValue) -> list[Any]:
        most = MAX_ITEMS if wanted.type == ValueType.LIST else 0
        match wanted.source:
            case Source.STATUS:
                return [self.status]
            case Source.HEADER:
                return self._header(wanted)
            case Source.TEXT:
                return search(wanted.compiled, self.text, most)
        return find_all(wanted.compiled, self._json, self.allowance, MAX_ITEMS)

    def _header(self, wanted: ReturnValue) -> list[str]:
        name = wanted.expression.lower()
        found = [value for key, value in self.headers if key.lower() == name]
        if wanted.type == ValueType.LIST or not found:
            return found
        # RFC 9110 5.3: fields of one name may be joined by commas.
        return [", ".join(found)]

    @property
    def _json(self) -> Any:
        data, problem = self._parsed
        if problem:
            raise Unfit(problem)
        return data

    @cached_property
    def _parsed(self) -> tuple[Any, str]:
        if self.cut:
            return None, f"can't be looked up: the answer is not whole ({self.cut})"
        if not self.text.strip():
            return None, "can't be looked up: the answer is empty"
        try:
            text = self.text.removeprefix("\ufeff")
            return json.loads(text, parse_constant=_refuse), ""
        except (ValueError, RecursionError):
            return None, "can't be looked up: the answer is not JSON"

    def _masked(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, list):
            return [self._masked(item) for item in value]
        if self.redact(shown := json.dumps(value)) != shown:
            raise Unfit("is a secret")
        return value


def _only(found: list[Any]) -> Any:
    if len(found) > 1:
        count = len(found) if len(found) <= MAX_ITEMS else f"more than {MAX_ITEMS}"
        raise Unfit(f"matches {count} values; take one, or make it a list")
    return found[0] if found else None


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
