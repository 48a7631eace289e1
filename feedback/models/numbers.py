"""Numbers of JSON as they are written: decimal, and never through a binary float."""

from __future__ import annotations

import json
import re
import secrets
from decimal import Decimal
from typing import Any, ClassVar

from django.core.serializers.json import DjangoJSONEncoder

# A number's, before its point and behind it.
MAX_DIGITS = 100
# Where a number begins and ends; nobody outside of this process can write it.
_MARK = f"decimal-{secrets.token_hex(16)}:"
_MARKED = re.compile(rf'"{_MARK}([^"]*)"')


def written(value: Decimal) -> str:
    """Without an exponent and without zeros at its end."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class ExactEncoder(DjangoJSONEncoder):
    """Writes a Decimal as a number of JSON, with all of its digits."""

    def default(self, o: Any) -> Any:
        if isinstance(o, Decimal) and o.is_finite():
            return _MARK + written(o)
        return super().default(o)

    def encode(self, o: Any) -> str:
        text = super().encode(o)
        return _MARKED.sub(r"\1", text) if _MARK in text else text


class ExactDecoder(json.JSONDecoder):
    """Reads a number that is not whole as a Decimal.

    All share one, as `json` shares its own: to make it takes longer than to read what
    most rows hold.
    """

    _shared: ClassVar[ExactDecoder | None] = None

    def __new__(cls, **options: Any) -> ExactDecoder:
        if options:
            return super().__new__(cls)
        if cls._shared is None:
            cls._shared = super().__new__(cls)
        return cls._shared

    def __init__(self, **options: Any) -> None:
        if "scan_once" not in vars(self):
            super().__init__(**{"parse_float": Decimal, **options})
