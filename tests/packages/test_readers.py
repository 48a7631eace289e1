"""Packages as others read them over HTTP: every value and type as the database has it.

DuckDB's own way to read over HTTP is an extension that has to be fetched, so it gets
the bytes that requests has read.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas
import pytest
import requests
from odata.service import ODataService
from pytest_django.live_server_helper import LiveServer
from requests.auth import HTTPBasicAuth

from feedback.models import DataPackage, Feedback, FeedbackType, Tester
from feedback.packages import snapshots
from tests import factories
from tests.api.callers import issue_key

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.pages]

COLUMNS = {
    "id": "BIGINT",
    "reference": "VARCHAR",
    "title": "VARCHAR",
    "description": "VARCHAR",
    "status": "VARCHAR",
    "open": "BOOLEAN",
    "created": "TIMESTAMPTZ",
    "comments": "BIGINT",
    "submitter_email": "VARCHAR",
    "submitter_score": "BIGINT",
    "field_severity": "VARCHAR",
    "field_platform": "VARCHAR[]",
    "field_reproducible": "BOOLEAN",
    "field_impact": "DECIMAL(38, 8)",
    "field_found_on": "DATE",
    "field_app_version": "VARCHAR",
    "external_crm": "VARCHAR",
}
TEXTS = [
    *("plain", "a,b;c\td", 'say "hi", he said', "two\nlines\n\nmore", "  spaced  "),
    *("=1+1", "-5", "+49 30", "@all", "'quoted", "007", "1e5", "1.0", "0x1F"),
    *("null", "NULL", "NaN", "N/A", "true", "2026-11-23", "[1, 2]", '{"a": 1}'),
    *("\U0001f600 gr\u00fcn", "\u0441\u043b\u043e\u0432\u043e", "\u4f60\u597d", "\\"),
]
NUMBERS = ["0", "-1", "2.5", "0.1", "-0.00000001", "123456789.345678"]
CHOICES = [["iOS"], ["Android", "Gr\u00fcn"], None]


@pytest.fixture
def bugs() -> FeedbackType:
    made = factories.feedback_type()
    made.form_fields.filter(key="platform").update(choices="Android\niOS\nGr\u00fcn")
    for number, text in enumerate(TEXTS):
        impact = Decimal(NUMBERS[number % len(NUMBERS)])
        values = {
            "severity": ["Minor", "Critical", None][number % 3],
            "platform": CHOICES[number % 3],
            "reproducible": [True, False, None][number % 3],
            "impact": None if number % 7 == 6 else impact,
            "found_on": [f"2026-02-{number % 28 + 1:02}", None][number % 2],
            "app_version": text if number % 2 else None,
        }
        given = {name: value for name, value in values.items() if value is not None}
        made_ticket = factories.ticket(
            made,
            title=text,
            description=["", text][number % 2],
            status=[*made.statuses.all(), None][number % 3],
            submitter=factories.tester(made) if number % 2 else None,
            form_values=given,
            external_data={"crm": text} if number % 2 else {},
        )
        moment = datetime(2026, 11, 26, 9, 30, 0, number, tzinfo=UTC)
        Feedback.objects.filter(pk=made_ticket.pk).update(
            created_at=moment, status=[*made.statuses.all(), None][number % 3]
        )
    Tester.objects.update(score=-7)
    return made


@pytest.fixture
def token(bugs: FeedbackType) -> str:
    return issue_key(bugs, scope_run=False, scope_data=True)


@pytest.fixture
def package(bugs: FeedbackType, live_server: LiveServer, settings: Any) -> DataPackage:
    settings.BASE_URL = live_server.url
    return factories.package(bugs, *COLUMNS, key="bugs", guards_formulas=False)


@pytest.fixture
def url(package: DataPackage, live_server: LiveServer) -> str:
    return f"{live_server.url}/data/{package.community_id}/{package.key}"


def in_database() -> list[dict[str, Any]]:
    """What there is, from the models and past all of packages."""
    rows = Feedback.objects.select_related("status", "submitter").order_by("pk")
    return [_in_database(each) for each in rows]


def _in_database(ticket: Feedback) -> dict[str, Any]:
    form, status, submitter = ticket.form_values, ticket.status, ticket.submitter
    found_on = form.get("found_on")
    return {
        "id": ticket.pk,
        "reference": ticket.reference,
        "title": ticket.title,
        "description": ticket.description,
        "status": status.name if status else None,
        "open": status.is_open if status else None,
        "created": ticket.created_at,
        "comments": ticket.comments.count(),
        "submitter_email": submitter.email if submitter else None,
        "submitter_score": submitter.score if submitter else None,
        "field_severity": form.get("severity"),
        "field_platform": form.get("platform"),
        "field_reproducible": form.get("reproducible"),
        "field_impact": form.get("impact"),
        "field_found_on": date.fromisoformat(found_on) if found_on else None,
        "field_app_version": form.get("app_version"),
        "external_crm": ticket.external_data.get("crm"),
    }


def same(
    read: list[dict[str, Any]], numbers: tuple[type, ...] = (int, Decimal)
) -> None:
    """Each value, and that it is of the very type; `numbers` are those of fractions."""
    expected = in_database()
    assert len(read) == len(expected) == len(TEXTS)
    for row, stored in zip(read, expected, strict=True):
        assert list(row) == list(COLUMNS)
        for name, value in stored.items():
            is_number = name == "field_impact" and value is not None
            kind = numbers if is_number else type(value)
            # Parquet has the float that is nearest.
            nearest = is_number and numbers == (float,)
            wanted = float(value) if nearest else value
            assert row[name] == wanted, (name, row[name], value)
            assert isinstance(row[name], kind), (name, row[name])


def fetched(url: str, token: str, folder: Path) -> str:
    response = requests.get(url, auth=HTTPBasicAuth("duckdb", token), timeout=30)
    assert response.status_code == 200, response.text
    path = folder / url.rpartition("/")[2]
    path.write_bytes(response.content)
    return str(path)


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        made.execute("SET TimeZone = 'UTC'")
        yield made


def rows_of(relation: Any) -> list[dict[str, Any]]:
    names = [each[0] for each in relation.description]
    return [dict(zip(names, row, strict=True)) for row in relation.fetchall()]


def test_duckdb_reads_csv(
    url: str, token: str, tmp_path: Path, database: duckdb.DuckDBPyConnection
) -> None:
    file = fetched(f"{url}.csv", token, tmp_path)
    columns = {**COLUMNS, "field_platform": "JSON"}
    query = (
        "SELECT * REPLACE (field_platform::VARCHAR[] AS field_platform) FROM"
        f" read_csv(?, columns={columns}, header=true, allow_quoted_nulls=false)"
    )
    same(rows_of(database.execute(query, [file])))


def test_duckdb_reads_ndjson_and_json(
    url: str, token: str, tmp_path: Path, database: duckdb.DuckDBPyConnection
) -> None:
    for form in ("ndjson", "json"):
        file = fetched(f"{url}.{form}", token, tmp_path)
        query = f"SELECT * FROM read_json(?, columns={COLUMNS})"
        same(rows_of(database.execute(query, [file])))


def test_duckdb_knows_most_types_of_ndjson_by_itself(
    url: str, token: str, tmp_path: Path, database: duckdb.DuckDBPyConnection
) -> None:
    file = fetched(f"{url}.ndjson", token, tmp_path)
    relation = database.execute("SELECT * FROM read_json(?)", [file])
    kinds = {each[0]: str(each[1]) for each in relation.description}
    assert {name: kinds[name] for name in ("id", "open", "field_platform")} == {
        "id": "BIGINT",
        "open": "BOOLEAN",
        "field_platform": "VARCHAR[]",
    }
    assert kinds["title"] == kinds["field_app_version"] == "VARCHAR"
    assert kinds["field_found_on"] == "DATE"


def test_duckdb_and_pandas_read_parquet_with_its_own_types(
    url: str,
    token: str,
    package: DataPackage,
    tmp_path: Path,
    database: duckdb.DuckDBPyConnection,
) -> None:
    DataPackage.objects.update(refresh_every=60, format="parquet")
    package.refresh_from_db()
    snapshots.ask(package)
    snapshots.work(package.snapshots.get().pk)
    file = fetched(f"{url}.parquet", token, tmp_path)
    read = rows_of(database.execute("SELECT * FROM read_parquet(?)", [file]))
    same(read, (float,))
    frame = pandas.read_parquet(file)
    assert str(frame.dtypes["created"]) == "datetime64[us, UTC]"
    assert [plain(each) for each in frame["title"]] == [each["title"] for each in read]


def plain(value: Any) -> Any:
    """A value of pandas as one of Python."""
    if value is None or value is pandas.NA or value is pandas.NaT:
        return None
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, pandas.Timestamp):
        return value.to_pydatetime()
    return value.item() if hasattr(value, "item") else value


DTYPES = {
    "VARCHAR": "string",
    "BIGINT": "Int64",
    "BOOLEAN": "boolean",
    "DATE": "string",
    "TIMESTAMPTZ": "string",
}


def test_pandas_reads_csv_by_the_schema(url: str, token: str) -> None:
    """It can't tell an empty text from none; everything else it can."""
    headers = {"Authorization": f"Bearer {token}"}
    schema = requests.get(f"{url}/schema/", headers=headers, timeout=30).json()
    assert [each["name"] for each in schema["columns"]] == list(COLUMNS)
    kinds = {each["name"]: each["type"] for each in schema["columns"]}
    frame = pandas.read_csv(
        f"{url}.csv",
        storage_options=headers,
        keep_default_na=False,
        na_values=[""],
        dtype={name: DTYPES.get(kind, "string") for name, kind in COLUMNS.items()},
        encoding="utf-8",
    )
    frame["created"] = pandas.to_datetime(frame["created"], utc=True, format="ISO8601")
    rows = []
    for record in frame.to_dict("records"):
        row = {str(name): plain(value) for name, value in record.items()}
        for name, kind in kinds.items():
            if row[name] is None:
                row[name] = "" if name == "description" else None
            elif kind == "number":
                row[name] = Decimal(row[name])
            elif kind == "date":
                row[name] = date.fromisoformat(row[name])
            elif kind == "list":
                row[name] = list(pandas.read_json(io.StringIO(row[name]))[0])
        rows.append(row)
    same(rows)


