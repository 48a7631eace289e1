"""Tickets from a file: read, checked by row and column, written part by part."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from django.contrib.auth.models import User
from openpyxl import Workbook

from feedback.models import (
    Comment,
    Feedback,
    FeedbackType,
    ImportPart,
    ImportState,
    TicketImport,
)
from feedback.transfer import imports, intake, reading, uploads
from feedback.transfer.cells import kept_cell, plain_cell
from feedback.transfer.errors import FileUnreadable
from feedback.transfer.exports import Export
from logs.models import AuditEntry
from logs.privacy import erase_tester
from macros import jobs
from tests import factories
from tests.feedback.test_attachments import archive


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def olivia(db: None) -> User:
    return factories.superuser()


def workbook(*rows: list[Any]) -> bytes:
    book, packed = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr]
    book.save(packed)
    return packed.getvalue()


def checked(of: FeedbackType, data: bytes | str, name: str = "a.csv") -> TicketImport:
    content = data.encode() if isinstance(data, str) else data
    user = User.objects.filter(is_superuser=True).first() or factories.superuser()
    made = uploads.begin(of, io.BytesIO(content), name, user)
    made.refresh_from_db()
    return made


def imported(of: FeedbackType, data: bytes | str) -> TicketImport:
    made = checked(of, data)
    assert imports.start(made)
    imports.finish(made)
    return made


def counts(row: TicketImport) -> tuple[int, int, int, int]:
    return row.created, row.updated, row.unchanged, row.refused


def faults(row: TicketImport) -> list[list[Any]]:
    return [fault for part in row.parts.all() for fault in part.faults if fault[1]]


@pytest.mark.parametrize(
    ("data", "note"),
    [
        ("title;Severity\nGrün;Major\n".encode(), ""),
        (b"\xef\xbb\xbftitle,Severity\r\nGr\xc3\xbcn,Major\r\n", ""),
        ("title\tseverity\nGrün\tMajor".encode("utf-16"), ""),
        ("title,severity\nGrün,Major\n".encode("latin-1"), "Latin-1"),
        (workbook(["Title", "Severity"], ["Grün", "Major"]), ""),
    ],
)
def test_a_table_is_read_however_it_was_saved(
    bugs: FeedbackType, data: bytes, note: str
) -> None:
    made = imported(bugs, data)
    ticket = Feedback.objects.get()
    assert (ticket.title, ticket.form_values) == ("Grün", {"severity": "Major"})
    assert (ticket.reference, ticket.status_id) == (
        "BUG-1",
        bugs.statuses.get(name="New").pk,
    )
    assert (note in made.note) and bool(made.note) is bool(note)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "The file is empty"),
        (b"title\n\n,,\n", "Below the names of the columns there is no row"),
        (b"titel\nx\n", "Column 1, 'titel', is not known. Did you mean 'title'?"),
        (b"title,Title\nx,y\n", "Column 2, 'Title', is there twice."),
        (b"severity\nMajor\n", "There is no column 'title'"),
        (b"title\n" + b"x" * 70_000, "A cell has more than|can't be read as CSV"),
        (b"title\n" + b"x\n" * 50_001, "The file has more than 50,000 rows"),
        (b",".join([b"a"] * 300) + b"\nx", "at most 200 columns"),
        (b"\0\1\2\3" * 99, "neither CSV nor XLSX"),
        (b"\xd0\xcf\x11\xe0" + bytes(99), "workbook of an old Excel"),
        (b"PK\x03\x04 broken", "The workbook is broken"),
        (archive(), "This is a ZIP archive and no workbook"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(
    bugs: FeedbackType, data: bytes, sentence: str
) -> None:
    with pytest.raises(FileUnreadable, match=sentence):
        checked(bugs, data)
    assert not TicketImport.objects.exists()


def test_a_zip_bomb_is_not_unpacked(bugs: FeedbackType) -> None:
    packed = io.BytesIO(workbook(["title"], ["x"]))
    with (
        zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as bomb,
        bomb.open("xl/bomb.xml", "w") as entry,
    ):
        for _ in range(160):
            entry.write(bytes(1_000_000))
    assert len(packed.getvalue()) < 400_000
    with pytest.raises(FileUnreadable, match="Unpacked, the workbook has 160 MB"):
        checked(bugs, packed.getvalue())


def test_a_workbook_that_was_damaged_anywhere_is_read_or_refused() -> None:
    whole = workbook(["title", "impact"], *(["Grün", n / 3] for n in range(30)))
    refused = 0
    for at in range(0, len(whole), 23):
        damaged = bytearray(whole)
        damaged[at] ^= 0x55
        try:
            for _ in reading.read(io.BytesIO(damaged)).rows:
                pass
        except FileUnreadable:
            refused += 1
    assert refused > 20


def test_one_cell_at_the_far_end_of_a_sheet_takes_no_memory(
    bugs: FeedbackType,
) -> None:
    book, packed = Workbook(), io.BytesIO()
    book.active["A1"], book.active["XFD1048576"] = "title", "far"  # type: ignore[index]
    book.save(packed)
    with pytest.raises(FileUnreadable, match="no row|columns"):
        checked(bugs, packed.getvalue())


def test_a_formula_stays_a_text(bugs: FeedbackType) -> None:
    imported(bugs, "title\n=1+1\n\"'=HYPERLINK(1)\"\n'quoted'\n")
    titles = Feedback.objects.order_by("pk").values_list("title", flat=True)
    assert [*titles] == ["=1+1", "=HYPERLINK(1)", "'quoted'"]


@pytest.mark.parametrize("text", ["=1", "'=1", "''=1", "'x", "x", " +1", "-5", "'", ""])
def test_what_is_exported_comes_back_as_it_was(text: str) -> None:
    assert plain_cell(str(kept_cell(text))) == text


def test_every_fault_is_named_by_row_and_column_and_the_rest_is_imported(
    bugs: FeedbackType,
) -> None:
    bugs.form_fields.filter(key="severity").update(required=True)
    data = (
        "Reference,Title,Status,Severity,Impact,Submitter,Visibility\n"
        ",Good,closed,Major,2.5,,\n"
        ",,New,Major,,,\n"
        ",x,Opne,Mjor,much,nobody@example.com,secret\n"
        "BUG-99,x,,,,,\n"
        ",No answer,,,,,\n"
    )
    made = checked(bugs, data)
    assert made.state == ImportState.CHECKED and counts(made) == (1, 0, 0, 4)
    assert not Feedback.objects.exists()
    rows = {(number, name): sentence for number, name, sentence in faults(made)}
    assert {*rows} == {
        (3, "Title"),
        *((4, name) for name in ("Status", "Severity", "Impact")),
        *((4, name) for name in ("Submitter", "Visibility")),
        (5, "Reference"),
        (6, "Severity"),
    }
    assert rows[5, "Reference"].startswith("There is no ticket BUG-99 of this type.")
    assert "There are: New, Closed" in rows[4, "Status"] or "mean" in rows[4, "Status"]
    assert imports.start(made)
    imports.finish(made)
    assert counts(made) == (1, 0, 0, 4)
    assert Feedback.objects.get().form_values == {"severity": "Major", "impact": 2.5}


def test_tickets_are_changed_by_reference_and_an_empty_cell_changes_nothing(
    bugs: FeedbackType,
) -> None:
    tara = factories.tester(bugs, "tara@example.com")
    one, two = factories.tickets(
        bugs, 2, description="Kept", form_values={"severity": "Minor", "impact": 1}
    )
    data = (
        "reference,title,description,severity,submitter,external_Jira key\n"
        "bug-1,New title,,Major,Tara@Example.com,ABC-1\n"
        f"BUG-2,{two.title},,,,\n"
    )
    made = imported(bugs, data)
    assert counts(made) == (0, 1, 1, 0)
    one.refresh_from_db()
    assert (one.title, one.description) == ("New title", "Kept")
    assert one.form_values == {"severity": "Major", "impact": 1}
    assert (one.submitter, one.external_data) == (tara, {"jira_key": "ABC-1"})
    entry = AuditEntry.objects.get(object_id=one.pk)
    assert entry.changes["title"] == ["***", "***"] or "title" in entry.changes


def test_two_rows_about_one_ticket_are_told_even_in_different_parts(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "PART", 1)
    factories.ticket(bugs)
    made = imported(bugs, "reference,title\nBUG-1,First\nbug-1,Second\n")
    assert faults(made) == [[3, "reference", "Row 2 is about the same ticket."]]
    assert Feedback.objects.get().title == "First"


def test_tickets_of_another_type_are_not_reached(bugs: FeedbackType) -> None:
    other = factories.feedback_type(prefix="BUG")
    theirs = factories.ticket(other)
    made = imported(bugs, "reference,title\nBUG-1,Mine now\n")
    assert counts(made) == (0, 0, 0, 1)
    theirs.refresh_from_db()
    assert theirs.title == "It breaks"


def test_an_exported_list_comes_back_unchanged(bugs: FeedbackType) -> None:
    bugs.external_columns = "jira_key, votes"
    bugs.save()
    answers = {
        "severity": "Major",
        "platform": ["iOS", "Grün"],
        "reproducible": True,
        "impact": 2.5,
        "found_on": "2026-11-23",
        "page": "https://a.example/",
        "steps": "-1\n=2",
    }
    factories.ticket(
        bugs,
        title="=cmd",
        description="'+1\nlines",
        submitter=factories.tester(bugs),
        form_values=answers,
        external_data={"jira_key": "A-1", "votes": 5},
    )
    rows = Feedback.objects.all()
    text = "".join(Export(rows, bugs).csv())
    assert ",'=cmd," in text
    book = Export(rows, bugs).workbook().read()
    for data in (text.encode(), book):
        made = imported(bugs, data)
        assert counts(made) == (0, 0, 1, 0), faults(made)


def lines(count: int) -> str:
    return "title\n" + "".join(f"Ticket {number}\n" for number in range(count))


def test_a_long_file_is_done_part_by_part_and_can_be_stopped_between(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "PART", 10)
    made = checked(bugs, lines(35))
    assert imports.start(made)
    assert imports.go_on(made.pk) and imports.go_on(made.pk)
    assert imports.abort(made)
    assert not imports.go_on(made.pk)
    made.refresh_from_db()
    assert (made.state, made.position, made.created) == ("aborted", 20, 20)
    assert Feedback.objects.count() == 20


def test_a_part_that_breaks_off_leaves_nothing_and_is_done_again(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "PART", 10)
    made = checked(bugs, lines(20))
    assert imports.start(made)
    with monkeypatch.context() as broken:
        broken.setattr(ImportPart, "save", lambda *args, **kwargs: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            imports.go_on(made.pk)
    assert not Feedback.objects.exists()
    imports.finish(made)
    assert Feedback.objects.count() == 20
    numbers = Feedback.objects.order_by("number").values_list("number", flat=True)
    assert [*numbers] == [*range(1, 21)]


def test_a_long_file_waits_for_a_worker_and_the_clock_finds_it(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "AT_ONCE", 5)
    made = checked(bugs, lines(6))
    assert made.state == ImportState.CHECKING and imports.due() == [made.pk]
    jobs.go_on_importing(made.pk)
    made.refresh_from_db()
    assert made.state == ImportState.CHECKED and imports.due() == []
    assert imports.start(made) and not imports.start(made)


def test_a_form_that_changes_meanwhile_stops_the_import_with_a_sentence(
    bugs: FeedbackType,
) -> None:
    made = checked(bugs, "title,severity\nx,Major\n")
    bugs.form_fields.filter(key="severity").delete()
    assert imports.start(made)
    imports.finish(made)
    assert made.state == ImportState.ABORTED and "'severity', is not known" in made.note
    assert not Feedback.objects.exists()


def test_the_number_of_statements_does_not_grow_with_the_rows(
    bugs: FeedbackType, django_assert_max_num_queries: Any
) -> None:
    factories.tester(bugs, "tara@example.com")
    rows = "".join(f"Ticket {n},Major,tara@example.com\n" for n in range(200))
    made = checked(bugs, "title,severity,submitter\n" + rows)
    assert imports.start(made)
    with django_assert_max_num_queries(45):
        imports.finish(made)
    assert Feedback.objects.count() == 200


def test_the_limits_of_reading_hold_whatever_the_file(bugs: FeedbackType) -> None:
    assert reading.MAX_ROWS == 50_000
    made = checked(bugs, lines(501))
    assert [part.start for part in made.parts.all()] == [0, 500]


def test_an_erasure_reaches_files_that_wait_and_what_comments_said(
    bugs: FeedbackType,
) -> None:
    tara = factories.tester(bugs, "tara@example.com")
    comment = Comment.objects.create(
        feedback=factories.ticket(bugs, submitter=tara), text="Ask tara@example.com"
    )
    comment.text = "Asked"
    comment.save()
    made = checked(bugs, "title,submitter\nx,tara@example.com\n")
    erase_tester(tara, None)
    [part] = made.parts.all()
    assert "tara@" not in f"{part.rows}{part.faults}"
    assert comment.edits.get().text == "Ask [erased]"
    assert imports.start(made)
    imports.finish(made)
    assert Feedback.objects.count() == 1
