"""External data that a call brings."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from feedback.changes import unit, write
from feedback.models import Feedback, Tester
from feedback.sources.external import COLUMNS, columns_with
from feedback.sources.faults import Faults
from feedback.texts import storable_in

from ..extraction.budget import ExtractionError
from ..extraction.values import ValueType, convert
from .events import shown


def store(
    record: Feedback | Tester, values: Mapping[str, object], source: str
) -> list[str]:
    """Write values under their names, and say what differs then, in sentences.

    What the call does not have stays as it is; `source` says what set the others.
    Raises ValueError, with a sentence.
    """
    typed = {name: _typed(name, value) for name, value in values.items()}
    given = {name: value for name, value in typed.items() if value is not None}
    model, pk = type(record), record.pk
    with unit() as opened:
        stored = opened.lock(model, [pk], COLUMNS)[pk]
        faults = Faults()
        columns = columns_with(stored, given, source, faults, "external")
        if faults:
            raise ValueError(" ".join(each.sentence for each in faults))
        if not columns:
            return []
        write(model, {pk: columns})
    before, after = stored[COLUMNS[1]], columns[COLUMNS[1]]
    changed = (name for name in given if before.get(name) != after[name])
    return [f"{name} is {shown(given[name])} now." for name in changed]


def _typed(name: str, value: object) -> object:
    """A value in its own type, as external data has them; None for nothing."""
    if value is None or value == "" or value == []:
        return None
    if isinstance(value, (bool, Decimal)):
        return value
    kind = ValueType.TEXT
    if isinstance(value, (int, float)):
        kind = ValueType.NUMBER
    elif isinstance(value, (list, tuple)):
        kind = ValueType.LIST
        value = list(value)
    try:
        return storable_in(convert(value, kind))
    except ExtractionError as error:
        raise ValueError(f"{name} {error}.") from None
