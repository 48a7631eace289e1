"""Tickets as a file for spreadsheets, which an import reads back."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, Any

from django.db.models import QuerySet
from django.utils.timezone import localtime

from ..forms import PREFIX
from ..models import Feedback, FeedbackType
from ..selection.external import EXTERNAL_PREFIX
from .cells import as_cell, kept_cell

# Rows of one file; more are exported in several, by filters.
MAX_ROWS = 100_000
MAX_WORKBOOK_ROWS = 50_000
# What a cell of a spreadsheet takes.
_MAX_CELL = 32_767
_CHUNK = 1_000
_FIXED = ("reference", "title", "description", "status", "visibility", "submitter")
_AFTER = ("created", "modified")

Row = list[object]


class Export:
    """The rows of a list, with the questions of its type where it is of one."""

    def __init__(
        self, rows: QuerySet[Feedback], feedback_type: FeedbackType | None
    ) -> None:
        related = ("status", "submitter", "feedback_type__project")
        self._rows = rows.select_related(*related)
        self._type = feedback_type
        self._keys: list[str] = []
        self._external: list[str] = []
        if feedback_type is not None:
            questions = feedback_type.form_fields
            self._keys = list(questions.values_list("key", flat=True))
            self._external = feedback_type.external_column_names

    @property
    def header(self) -> Row:
        whose = [] if self._type else ["type"]
        keys = (f"{PREFIX}{key}" for key in self._keys)
        external = (f"{EXTERNAL_PREFIX}{name}" for name in self._external)
        return [*whose, *_FIXED, *keys, *external, *_AFTER]

    def rows(self) -> Iterator[Row]:
        for ticket in self._rows.iterator(chunk_size=_CHUNK):
            yield [kept_cell(value) for value in self._values(ticket)]

    def csv(self) -> Iterator[str]:
        """Lines, with the mark by which Excel knows UTF-8."""
        writer = csv.writer(_Echo())
        yield "\ufeff" + writer.writerow(self.header)
        for row in self.rows():
            yield writer.writerow(row)

    def workbook(self) -> IO[bytes]:
        """A temporary file, which goes when it is closed."""
        from openpyxl import Workbook

        book = Workbook(write_only=True)
        sheet = book.create_sheet("Tickets")
        sheet.append(self.header)
        for row in self.rows():
            sheet.append([_in_workbook(value) for value in row])
        file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
        book.save(file)
        file.seek(0)
        return file

    def _values(self, ticket: Feedback) -> Iterable[Any]:
        if self._type is None:
            yield str(ticket.feedback_type)
        yield from (ticket.reference, ticket.title, ticket.description)
        yield ticket.status.name if ticket.status else ""
        yield ticket.visibility
        yield ticket.submitter.email if ticket.submitter else ""
        for key in self._keys:
            yield as_cell(ticket.form_values.get(key))
        for name in self._external:
            yield as_cell(ticket.external_data.get(name))
        for moment in (ticket.created_at, ticket.modified_at):
            yield f"{localtime(moment):%Y-%m-%d %H:%M:%S}"


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _in_workbook(value: object) -> object:
    """XML takes no control characters, and a cell only so much."""
    if not isinstance(value, str):
        return value
    return "".join(c for c in value if c >= " " or c in "\t\n")[:_MAX_CELL]
