"""One value, one form: in every format, on both databases, and in Python."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow.parquet
import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedback.models import DataPackage, Feedback, FeedbackType
from feedback.models.numbers import ExactDecoder
from feedback.packages import files, parquet, writing
from feedback.packages.tables import opened
from feedback.packages.values import ColumnType, Value, json_text
from feedback.transfer.cells import plain_cell
from tests import factories

pytestmark = pytest.mark.database
NAMES = [
    *("id", "title", "description", "created", "open", "status", "submitter_email"),
    *("submitter_score", "days_open", "field_severity", "field_platform"),
    *("field_reproducible", "field_impact", "field_found_on", "field_app_version"),
    "external_jira_key",
]
TEXTS = [
    *("", "plain", "a,b", 'say "hi"', "two\nlines", "carriage\r\nreturn", "tab\tbed"),
    *(
        "=1+1",
        "-5",
        "+49 30 1",
        "@all",
        " =1",
        "\u200b=1",
        "\uff1d1",
        "'=1",
        "'quoted'",
    ),
    *("\\.", "\\N", "\\", "null", "NULL", "true", "007", "1e5", "[1]", '{"a": 1}'),
    *("🙂 grün", "\u202eabc", "\x01\x02\x1f\x7f", "\u2028", "é", "'", "''=1", "\r"),
]
# What may stand under a name of external data, and its text.
EXTERNAL: list[tuple[Any, str | None]] = [
    ("ABC-1", "ABC-1"),
    (5, "5"),
    (Decimal("1.50"), "1.5"),
    (Decimal("0.1234567890123456789012345"), "0.1234567890123456789012345"),
    (10**30, "1" + "0" * 30),
    (True, "true"),
    (None, None),
    ([], "[]"),
    (["a", 'b"c', "é\n"], '["a", "b\\"c", "é\\n"]'),
    ({"bb": 1, "a": {"é": None}, "c": Decimal("2.5")}, None),
]


@pytest.fixture
def package(bugs: FeedbackType) -> DataPackage:
    return factories.package(bugs, *NAMES)


def written(package: DataPackage, form: str) -> bytes:
    made = files.make(opened(package), form)
    with made.file as file:
        content = file.read()
    assert len(content) == made.size
    return content


def by_python(package: DataPackage, form: str) -> bytes:
    return b"".join(writing.lines(opened(package), form))


def cells_of(package: DataPackage) -> list[dict[str, str]]:
    text = written(package, "csv").decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def expected(ticket: Feedback) -> dict[str, Value]:
    """What the database says, read without a package."""
    ticket = Feedback.objects.select_related("status", "submitter").get(pk=ticket.pk)
    form_values, submitter = ticket.form_values, ticket.submitter
    return {
        "id": ticket.pk,
        "title": ticket.title,
        "description": ticket.description,
        "created": ticket.created_at,
        "open": ticket.status and ticket.status.is_open,
        "status": ticket.status and ticket.status.name,
        "submitter_email": submitter and submitter.email,
        "submitter_score": submitter and submitter.score,
        "days_open": 3 if ticket.status and ticket.status.is_open else None,
        "field_severity": form_values.get("severity"),
        "field_platform": form_values.get("platform"),
        "field_reproducible": form_values.get("reproducible"),
        "field_impact": form_values.get("impact"),
        "field_found_on": form_values.get("found_on"),
        "field_app_version": form_values.get("app_version"),
        "external_jira_key": ticket.external_data.get("jira_key"),
    }


def some_tickets(bugs: FeedbackType) -> list[Feedback]:
    since = datetime.now(UTC) - timedelta(days=3, hours=5)
    made = [
        factories.ticket(
            bugs,
            title=text or "empty",
            description=text,
            created_at=since + timedelta(microseconds=number),
            status=bugs.statuses.all()[number % 2],
            submitter=factories.tester(bugs) if number % 2 else None,
            form_values={
                "severity": "Minor",
                "platform": ["iOS", "Grün"],
                "reproducible": bool(number % 2),
                "impact": Decimal("-12.250") if number % 2 else number,
                "found_on": "2024-02-29",
                "app_version": text,
            },
            external_data={"jira_key": text},
        )
        for number, text in enumerate(TEXTS)
    ]
    return [*made, factories.ticket(bugs, created_at=since, status=None)]


def test_values_are_those_of_the_database(
    bugs: FeedbackType, package: DataPackage
) -> None:
    tickets = some_tickets(bugs)
    rows = [json.loads(line, cls=ExactDecoder) for line in by_lines(package)]
    assert len(rows) == len(tickets)
    for row, ticket in zip(rows, tickets, strict=True):
        row["created"] = datetime.fromisoformat(row["created"])
        assert row == expected(ticket)
    assert json.loads(written(package, "json"), cls=ExactDecoder) == [
        json.loads(line, cls=ExactDecoder) for line in by_lines(package)
    ]


def by_lines(package: DataPackage) -> list[bytes]:
    return written(package, "ndjson").splitlines()


def test_a_database_writes_what_python_writes(
    bugs: FeedbackType, package: DataPackage
) -> None:
    """To the letter; on SQLite Python writes it all."""
    some_tickets(bugs)
    for guards in (True, False):
        package.guards_formulas = guards
        header = writing.csv_header(opened(package).columns)
        assert written(package, "csv") == header + by_python(package, "csv")
    assert written(package, "ndjson") == by_python(package, "ndjson")


def test_a_spreadsheet_calculates_nothing_and_the_text_can_be_had_back(
    bugs: FeedbackType, package: DataPackage
) -> None:
    some_tickets(bugs)
    guarded = [row["description"] for row in cells_of(package)][:-1]
    stored = list(Feedback.objects.order_by("pk").values_list("description", flat=True))
    assert [plain_cell(text) for text in guarded] == stored[:-1]
    risky = [text for text in guarded if text.strip(" \u200b")[:1] in "=+-@\uff1d\t\r"]
    assert [text for text in risky if text] == []
    package.guards_formulas = False
    cells = [row["description"] for row in cells_of(package)][:-1]
    assert cells == stored[:-1]


def test_without_a_value_a_cell_is_empty_and_an_empty_text_is_quoted(
    bugs: FeedbackType,
) -> None:
    package = factories.package(bugs, "id", "field_app_version", "description")
    ticket = factories.ticket(bugs, description="")
    [_, line] = written(package, "csv").splitlines()
    assert line == f'{ticket.pk},,""'.encode()


def test_parquet_has_the_same_values_and_types(
    bugs: FeedbackType, package: DataPackage
) -> None:
    tickets = some_tickets(bugs)
    with parquet.make(opened(package)).file as file:
        table = pyarrow.parquet.read_table(io.BytesIO(file.read()))
    types = {field.name: str(field.type) for field in table.schema}
    assert types["id"] == "int64" and types["field_impact"] == "double"
    assert types["created"] == "timestamp[us, tz=UTC]"
    assert types["field_platform"] == "list<element: string>"
    assert types["field_found_on"] == "date32[day]" and types["open"] == "bool"
    for row, ticket in zip(table.to_pylist(), tickets, strict=True):
        wanted = expected(ticket)
        if isinstance(wanted["field_found_on"], str):
            wanted["field_found_on"] = date.fromisoformat(wanted["field_found_on"])  # type: ignore[assignment]
        assert row == wanted


@pytest.mark.parametrize(("value", "text"), EXTERNAL, ids=repr)
def test_external_data_of_any_type_is_a_text(
    bugs: FeedbackType, value: Any, text: str | None
) -> None:
    factories.ticket(bugs, external_data={"found": value})
    package = factories.package(bugs, "external_found")
    [line] = by_lines(package)
    if isinstance(value, dict):
        text = json_text(value)
    assert json.loads(line) == {"external_found": text}
    assert written(package, "ndjson") == by_python(package, "ndjson")


@pytest.mark.parametrize(
    "kind", [ColumnType.NUMBER, ColumnType.BOOLEAN, "list", "date"]
)
@pytest.mark.parametrize("value", [each for each, _ in EXTERNAL], ids=repr)
def test_external_data_of_another_type_is_missing(
    bugs: FeedbackType, value: Any, kind: str
) -> None:
    factories.ticket(bugs, external_data={"found": value})
    package = factories.package(bugs, "id")
    package.columns = [{"name": "external_found", "type": str(kind)}]
    package.full_clean()
    [line] = by_lines(package)
    assert written(package, "ndjson") == by_python(package, "ndjson")
    types: dict[str, Any] = {"number": int | Decimal, "boolean": bool, "list": list}
    fits = isinstance(value, types.get(kind, bytes)) and value != []
    fits = fits and (kind == "boolean" or not isinstance(value, bool))
    wanted = value if fits else None
    assert json.loads(line, cls=ExactDecoder) == {"external_found": wanted}


@pytest.mark.parametrize(
    "day",
    [
        *("2024-02-29", "2000-02-29", "1999-12-31", "0001-01-01", "2026-11-30"),
        *("2023-02-29", "1900-02-29", "2026-13-01", "2026-11-31", "0000-01-01"),
        *("2026-1-1", "2026-01-01\n", " 2026-01-01", "2026-00-10", "20260101", ""),
    ],
)
def test_a_date_is_a_day_of_the_calendar(bugs: FeedbackType, day: str) -> None:
    try:
        wanted = day if date.fromisoformat(day) and len(day) == 10 else None
    except ValueError:
        wanted = None
    factories.ticket(bugs, form_values={"found_on": day})
    package = factories.package(bugs, "field_found_on")
    assert written(package, "ndjson") == by_python(package, "ndjson")
    assert json.loads(by_lines(package)[0]) == {"field_found_on": wanted}


STORED = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.decimals(-(10**9), 10**9)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(
                st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
                max_size=5,
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=5,
)


@pytest.mark.sweep
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    stored=STORED,
    text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
)
def test_whatever_is_stored_both_write_alike(
    bugs: FeedbackType, stored: Any, text: str
) -> None:
    ticket = Feedback.objects.first() or factories.ticket(bugs)
    rows = Feedback.objects.filter(pk=ticket.pk)
    rows.update(external_data={"found": stored}, description=text)
    package = DataPackage(feedback_type=bugs, name="Any", key="any")
    package.find_owners()
    stored_text = rows.values_list("description", flat=True).get()
    for kind in ("text", "number", "boolean", "list", "date"):
        column = {"name": "external_found", "type": kind}
        package.columns = [{"name": "description", "type": "text"}, column]
        assert written(package, "ndjson") == by_python(package, "ndjson")
        header = b"description,external_found\n"
        assert written(package, "csv") == header + by_python(package, "csv")
        [line] = by_lines(package)
        assert json.loads(line)["description"] == stored_text


def test_what_would_end_a_table_of_postgresql_is_quoted(bugs: FeedbackType) -> None:
    factories.ticket(bugs, description=r"\.")
    package = factories.package(bugs, "description")
    assert written(package, "csv") == b'description\n"\\."\n'


def test_testers_have_a_table_too(bugs: FeedbackType) -> None:
    names = ["id", "email", "first_name", "score", "created", "tickets", "community"]
    package = factories.package(bugs.project.community, *names, what="testers")
    tester = factories.tester(bugs)
    factories.ticket(bugs, submitter=tester)
    [line] = by_lines(package)
    row = json.loads(line)
    assert datetime.fromisoformat(row.pop("created")) == tester.created_at
    assert row == {
        "id": tester.pk,
        "email": tester.email,
        "first_name": tester.first_name,
        "score": 0,
        "tickets": 1,
        "community": bugs.project.community.name,
    }


def test_a_selection_of_nothing_is_a_table_without_rows(bugs: FeedbackType) -> None:
    package = factories.package(bugs, "id", "title")
    assert written(package, "csv") == b"id,title\n"
    assert written(package, "ndjson") == b""
    assert written(package, "json") == b"[\n]\n"
    assert connection.in_atomic_block  # That of the test; a package leaves none open.
