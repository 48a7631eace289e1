"""From a file that somebody sent to an import that is checked, part by part."""

from __future__ import annotations

from typing import IO, Any

from django.db import transaction

from ..models import FeedbackType, ImportPart, TicketImport
from ..names import one_line
from ..texts import storable
from .columns import TypeColumns
from .imports import AT_ONCE, finish
from .reading import read
from .rows import twins

# Rows of one transaction.
PART = 500


def begin(
    feedback_type: FeedbackType, file: IO[bytes], file_name: str, user: Any
) -> TicketImport:
    """Take a file apart; nothing is imported yet. Raises FileUnreadable."""
    table = read(file)
    columns = TypeColumns(feedback_type).read(table.header)
    same = dict(twins(columns, table.rows))
    with transaction.atomic():
        made = TicketImport.objects.create(
            feedback_type=feedback_type,
            user=user,
            by=user.get_username(),
            file_name=one_line(storable(file_name))[:200],
            note=table.note,
            header=table.header,
            rows=len(table.rows),
        )
        for start in range(0, len(table.rows), PART):
            rows = table.rows[start : start + PART]
            faults = [
                (number, "", same[number]) for number, _ in rows if number in same
            ]
            ImportPart.objects.create(
                ticket_import=made, start=start, rows=rows, faults=faults
            )
    if made.rows <= AT_ONCE:
        finish(made)
    return made
