"""What the page of a data package shows beside its form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime

from ..models import DataPackage, PackageFormat, Snapshot, SnapshotState
from ..packages import snapshots
from ..packages.addresses import odata_url_of, url_of
from ..packages.tables import PackageBroken, Table, opened
from ..packages.values import Value
from ..sources.members import KEY_PARAMETER
from .columns import in_cell

# The first rows, as they are read.
SHOWN_ROWS = 5
_SHOWN_LETTERS = 120
KEY = "YOUR-API-KEY"
_COLOURS: dict[str, str] = {
    SnapshotState.WAITING: "waiting",
    SnapshotState.MAKING: "info",
    SnapshotState.READY: "good",
    SnapshotState.FAILED: "bad",
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """What somebody who uses a tool copies into it."""

    tool: str
    name: str
    note: str
    text: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A snapshot as the page names it."""

    snapshot: Snapshot
    meaning: str


def described(package: DataPackage) -> dict[str, Any]:
    context: dict[str, Any] = {
        "urls": [(form.upper(), url_of(package, form)) for form in package.formats],
        "schema_url": url_of(package),
        "recipes": recipes(package),
        "broken": [],
        "preview": None,
    }
    if not package.is_live:
        rows = package.snapshots.all()[: snapshots.KEPT * 2 + 1]
        context["snapshots"] = [Shown(row, _COLOURS[row.state]) for row in rows]
    try:
        context["preview"] = preview(opened(package))
    except PackageBroken as broken:
        context["broken"] = [each.sentence for each in broken.faults]
    return context


def preview(table: Table) -> dict[str, Any]:
    rows = [list(map(_cell, row)) for _, row in table.first(SHOWN_ROWS).values()]
    return {"columns": table.columns, "rows": rows}


def _cell(value: Value) -> str:
    if isinstance(value, datetime):
        return date_format(localtime(value), "j M Y, H:i")
    text = in_cell(value)
    return f"{text[:_SHOWN_LETTERS]}..." if len(text) > _SHOWN_LETTERS else text


def recipes(package: DataPackage) -> list[Recipe]:
    form = package.formats[0]
    url, odata = url_of(package, form), odata_url_of(package)
    with_key = f"{url}?{KEY_PARAMETER}={KEY}"
    basic = "Sign in by Basic: any user name, and the API key as the password."
    every = [
        Recipe("Power BI", "power-bi", f"Get data, OData feed. {basic}", odata),
        Recipe("Tableau", "tableau", f"To a Server, OData. {basic}", odata),
        Recipe("curl", "curl", "", f'curl -H "Authorization: Bearer {KEY}" "{url}"'),
        Recipe("pandas", "pandas", "", _pandas(url, form)),
        Recipe("DuckDB", "duckdb", "", _duckdb(url, form)),
    ]
    if form == PackageFormat.CSV:
        every = [
            Recipe("Excel", "excel", f"Data, From Web. {basic}", url),
            Recipe(
                "Google Sheets",
                "sheets",
                "In a cell. Whoever can see the sheet can read the key: give it a key"
                " for this project only, with the scope data only.",
                f'=IMPORTDATA("{with_key}")',
            ),
            *every,
        ]
    return every


_READERS: dict[str, tuple[str, str]] = {
    PackageFormat.CSV: ("read_csv(URL", "read_csv"),
    PackageFormat.JSON: ("read_json(URL", "read_json"),
    PackageFormat.NDJSON: ("read_json(URL, lines=True", "read_json"),
    PackageFormat.PARQUET: ("read_parquet(URL", "read_parquet"),
}


def _pandas(url: str, form: str) -> str:
    return (
        "import pandas\n\n"
        f'URL = "{url}"\n'
        f'headers = {{"Authorization": "Bearer {KEY}"}}\n'
        f"table = pandas.{_READERS[form][0]}, storage_options=headers)"
    )


def _duckdb(url: str, form: str) -> str:
    secret = f"TYPE http, BEARER_TOKEN '{KEY}', SCOPE '{url}'"
    return (
        f"CREATE SECRET centerhook ({secret});\n"
        f"SELECT * FROM {_READERS[form][1]}('{url}');"
    )
