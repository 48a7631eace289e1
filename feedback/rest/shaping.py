"""Which members of a row the caller wants: `fields=id,title`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer

from ..names import did_you_mean
from .problems import in_parameter, invalid

PARAMETER = "fields"
DESCRIPTION = "Only these members of each row, by their names with commas between them."


def names_of(row: BaseSerializer) -> list[str]:
    """The members that rows are shown with."""
    shown: Any = row
    fields: dict[str, Any] = shown.fields
    return [name for name, field in fields.items() if not field.write_only]


def chosen_fields(request: Request, known: Collection[str]) -> list[str] | None:
    """None without the parameter. Raises Problem."""
    given = request.query_params.getlist(PARAMETER)
    if not given:
        return None
    names = [name.strip() for name in ",".join(given).split(",")]
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None:
        hint = did_you_mean(unknown, known)
        problem = f"There is no member {unknown[:100]!a}.{hint}"
        raise invalid([in_parameter(PARAMETER, problem)])
    return names


def only(row: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: row[name] for name in row if name in names}