def test_pandas_reads_ndjson_as_it_is(url: str, token: str) -> None:
    frame = pandas.read_json(
        f"{url}.ndjson",
        lines=True,
        dtype=False,
        storage_options={"X-Api-Key": token},
    )
    expected = in_database()
    assert list(frame.columns) == list(COLUMNS)
    for name in COLUMNS:
        read = [plain(each) for each in frame[name]]
        stored = [each[name] for each in expected]
        if name == "created":
            read = [datetime.fromisoformat(each) for each in read]
        elif name == "field_found_on":
            read = [each and date.fromisoformat(each) for each in read]
        elif name == "field_impact":  # Its numbers are binary floats.
            stored = [None if each is None else float(each) for each in stored]
        assert read == stored, name
    assert frame["title"].tolist() == TEXTS


def test_a_spreadsheet_gets_each_formula_as_a_text(url: str, token: str) -> None:
    DataPackage.objects.update(guards_formulas=True)
    headers = {"Authorization": f"Bearer {token}"}
    frame = pandas.read_csv(
        f"{url}.csv", storage_options=headers, keep_default_na=False, dtype="string"
    )
    begins = "=-+@'"
    for text, read in zip(TEXTS, frame["title"], strict=True):
        is_guarded = text[0] in begins and text != "'quoted"
        assert read == (f"'{text}" if is_guarded else text)


