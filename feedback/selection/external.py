"""Conditions on external data, which has the types that JSON has.

`external_<name>=3` is true of the number 3, however it is written (3, 3.0), and of the
text "3"; `external_<name>=true` of the truth value and of the text "true". Nothing else
is like its text: neither a list, nor an object, nor null.

`has_external_<name>=false` is true where there is no value: the name is missing, or
holds null or an empty text.

A name stands for itself and for its normalised form: `Jira key` for `jira_key` as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from unicodedata import normalize

from django.core.exceptions import ValidationError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import JSONField, Q, TextField, Value
from django.db.models.fields.json import KeyTextTransform, KeyTransform, KeyTransformIn
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact, In
from django.db.models.sql.compiler import SQLCompiler

from ..models.numbers import ExactDecoder, ExactEncoder
from ..names import normalise
from .conditions import ConditionField, ConditionFilter

EXTERNAL_PREFIX = "external_"
PRESENCE_PREFIX = "has_external_"
_COLUMN = "external_data"
_NAME = re.compile(r"\w[\w ._-]{0,99}")
# As JSON writes them (RFC 8259, section 6).
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
# Beyond, one of the databases compares approximations, and nothing is this number.
_MAX = {int: 2**63 - 1, Decimal: 2**53}


class JSONType(KeyTransform):
    """The JSON type of the value under a key, as the database names it."""

    output_field = TextField()

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, tuple[str | int, ...]]:
        column, params, _ = self.preprocess_lhs(compiler, connection)
        return f"JSON_TYPE({column}, %s)", (*params, f"$.{json.dumps(self.key_name)}")

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[str | int, ...]]:
        sql, params = super().as_postgresql(compiler, connection)
        return f"jsonb_typeof({sql})", params


class NamedField(ConditionField):
    """About external data of a name."""

    def __init__(self, *, name: str, **options: Any) -> None:
        spellings = [name, normalize("NFC", name), normalise(name)]
        self.keys = list(dict.fromkeys(spellings))
        super().__init__(**options)


class ExternalField(NamedField):
    """The value is what the text says."""

    def condition(self, text: str) -> Q:
        return Q(*(_is(key, text) for key in self.keys), _connector=Q.OR)


class ExternalFilter(ConditionFilter):
    field_class = ExternalField


class PresenceField(NamedField):
    """There is a value, or there is none."""

    def condition(self, text: str) -> Q:
        if text not in ("true", "false"):
            raise ValidationError("Give one of: true, false.")
        empty = Q(*(_is_empty(key) for key in self.keys))
        return empty if text == "false" else ~empty


class PresenceFilter(ConditionFilter):
    field_class = PresenceField


def is_name(name: str) -> bool:
    """Whether external data of this name can be asked for."""
    if not _NAME.fullmatch(normalize("NFC", name)):
        return False
    try:
        int(name)  # Databases take it for a position in a list.
    except ValueError:
        return True
    return False


def external_conditions(names: Iterable[str]) -> dict[str, ConditionFilter]:
    """The conditions on external data among these parameters, by parameter."""
    conditions: dict[str, ConditionFilter] = {}
    for parameter in names:
        presence = parameter.removeprefix(PRESENCE_PREFIX)
        name = parameter.removeprefix(EXTERNAL_PREFIX)
        if presence != parameter and is_name(presence):
            conditions[parameter] = PresenceFilter(
                name=presence, title=f"has {presence}"
            )
        elif name != parameter and is_name(name):
            conditions[parameter] = ExternalFilter(name=name, title=name)
    return conditions


def _values(text: str) -> list[str | int | Decimal | bool]:
    """The stored values that a text stands for."""
    if text in ("true", "false"):
        return [text, text == "true"]
    number = json.loads(text, cls=ExactDecoder) if _NUMBER.fullmatch(text) else None
    if number is None:
        return [text]
    # A Decimal rounds its size, or overflows.
    near = number if isinstance(number, int) else float(number)
    if abs(near) > _MAX[type(number)]:
        return [text]
    # What is too small for a float would be written with zeros without end.
    return [text, number if near else 0]


def _is(key: str, text: str) -> Q:
    stored = KeyTransform(key, _COLUMN, output_field=JSONField(encoder=ExactEncoder))
    same = Q(KeyTransformIn(stored, _values(text)))
    if text == "null" or text.startswith(("[", "{")):
        # SQLite reads null, lists and objects as their text.
        same &= Q(In(JSONType(key, _COLUMN), ["text", "string"]))
    return same


def _is_null(key: str) -> Q:
    """Whether the key is missing or holds null: true or false, never unknown."""
    return Q(Exact(_text_or("null", JSONType(key, _COLUMN)), "null"))


def _is_empty(key: str) -> Q:
    return _is_null(key) | Q(Exact(_text_or("", KeyTextTransform(key, _COLUMN)), ""))


def _text_or(default: str, text: KeyTransform) -> Coalesce:
    return Coalesce(text, Value(default), output_field=TextField())
