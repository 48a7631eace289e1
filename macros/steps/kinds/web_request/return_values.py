"""The table in which the return values of a web request are written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from ....extraction import MAX_ROWS, Source, ValueType, When, is_blank

Row = dict[str, str | bool]

# Empty rows beyond those that are filled in.
SPARE = 3

SOURCES = {
    Source.JSON: "JSON body",
    Source.HEADER: "Header",
    Source.STATUS: "Status code",
    Source.TEXT: "Text of the body",
}
TYPES = {
    ValueType.TEXT: "Text",
    ValueType.NUMBER: "Number",
    ValueType.BOOLEAN: "True or false",
    ValueType.DATE: "Date",
    ValueType.LIST: "List",
}
WHENS = {When.SUCCESS: "On success", When.ALWAYS: "Always"}
_CHOICES: dict[
    str, Mapping[Source, str] | Mapping[ValueType, str] | Mapping[When, str]
] = {
    "source": SOURCES,
    "type": TYPES,
    "when": WHENS,
}
_TEXTS = ("name", "expression")


class ReturnValuesWidget(forms.Widget):
    """A row for each return value, and some that are empty."""

    template_name = "admin/macros/return_values.html"

    def render(
        self,
        name: str,
        value: Any,
        attrs: dict[str, Any] | None = None,
        renderer: object = None,
    ) -> SafeString:
        # Forms have a renderer of their own, which does not know our templates.
        return render_to_string(
            self.template_name, self.get_context(name, value, attrs)
        )

    def get_context(
        self, name: str, value: Any, attrs: dict[str, Any] | None
    ) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        given = [row for row in value or [] if isinstance(row, Mapping)]
        count = min(len(given) + SPARE, max(MAX_ROWS, len(given)))
        rows = [*given, *({} for _ in range(count - len(given)))]
        context["rows"] = [_cells(name, n, row) for n, row in enumerate(rows)]
        return context

    def format_value(self, value: object) -> None:
        """Rows are not a text."""

    def value_from_datadict(
        self, data: Mapping[str, Any], files: object, name: str
    ) -> list[Row]:
        """The rows in which anything is written, in their order."""
        named = re.compile(re.escape(name) + r"-(\d{1,3})-name").fullmatch
        numbers = sorted(int(match[1]) for match in map(named, data) if match)
        rows = (_row(data, f"{name}-{number}") for number in numbers)
        return [row for row in rows if not is_blank(row)]

    def value_omitted_from_data(
        self, data: Mapping[str, Any], files: object, name: str
    ) -> bool:
        return not any(key.startswith(f"{name}-") for key in data)


class ReturnValuesField(forms.Field):
    """The rows as they are written; the web request checks them."""

    widget = ReturnValuesWidget

    def has_changed(self, initial: object, data: object) -> bool:
        return bool((initial or []) != (data or []))


def _row(data: Mapping[str, str], prefix: str) -> Row:
    row: Row = {
        member: data.get(f"{prefix}-{member}", "") for member in (*_TEXTS, *_CHOICES)
    }
    row["required"] = f"{prefix}-required" in data
    return row


def _cells(name: str, number: int, row: Mapping[str, object]) -> dict[str, object]:
    selects = {
        member: [
            (str(value), label, str(value) == row.get(member))
            for value, label in labels.items()
        ]
        for member, labels in _CHOICES.items()
    }
    texts = {member: row.get(member, "") for member in _TEXTS}
    return {
        "prefix": f"{name}-{number}",
        "number": number + 1,
        "required": row.get("required") is True,
        **selects,
        **texts,
    }
