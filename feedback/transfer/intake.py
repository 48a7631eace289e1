"""A file on its way into parts. Reading it may take a while, so workers do it in turns.

Nothing is held in the database meanwhile: only to store a part is the row locked, and
only whoever is exactly as far as the row may store the next one. A worker that comes in
later, or after a crash, reads from the beginning and passes over what is there.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import islice
from typing import IO

from django.db import transaction
from django.utils import timezone

from ..models.imports import ImportPart, ImportState, TicketImport
from ..names import fold
from .columns import REFERENCE, Columns, TypeColumns
from .errors import FileUnreadable
from .reading import NumberedRow, read
from .rows import Fault

# Rows of one transaction.
PART = 500


class Intake:
    """A file that is open, as far as this process has read it."""

    def __init__(self, row: TicketImport, file: IO[bytes]) -> None:
        """Raises FileUnreadable."""
        self.pk = row.pk
        self._table = read(file)
        self._twins = Twins(TypeColumns(row.feedback_type).read(self._table.header))
        self._position = 0

    def go_on(self) -> bool:
        """Store the next part; False at the end. Raises FileUnreadable."""
        rows = list(islice(self._table.rows, PART))
        faults = list(self._twins.among(rows))
        with transaction.atomic():
            locked = TicketImport.objects.select_for_update(of=("self",))
            waiting = locked.filter(pk=self.pk, state=ImportState.READING)
            row = waiting.defer("upload").first()
            if row is None:
                return False
            if row.rows == self._position:
                self._store(row, rows, faults)
        self._position += len(rows)
        return bool(rows)

    def _store(
        self, row: TicketImport, rows: list[NumberedRow], faults: list[Fault]
    ) -> None:
        if rows:
            row.parts.create(start=row.rows, rows=rows, faults=faults)
            row.rows += len(rows)
        else:
            row.state, row.upload = ImportState.CHECKING, None
        row.header, row.note = self._table.header, self._table.note
        # What is read waits for whoever checks it first.
        row.worked_at = timezone.now() if rows else None
        written = ["rows", "header", "note", "worked_at"]
        row.save(update_fields=written if rows else [*written, "state", "upload"])


class _Open:
    """What this process has begun to read: it goes on there in its next turn."""

    intake: Intake | None = None


def go_on(pk: int) -> bool:
    """Read the next part of a stored file; whether there may be more to do."""
    intake = _Open.intake
    try:
        if intake is None or intake.pk != pk:
            row = TicketImport.objects.get(pk=pk)
            intake = Intake(row, io.BytesIO(row.upload or b""))
        _Open.intake = intake if intake.go_on() else None
    except FileUnreadable as error:
        refuse(pk, str(error))
    return True


def refuse(pk: int, sentence: str) -> None:
    """A file that turned out not to be readable leaves nothing but the reason."""
    _Open.intake = None
    with transaction.atomic():
        row = TicketImport.objects.filter(pk=pk, state=ImportState.READING)
        stopped = row.update(
            state=ImportState.ABORTED, note=sentence, rows=0, upload=None
        )
        if stopped:
            ImportPart.objects.filter(ticket_import=pk).delete()


class Twins:
    """Finds rows that name the ticket of an earlier one, in the whole file."""

    def __init__(self, columns: Columns) -> None:
        is_there = REFERENCE in columns.meanings
        self._at = columns.at(REFERENCE) if is_there else None
        self._first: dict[str, int] = {}

    def among(self, rows: list[NumberedRow]) -> Iterator[Fault]:
        """The faults of the next rows, without the name of a column."""
        for number, cells in rows:
            named = ""
            if self._at is not None and self._at < len(cells):
                named = fold(cells[self._at].strip())
            if named and self._first.setdefault(named, number) != number:
                first = self._first[named]
                yield number, "", f"Row {first} is about the same ticket."
