"""External data that a call brings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal

from feedback.changes import unit, write
from feedback.models import Feedback, Tester
from feedback.models.numbers import ExactEncoder
from feedback.texts import storable_in

from ..extraction.budget import ExtractionError
from ..extraction.values import ValueType, convert
from ..models import InboundEvent
from .compiled import Action
from .events import shown

# Bytes of one subject's external data, as JSON.
MAX_DATA = 65_536
_COLUMNS = ("external_data", "external_provenance")


class ExternalValues:
    """Writes values to one ticket or tester, and keeps where they are from."""

    def __init__(
        self, record: Feedback | Tester, event: InboundEvent, listener: str
    ) -> None:
        self.record = record
        self.event = event
        self.listener = listener

    def write(self, values: Mapping[str, object], action: Action) -> list[str]:
        """What differs then, in sentences. Raises ValueError, with a sentence."""
        model, pk = type(self.record), self.record.pk
        taken = {name: _typed(name, value) for name, value in values.items()}
        with unit() as opened:
            stored = opened.lock(model, [pk], _COLUMNS)[pk]
            data, provenance = (dict(stored[name]) for name in _COLUMNS)
            notes = []
            for name, value in taken.items():
                if value is None:
                    continue
                before = data.get(name)
                if name in data and before == value and type(before) is type(value):
                    continue
                data[name] = value
                provenance[name] = self._origin(action.values[name].source)
                notes.append(f"{name} is {shown(value)} now.")
            text = json.dumps(data, cls=ExactEncoder, ensure_ascii=False)
            if notes and len(text.encode()) > MAX_DATA:
                raise ValueError(
                    f"The external data would be longer than {MAX_DATA:,} bytes."
                )
            if notes:
                columns = dict(zip(_COLUMNS, (data, provenance), strict=True))
                write(model, {pk: columns})
        return notes

    def _origin(self, source: str) -> dict[str, object]:
        return {
            "listener": self.listener,
            "call": self.event.call_id,
            "at": self.event.created_at.isoformat(),
            "source": source[:500],
        }


def _typed(name: str, value: object) -> object:
    """A value in its own type, as external data has them; None for nothing."""
    if value is None or value == "" or value == []:
        return None
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool):
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
