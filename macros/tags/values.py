"""A tag's value as text and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from json.encoder import encode_basestring, encode_basestring_ascii

# Past this a float holds no exact whole numbers, and its digits would mislead.
_MAX_EXACT_FLOAT = 2**53
_MAX_ZEROS = 30


class RawJson(str):
    """Text that is JSON already, so that value position takes it as it is."""

    __slots__ = ()


class PercentEncoded(str):
    """Text the filter `url` has encoded, so that a URL does not encode it twice."""

    __slots__ = ()


def is_empty(value: object) -> bool:
    """No value, for `default`, `required` and the list of empty tags."""
    if isinstance(value, float):
        return not math.isfinite(value)
    return value is None or value == "" or value == [] or value == {} or value == ()


def to_text(value: object) -> str:
    """
    >>> to_text([1.0, True, None])
    '1, true, '
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (float, Decimal)):
        return _number_to_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return ", ".join([to_text(item) for item in value])
    if isinstance(value, Mapping):
        return to_json(value)
    return str(value)


def _number_to_text(value: float | Decimal) -> str:
    """With all of its digits; an exponent only where there would be too many."""
    if not math.isfinite(value):
        return ""
    number = value if isinstance(value, Decimal) else Decimal(repr(value))
    if isinstance(value, float) and not value:
        return "0"
    if isinstance(value, float) and abs(value) > _MAX_EXACT_FLOAT:
        return repr(value)
    if abs(number.adjusted()) > _MAX_ZEROS:
        return str(number)
    text = f"{number:f}"
    return text.removesuffix(".0") if isinstance(value, float) else text


def _short(value: Decimal) -> Decimal:
    """Without zeros at its end. `normalize` would round it to 28 digits."""
    sign, digits, exponent = value.as_tuple()
    kept = "".join(map(str, digits)).rstrip("0")
    if not kept or not isinstance(exponent, int):
        return Decimal(0)
    return Decimal((sign, tuple(map(int, kept)), exponent + len(digits) - len(kept)))


def encode_string(text: str) -> str:
    """A JSON string, quotes included; readable, and ASCII only where it must be."""
    if not text.isascii() and not is_encodable(text):
        return encode_basestring_ascii(text)
    return encode_basestring(text)


def is_encodable(text: str) -> bool:
    """Lone surrogates have no UTF-8 form, so they may only travel as escapes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def to_json(value: object) -> str:
    """The value in its own type; a number that JSON lacks is null."""
    if isinstance(value, str):
        return encode_string(value)
    if value is None or isinstance(value, (bool, int)):
        return json.dumps(value)
    if isinstance(value, Decimal):
        return _number_to_text(_short(value)) if value.is_finite() else "null"
    if isinstance(value, float):
        return json.dumps(value) if math.isfinite(value) else "null"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join([to_json(item) for item in value])}]"
    if isinstance(value, Mapping):
        members = [
            f"{encode_string(to_text(key))}: {to_json(item)}"
            for key, item in value.items()
        ]
        return f"{{{', '.join(members)}}}"
    return encode_string(to_text(value))
