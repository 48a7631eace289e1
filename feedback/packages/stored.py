"""Values in a JSON column, of one type each, as PostgreSQL and SQLite find them."""

from __future__ import annotations

from django.db.models import BooleanField, TextField

from ..selection.stored import NumberAt, StoredValue, TextAt
from .values import DATE, ColumnType

_IS_DATE = DATE.replace("{", "{{").replace("}", "}}")


class AnyTextAt(StoredValue):
    """A text as it is, and anything else as JSON; null is missing."""

    output_field = TextField()
    sqlite = (
        "CASE {type} WHEN 'null' THEN NULL WHEN 'true' THEN 'true'"
        " WHEN 'false' THEN 'false' ELSE CAST({text} AS TEXT) END"
    )
    postgresql = "{text}"


class DateAt(StoredValue):
    output_field = TextField()
    sqlite = (
        f"CASE WHEN {{type}} = 'text' AND {{text}} REGEXP '{_IS_DATE}'"
        " THEN {text} END"
    )
    postgresql = (
        f"CASE WHEN {{type}} = 'string' AND {{text}} ~ '{_IS_DATE}' THEN {{text}} END"
    )


class TruthAt(StoredValue):
    """Unlike in a condition, what is missing is not no."""

    output_field = BooleanField()
    sqlite = "CASE WHEN {type} IN ('true', 'false') THEN {text} END"
    postgresql = "CASE WHEN {type} = 'boolean' THEN {text}::boolean END"


class ListAt(StoredValue):
    """A list with something in it, as JSON."""

    output_field = TextField()
    sqlite = "CASE WHEN {type} = 'array' AND {text} <> '[]' THEN {text} END"
    postgresql = "CASE WHEN {type} = 'array' AND {value} <> '[]'::jsonb THEN {text} END"


AT: dict[str, type[StoredValue]] = {
    ColumnType.TEXT: TextAt,
    ColumnType.NUMBER: NumberAt,
    ColumnType.BOOLEAN: TruthAt,
    ColumnType.DATE: DateAt,
    ColumnType.LIST: ListAt,
}
