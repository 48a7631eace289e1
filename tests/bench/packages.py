"""Data packages of 1,000,000 tickets: their rate beside a bare COPY, and the memory."""

from __future__ import annotations

import os
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from . import odata, rows
from .ground import Ground, say
from .processes import peak_memory_mb, reset_peak_memory
from .report import Figure, Row

if TYPE_CHECKING:
    from feedback.models import DataPackage
    from feedback.packages.tables import Table

_ROUNDS = 3
_RATE, _PEAK = "package_csv_vs_copy", "package_peak_mb"
_PARQUET = "package_parquet_peak_mb"
ROWS: tuple[Row, ...] = (
    ("CSV over HTTP / bare COPY, rate", _RATE, "x"),
    ("CSV over HTTP", "package_csv_rows_per_second", "/s"),
    ("NDJSON over HTTP", "package_ndjson_rows_per_second", "/s"),
    ("Memory added by them", _PEAK, "MB"),
    ("Parquet, made in a job", "package_parquet_rows_per_second", "/s"),
    ("Memory of the process by then", _PARQUET, "MB"),
    ("A page of 1,000 rows as OData, slowest", odata.KEY, "ms"),
)
_COLUMNS = (
    *("id", "number", "reference", "title", "status", "visibility"),
    *("created", "modified", "submitter_email", "field_severity", "field_impact"),
    "external_jira_key",
)


def run(ground: Ground, tickets: int) -> dict[str, Figure]:
    from django.conf import settings
    from django.test import Client

    from feedback.packages.tables import opened
    from tests import factories

    # The rate is what is asked, however busy the machine is.
    settings.QUERY_DEADLINE, settings.API_PER_MINUTE = 600.0, 1_000_000
    of = rows.seed(tickets)
    package = factories.package(of, *_COLUMNS)
    _, token = factories.api_key(of.project.community, scope_data=True)
    reader = Client(headers={"host": "localhost", "authorization": f"Bearer {token}"})
    table = opened(package)
    figures: dict[str, Figure] = {}
    _read(reader, package, "csv")
    before = _begin()
    seconds: dict[str, list[float]] = {"bare": [], "csv": [], "ndjson": []}
    for _ in range(_ROUNDS):
        seconds["bare"].append(_timed(lambda: _bare(table)))
        for form in ("csv", "ndjson"):
            seconds[form].append(_timed(lambda form=form: _read(reader, package, form)))
    figures[_PEAK] = peak_memory_mb(os.getpid()) - before
    pairs = zip(seconds["bare"], seconds["csv"], strict=True)
    figures[_RATE] = median(bare / ours for bare, ours in pairs)
    for form in ("csv", "ndjson"):
        figures[f"package_{form}_rows_per_second"] = tickets / median(seconds[form])
    figures |= _parquet(package, tickets)
    return figures | {odata.KEY: odata.page_ms(of)}


def _parquet(package: DataPackage, tickets: int) -> dict[str, Figure]:
    from feedback.models import Snapshot
    from feedback.packages import snapshots

    package.format, package.refresh_every = "parquet", 60
    package.full_clean()
    package.save()
    snapshots.begin(package)
    made = Snapshot.objects.get()
    _begin()
    taken = _timed(lambda: snapshots.work(made.pk))
    peak = peak_memory_mb(os.getpid())
    made.refresh_from_db()
    if made.rows != tickets:
        raise RuntimeError(f"{made.rows} rows: {made.problem}")
    say(f"parquet: {made.size / 1e6:,.0f} MB in {taken:.1f} s")
    return {_PARQUET: peak, "package_parquet_rows_per_second": tickets / taken}


def _begin() -> float:
    """The memory of this process now; its peak is counted from here."""
    reset_peak_memory(os.getpid())
    return peak_memory_mb(os.getpid())


def _timed(act: Any) -> float:
    begun = time.monotonic()
    size = act()
    taken = time.monotonic() - begun
    say(f"{taken:6.2f} s  {size or 0:,} bytes")
    return taken


def _bare(table: Table) -> int:
    """The same columns of the same rows, as PostgreSQL gives them."""
    from django.db import connection

    columns = table.rows.values_list(*(each.expression for each in table.columns))
    operations: Any = connection.ops
    select = operations.compose_sql(*columns.query.sql_with_params())
    size = 0
    bare: Any = f"COPY ({select}) TO STDOUT (FORMAT csv)"
    with connection.cursor() as cursor, cursor.copy(bare) as copy:
        for line in copy:
            size += len(line)
    return size


def _read(reader: Any, package: DataPackage, form: str) -> int:
    response = reader.get(f"/data/{package.community_id}/{package.key}.{form}")
    if response.status_code != 200:
        raise RuntimeError(response.content.decode()[:500])
    size = sum(map(len, response.streaming_content))
    response.close()
    return size
