"""Conditions on external data, which has the types that JSON has.

`is 3` is true of the number 3, however it is written (3, 3.0), and of the text "3";
`is true` of the truth value and of the text "true". Nothing else is like its text:
neither a list, nor an object, nor null. Texts are the same to the letter, since other
systems have keys that differ by a capital; `contains`, `starts with` and `ends with`
look as people do. Numbers are in order with numbers, and a text that writes one with
none.

It is empty where the name is missing, or holds null or an empty text.

A name stands for itself and for its normalised form: `Jira key` for `jira_key` as well.
"""

from __future__ import annotations

import re
from datetime import tzinfo
from decimal import Decimal
from typing import Any
from unicodedata import normalize

from django.db import connection
from django.db.models import JSONField, Q
from django.db.models.fields.json import KeyTransform, KeyTransformIn

from ..models.numbers import ExactEncoder
from ..names import normalise
from .fields import Field
from .kinds import Kind, Moment, any_of, read_text, text_lookup
from .ordered import ordered
from .qualifiers import Qualifier
from .stored import IsEmptyAt, IsTextAt, NumberAt, TextAt
from .values import number_in, read_number, text_of

EXTERNAL_PREFIX = "external_"
PRESENCE_PREFIX = "has_external_"
NAMES = (
    "A name has 1 to 100 letters, digits, spaces, dots, underscores or hyphens, begins"
    " with a letter, and is not a number."
)
_COLUMN = "external_data"
_NAME = re.compile(r"\w[\w ._-]{0,99}")
_TEXTS = (Qualifier.CONTAINS, Qualifier.STARTS_WITH, Qualifier.ENDS_WITH)
_ORDERS = (
    *(Qualifier.GREATER, Qualifier.LESS, Qualifier.AT_LEAST, Qualifier.AT_MOST),
    Qualifier.BETWEEN,
)


class ExternalKind(Kind):
    """A value whose type is that of what is stored; the column is a name."""

    name = "external"
    qualifiers = (
        *(Qualifier.IS, Qualifier.IS_NOT, Qualifier.IS_ONE_OF, Qualifier.CONTAINS),
        *(Qualifier.DOES_NOT_CONTAIN, Qualifier.STARTS_WITH, Qualifier.ENDS_WITH),
        *(*_ORDERS, Qualifier.IS_EMPTY, Qualifier.IS_NOT_EMPTY),
        *(Qualifier.YES, Qualifier.NO),
    )

    def read(self, value: object, qualifier: Qualifier, zone: tzinfo) -> Any:
        if qualifier in _ORDERS:
            return read_number(text_of(value))
        if qualifier.positive in _TEXTS:
            return read_text(value)
        return text_of(value)

    def test(
        self, column: Any, qualifier: Qualifier, values: list[Any], at: Moment
    ) -> Q:
        tests = [_test(key, qualifier, values) for key in spellings(column)]
        if qualifier == Qualifier.IS_EMPTY:
            return Q(*tests)
        return any_of(tests)


class ExternalField(Field):
    @classmethod
    def of_name(cls, name: str) -> ExternalField:
        shown = KeyTransform(name, _COLUMN)
        return cls(
            name=EXTERNAL_PREFIX + name,
            label=name,
            kind=ExternalKind(),
            column=name,
            shown=shown,
        )


def is_name(name: str) -> bool:
    """Whether external data of this name can be asked for."""
    if not _NAME.fullmatch(normalize("NFC", name)):
        return False
    try:
        int(name)  # Databases take it for a position in a list.
    except ValueError:
        return True
    return False


def spellings(name: str) -> list[str]:
    """The keys that a name stands for."""
    return list(dict.fromkeys([name, normalize("NFC", name), normalise(name)]))


def stored_as(name: str, value: str) -> Q:
    """`is`, for one value. Raises ValidationError."""
    texts = [text_of(value)]
    return any_of([_is(key, texts) for key in spellings(name)])


def _test(key: str, qualifier: Qualifier, values: list[Any]) -> Q:
    if qualifier == Qualifier.IS_EMPTY:
        return Q(IsEmptyAt(_COLUMN, key))
    if qualifier == Qualifier.YES:
        return _is(key, ["true"])
    if qualifier in _ORDERS:
        return ordered(NumberAt(_COLUMN, key), qualifier, values)
    if qualifier in _TEXTS:
        return Q(text_lookup(qualifier)(TextAt(_COLUMN, key), values[0]))
    return _is(key, values)


def _values(text: str) -> list[str | int | Decimal | bool]:
    """The stored values that a text stands for."""
    if text in ("true", "false"):
        return [text, text == "true"]
    number = number_in(text)
    return [text] if number is None else [text, number]


def _is(key: str, texts: list[str]) -> Q:
    if connection.vendor == "postgresql":
        # It looks these up in the index of the column.
        values = [value for text in texts for value in _values(text)]
        return any_of([Q(external_data__contains={key: each}) for each in values])
    stored = KeyTransform(key, _COLUMN, output_field=JSONField(encoder=ExactEncoder))
    # SQLite reads null, lists and objects as their text.
    odd = [text for text in texts if text == "null" or text.startswith(("[", "{"))]
    plain = [value for text in texts if text not in odd for value in _values(text)]
    tests = []
    if plain:
        tests.append(Q(KeyTransformIn(stored, plain)))
    if odd:
        tests.append(Q(KeyTransformIn(stored, odd)) & Q(IsTextAt(_COLUMN, key)))
    return any_of(tests)
