"""From a file that somebody sent to an import that is checked, part by part."""

from __future__ import annotations

from typing import IO, Any

from django.db import transaction

from ..formats import IMPORT
from ..models import FeedbackType, TicketImport
from ..names import one_line
from ..texts import storable
from .imports import AT_ONCE, finish
from .intake import Intake
from .reading import is_quick


def begin(
    feedback_type: FeedbackType,
    file: IO[bytes],
    file_name: str,
    user: Any,
    *,
    makes_testers: bool = False,
) -> TicketImport:
    """Nothing is imported yet. Raises FileUnreadable.

    A long file is kept as it is until a worker reads it.
    """
    made = TicketImport(
        feedback_type=feedback_type,
        user=user,
        by=user.get_username(),
        file_name=one_line(storable(file_name))[:200],
        makes_testers=makes_testers,
        format=IMPORT,
    )
    if not is_quick(file):
        file.seek(0)
        made.upload = file.read()
        made.save()
        return made
    with transaction.atomic():
        made.save()
        intake = Intake(made, file)
        while intake.go_on():
            pass
    made.refresh_from_db()
    if made.rows <= AT_ONCE:
        finish(made)
    return made
