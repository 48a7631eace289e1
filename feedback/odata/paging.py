"""Pages of rows in any order: the next one begins behind the last row of this one.

Rows that come or go meanwhile shift nothing, and rows that share all values are told
apart by their keys.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.core import signing
from django.db.models import F, Q
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    IsNull,
    LessThan,
    LessThanOrEqual,
)

from ..selection.keyset import all_behind
from ..selection.kinds import any_of
from .errors import OptionRefused
from .operands import MOMENT, NUMBER, Operand
from .options import SKIP_TOKEN

_SALT = "odata.skiptoken"


@dataclass(frozen=True)
class Position:
    """The last row of a page: its values in order, and its key.

    `left` is how many rows more were asked for; None for all.
    """

    values: list[Any]
    key: int
    left: int | None = None

    @classmethod
    def at(cls, values: Sequence[Any], key: int) -> Position:
        return cls([_written(each) for each in values], key)


@dataclass(frozen=True)
class Sorting:
    """The order of a query; the key is the last of it."""

    parts: Sequence[tuple[Operand, bool]]

    def order_by(self) -> list[Any]:
        """Null comes before every value, and behind them where it is descending.

        Nothing is said of null where there is none: an index would not be taken then.
        """
        return [*(_order(*part) for part in self.parts), "pk"]

    def behind(self, position: Position) -> Q:
        """The rows that come later."""
        if all(operand.is_there and not is_down for operand, is_down in self.parts):
            operands = [operand for operand, _ in self.parts]
            columns = [*(each.expression for each in operands), F("pk")]
            values = [*map(_read, operands, position.values), position.key]
            return all_behind(columns, values, is_descending=False)
        steps: list[Q] = []
        before = Q()
        for (operand, is_descending), value in zip(
            self.parts, position.values, strict=True
        ):
            read = _read(operand, value)
            later = _later(operand, read, is_descending)
            if later is not None:
                steps.append(before & later)
            before &= _same(operand.expression, read)
        return self._bound(position) & any_of([*steps, before & Q(pk__gt=position.key)])

    def _bound(self, position: Position) -> Q:
        """What the rest says too, in the form in which an index is searched by it."""
        if not self.parts or position.values[0] is None:
            return Q()
        operand, is_descending = self.parts[0]
        value = _read(operand, position.values[0])
        if not is_descending:
            return Q(GreaterThanOrEqual(operand.expression, value))
        below = Q(LessThanOrEqual(operand.expression, value))
        return below if operand.is_there else Q()


def _order(operand: Operand, is_descending: bool) -> Any:
    value = operand.expression
    if operand.is_there:
        return value.desc() if is_descending else value.asc()
    return value.desc(nulls_last=True) if is_descending else value.asc(nulls_first=True)


def _later(operand: Operand, value: Any, is_descending: bool) -> Q | None:
    expression = operand.expression
    if value is None:
        return None if is_descending else Q(IsNull(expression, False))
    if is_descending and operand.is_there:
        return Q(LessThan(expression, value))
    if is_descending:
        return Q(LessThan(expression, value)) | Q(IsNull(expression, True))
    return Q(GreaterThan(expression, value))


def _same(expression: Any, value: Any) -> Q:
    if value is None:
        return Q(IsNull(expression, True))
    return Q(Exact(expression, value))


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Decimal | float):
        return str(value) if isinstance(value, Decimal) else repr(value)
    return value


def _read(operand: Operand, value: Any) -> Any:
    if value is None:
        return None
    if operand.type == MOMENT:
        return datetime.fromisoformat(value)
    # A whole number stays one: SQLite would round a decimal of more than 15 digits.
    is_text = operand.type == NUMBER and isinstance(value, str)
    return Decimal(value) if is_text else value


def sign(position: Position, query: Sequence[object], begun: datetime) -> str:
    """A token that works for this query alone, whose first page was of this moment."""
    at = [position.values, position.key, position.left]
    signed = [*at, _digest(query), begun.isoformat()]
    return signing.dumps(signed, salt=_SALT, compress=True)


def unsign(token: str, query: Sequence[object]) -> Position:
    """Raises OptionRefused."""
    values, key, left, digest, _ = _signed(token)
    if digest != _digest(query):
        problem = "It is of another query, or the package has changed. Begin anew."
        raise OptionRefused(SKIP_TOKEN, problem)
    return Position(values, key, left)


def begun_at(token: str) -> datetime:
    """When the first page was made: on all pages, rows are as old as they were then.

    Otherwise those that grow older meanwhile would be passed over. Raises
    OptionRefused.
    """
    return datetime.fromisoformat(_signed(token)[-1])


def _signed(token: str) -> list[Any]:
    try:
        values, key, left, digest, begun = signing.loads(token, salt=_SALT)
    except (signing.BadSignature, ValueError):
        problem = "It is not ours. Follow the address in @odata.nextLink as it is."
        raise OptionRefused(SKIP_TOKEN, problem) from None
    return [values, key, left, digest, begun]


def _digest(query: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(query).encode()).hexdigest()[:32]
