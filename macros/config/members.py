"""How the settings of a row are read from, and named in, a document.

They are the fields that people set it up by, so that a new field of a model is a new
member without another line.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeAlias

from django.db import models

from ..models import Step
from ..tags.names import nearest
from .problems import Problems, member

# The most rows in one list, and in all lists of a document.
MAX_ROWS = 500
MAX_ROWS_IN_ALL = 2_000
_MAX_SHOWN = 60

Field: TypeAlias = "models.Field[Any, Any]"
Fields = Mapping[str, Field]


def settings_of(model: type[models.Model]) -> Fields:
    """The fields by name. The order of rows is that of their list."""
    fields = {field.name: field for field in model._meta.concrete_fields}
    if issubclass(model, Step):
        return {name: fields[name] for name in (*model.SETTINGS, "is_active")}
    return {
        name: field
        for name, field in fields.items()
        if field.editable
        and not (field.primary_key or field.is_relation or name == "position")
    }


def read_members(
    data: object,
    path: str,
    problems: Problems,
    *,
    fields: Fields,
    parts: Collection[str] = (),
) -> dict[str, object]:
    """The settings that are given and fit; `parts` are members read elsewhere."""
    if not isinstance(data, dict):
        problems.add(path, f"This must be a group of members, and is {_what(data)}.")
        return {}
    values = {}
    for name, value in data.items():
        if name in parts:
            continue
        if name not in fields:
            _add_unknown(name, path, problems, [*fields, *parts])
        elif problem := _misfit(fields[name], value):
            problems.add(member(path, name), problem)
        else:
            values[name] = value
    return values


def read_rows(
    data: object, name: str, path: str, problems: Problems
) -> Iterator[tuple[str, object]]:
    """The members of a list, each with its path."""
    rows = data.get(name, []) if isinstance(data, dict) else []
    where = member(path, name)
    if not isinstance(rows, list):
        problems.add(where, f"This must be a list, and is {_what(rows)}.")
        return
    if len(rows) > MAX_ROWS:
        problems.add(where, f"There are {len(rows)}, and at most {MAX_ROWS} are read.")
        return
    for number, row in enumerate(rows):
        yield f"{where}[{number}]", row


def rows_in(value: object) -> int:
    """How many rows are in all lists of a document, of whatever kind.

    Columns are none: all of a package or lookup are one value of its row.
    """
    if isinstance(value, dict):
        rows = (each for name, each in value.items() if name != "columns")
        return sum(map(rows_in, rows))
    if isinstance(value, list):
        return len(value) + sum(map(rows_in, value))
    return 0


def _add_unknown(
    name: str, path: str, problems: Problems, known: Collection[str]
) -> None:
    shown = name if len(name) <= _MAX_SHOWN else f"{name[:_MAX_SHOWN]}…"
    meant = nearest(name, known)
    problem = "Unknown member." + (f" Did you mean {meant}?" if meant else "")
    problems.add(member(path, shown), problem)


def _misfit(field: Field, value: object) -> str:
    """Why the value is not of the field's type, or an empty string."""
    if value is None and field.null:
        return ""
    for kinds, types, wanted in _TYPES:
        if isinstance(field, kinds):
            fits = isinstance(value, types)
            # To Python, true is a number.
            fits = fits and (types is bool or not isinstance(value, bool))
            return "" if fits else f"This must be {wanted}, and is {_what(value)}."
    return ""


_TYPES: list[tuple[tuple[type[models.Field[Any, Any]], ...], Any, str]] = [
    ((models.BooleanField,), bool, "true or false"),
    ((models.IntegerField,), int, "a whole number"),
    ((models.FloatField,), (int, float), "a number"),
    ((models.JSONField,), (list, dict), "a list or a group of members"),
    # Texts, and what is named in place of a number that only its database knows.
    ((models.Field,), str, "text"),
]


def _what(value: object) -> str:
    if value is None:
        return "empty"
    names: dict[type, str] = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "text",
        list: "a list",
        dict: "a group of members",
    }
    return names[type(value)]
