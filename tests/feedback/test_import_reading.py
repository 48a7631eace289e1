"""A large file is read by workers in turns, and not while a person waits."""

from __future__ import annotations

import subprocess
import sys
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback.models import FeedbackType, ImportState, TicketImport
from feedback.transfer import imports, intake, reading
from logs.privacy import erase_tester
from macros import jobs
from tests import factories
from tests.feedback.test_imports import bugs, checked, counts, faults, lines, workbook

__all__ = ["bugs"]


@pytest.fixture
def reads_nothing_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "QUICK_CSV", 1)
    monkeypatch.setattr(reading, "QUICK_UNPACKED", 1)
    monkeypatch.setattr(intake, "PART", 10)


def work_through(made: TicketImport) -> None:
    while imports.go_on(made.pk):
        pass
    made.refresh_from_db()


@pytest.mark.usefixtures("reads_nothing_at_once")
@pytest.mark.parametrize(
    "data",
    [lines(25), workbook(["title"], *([f"Ticket {n}"] for n in range(25)))],
    ids=["csv", "xlsx"],
)
def test_a_large_file_is_read_by_a_worker(
    bugs: FeedbackType, data: bytes | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as in_request:
        in_request.setattr(reading, "_table", lambda rows: 1 / 0)
        made = checked(bugs, data)
    assert made.state == ImportState.READING and not made.parts.exists()
    assert imports.due() == [made.pk]
    assert imports.go_on(made.pk)
    made.refresh_from_db()
    assert (made.state, made.rows, imports.due()) == (ImportState.READING, 10, [])
    jobs.go_on_importing(made.pk)
    made.refresh_from_db()
    assert made.state == ImportState.CHECKED and counts(made) == (25, 0, 0, 0)
    assert [part.start for part in made.parts.all()] == [0, 10, 20]
    assert made.upload is None


@pytest.mark.usefixtures("reads_nothing_at_once")
def test_of_two_workers_that_read_one_file_each_part_is_stored_once(
    bugs: FeedbackType, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = checked(bugs, lines(55))
    opened: list[Any] = [None, None]
    for turn in [0, 0, 0, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 0, 0]:
        intake._Open.intake = opened[turn]
        imports.go_on(made.pk)
        opened[turn] = intake._Open.intake
    made.refresh_from_db()
    rows = [row for part in made.parts.order_by("start") for row in part.rows]
    assert [number for number, _ in rows] == [*range(2, 57)]
    assert made.rows == 55 and made.state != ImportState.READING


@pytest.mark.usefixtures("reads_nothing_at_once")
def test_a_worker_that_dies_while_it_reads_is_followed_by_another(
    bugs: FeedbackType,
) -> None:
    factories.ticket(bugs)
    rows = [f",Ticket {n}" for n in range(18)]
    data = "\n".join(["reference,title", "BUG-1,A", *rows, "BUG-1,B"])
    made = checked(bugs, data)
    assert imports.go_on(made.pk)
    intake._Open.intake = None
    work_through(made)
    assert counts(made) == (18, 1, 0, 1) and made.rows == 20
    assert faults(made) == [[21, "reference", "Row 2 is about the same ticket."]]


@pytest.mark.usefixtures("reads_nothing_at_once")
@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (lines(15) + "x" * 70_000, "A cell has more than"),
        (workbook(["titel"], ["x"]), "Did you mean 'title'?"),
        (workbook(["title"]), "there is no row"),
    ],
)
def test_a_large_file_that_cannot_be_read_says_why_on_its_page(
    client: Client, bugs: FeedbackType, data: bytes | str, sentence: str
) -> None:
    client.force_login(factories.superuser())
    made = checked(bugs, data)
    work_through(made)
    assert made.state == ImportState.ABORTED and sentence in made.note
    assert made.rows == 0 and made.upload is None and not made.parts.exists()
    url = reverse("admin:feedback_feedback_imported", args=[made.pk])
    html = unescape(client.get(url).content.decode())
    assert "Nothing was imported." in html and sentence in html


@pytest.mark.usefixtures("reads_nothing_at_once")
def test_a_file_is_stopped_while_it_is_read(bugs: FeedbackType) -> None:
    made = checked(bugs, lines(25))
    assert imports.go_on(made.pk) and imports.abort(made)
    assert not imports.go_on(made.pk)
    made.refresh_from_db()
    assert (made.state, made.upload) == (ImportState.ABORTED, None)


@pytest.mark.usefixtures("reads_nothing_at_once")
def test_a_file_that_is_not_read_yet_goes_when_a_tester_is_erased(
    bugs: FeedbackType,
) -> None:
    elsewhere = checked(factories.feedback_type(), lines(1))
    made = checked(bugs, "title,submitter\nx,tara@example.com\n")
    erase_tester(factories.tester(bugs, "tara@example.com"), None)
    for row in (made, elsewhere):
        row.refresh_from_db()
    assert made.state == ImportState.ABORTED and made.upload is None
    assert "import it again" in made.note
    assert elsewhere.state == ImportState.READING


def test_a_worker_that_reads_no_workbook_does_not_load_what_reads_them() -> None:
    code = "import feedback.transfer.reading, sys; assert 'openpyxl' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
