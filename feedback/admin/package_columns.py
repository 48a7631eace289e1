"""The columns of a data package as a list in a form: ticked, and in order.

Without scripts each has a number for its position; `ordered.js` moves them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from ..console.ordered import in_order
from ..packages.columns import EXTERNAL_TYPES, Column, ColumnCatalogue
from ..packages.values import ColumnType
from ..selection.external import EXTERNAL_PREFIX
from ..texts import NUMBER

# Rows for names of external data that are typed.
SPARE = 3
_MAX_GIVEN = 1_000

Kept = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Entry:
    key: str
    label: str
    note: str
    is_chosen: bool
    is_gone: bool = False


class ColumnsWidget(forms.Widget):
    """`catalogue` is that of the package's owner."""

    template_name = "admin/feedback/datapackage/columns.html"
    catalogue: ColumnCatalogue | None = None
    external_names: Sequence[str] = ()

    def render(
        self,
        name: str,
        value: Any,
        attrs: dict[str, Any] | None = None,
        renderer: Any = None,
    ) -> SafeString:
        kept = value if isinstance(value, list) else []
        context = {
            "name": name,
            "entries": self._entries([each for each in kept if each]),
            "spare": range(SPARE if self._has_external else 0),
            "types": [(str(each), each.label) for each in EXTERNAL_TYPES],
        }
        return render_to_string(self.template_name, context)

    def value_from_datadict(
        self, data: Mapping[str, Any], files: Any, name: str
    ) -> Kept:
        given: Any = data
        keys = [str(each) for each in given.getlist(name)][:_MAX_GIVEN]

        def position_of(key: str) -> int | None:
            text = str(data.get(f"{name}-position-{key}", ""))
            return int(text) if NUMBER.fullmatch(text) and len(text) < 9 else None

        kept = [_kept(key) for key in in_order(keys, position_of)]
        for number in range(SPARE):
            external = str(data.get(f"{name}-external-{number}", "")).strip()
            kind = str(data.get(f"{name}-type-{number}", ""))
            if external:
                external = external.removeprefix(EXTERNAL_PREFIX)
                kept.append({"name": EXTERNAL_PREFIX + external, "type": kind})
        return kept

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    @property
    def _has_external(self) -> bool:
        return self.catalogue is not None and self.catalogue.catalogue is not None

    def _entries(self, kept: Iterable[Mapping[str, str]]) -> list[Entry]:
        """What is chosen in its order, then what could be."""
        assert self.catalogue is not None  # noqa: S101 - the form has set it
        entries: dict[str, Entry] = {}
        for each in kept:
            name, kind = str(each.get("name", "")), str(each.get("type", ""))
            column = self.catalogue.find(name, kind)
            entry = _gone(name, kind) if column is None else _entry(column, True)
            entries[entry.key] = entry
        for column in self._offered():
            entries.setdefault(_key(column.name, column.type), _entry(column, False))
        return [*entries.values()]

    def _offered(self) -> Iterable[Column]:
        assert self.catalogue is not None  # noqa: S101 - the form has set it
        yield from self.catalogue.columns
        for each in self.external_names:
            column = self.catalogue.find(EXTERNAL_PREFIX + each)
            if column is not None:
                yield column


def _key(name: str, kind: str) -> str:
    return f"{kind}:{name}"


def _kept(key: str) -> dict[str, str]:
    kind, _, name = key.partition(":")
    return {"name": name, "type": kind}


def _entry(column: Column, is_chosen: bool) -> Entry:
    note = f"{column.name}, {column.type.label.lower()}"
    label = f"{column.group}: {column.label}"
    if column.label.startswith(column.group):
        label = column.label
    return Entry(_key(column.name, column.type), label, note, is_chosen)


def _gone(name: str, kind: str) -> Entry:
    label = ColumnType(kind).label.lower() if kind in ColumnType else "no type"
    note = f"{name}, {label}"
    return Entry(_key(name, kind), "Lost: take it away", note, True, is_gone=True)


class ColumnsField(forms.JSONField):
    """What the widget gives is plain data already."""

    widget = ColumnsWidget

    def to_python(self, value: Any) -> Any:
        return value

    def prepare_value(self, value: Any) -> Any:
        return value

    def bound_data(self, data: Any, initial: Any) -> Any:
        return data

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(initial != data)