@pytest.fixture
def client(url: str, token: str) -> Iterator[ODataService]:
    # The server's thread, and what it has open, goes with the session.
    with requests.Session() as session:
        session.auth = HTTPBasicAuth("odata", token)
        yield ODataService(
            f"{url}/odata/", session=session, reflect_entities=True, quiet_progress=True
        )


def test_an_odata_client_reads_all_pages_by_the_metadata(
    client: ODataService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """python-odata, of version 4; what it makes of a date is a text."""
    monkeypatch.setattr("feedback.api.odata.PAGE", 4)
    entity = client.entities["bugs"]
    rows = []
    for each in client.query(entity):
        row = {name: getattr(each, name) for name in COLUMNS}
        day = row["field_found_on"]
        row["field_found_on"] = date.fromisoformat(day) if day else None
        row["field_platform"] = row["field_platform"] or None
        # It reads null as false.
        for name in ("open", "field_reproducible"):
            row[name] = each.__odata__[name]
        rows.append(row)
    same(rows)
    with_float = [each["field_impact"] for each in rows if each["field_impact"]]
    assert all(isinstance(each, Decimal) for each in with_float)


def test_an_odata_client_asks_for_what_it_wants(client: ODataService) -> None:
    entity = client.entities["bugs"]
    query = client.query(entity)
    for text in TEXTS:
        rows = query.filter(entity.title == text).all()
        assert [each.title for each in rows] == [
            each for each in TEXTS if each.lower() == text.lower()
        ]
    wanted = query.filter(entity.submitter_score == -7)
    wanted = wanted.filter(entity.title.contains("'") | entity.title.startswith("2"))
    ordered = wanted.order_by(entity.title.desc()).limit(1)
    assert [each.title for each in ordered] == ["2026-11-23"]
    since = datetime(2026, 11, 26, 9, 30, 0, len(TEXTS) - 2, tzinfo=UTC)
    newest = query.filter(entity.created >= since).order_by(entity.created.asc())
    assert [each.title for each in newest] == TEXTS[-2:]
    missing = query.filter(entity.field_impact.is_null()).select(entity.title)
    assert [each["title"] for each in missing] == TEXTS[6::7]
