"""Writes that are tried and undone, to say what would start because of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import transaction

from ..models import Feedback, FeedbackType
from .signals import awaited

_starts: ContextVar[Counter[int] | None] = ContextVar("starts", default=None)


def is_awaited(feedback_type: FeedbackType) -> bool:
    """Whether anything waits for changes of its tickets, or of their testers."""
    answers = awaited.send(Feedback, feedback_type=feedback_type)
    return any(answer for _, answer in answers)


@contextmanager
def rehearsal() -> Iterator[Counter[int]]:
    """Undoes all that is written in it.

    Gives the number of rows on which each trigger would have started, by its key.
    """
    counted: Counter[int] = Counter()
    token = _starts.set(counted)
    try:
        with transaction.atomic():
            yield counted
            transaction.set_rollback(True)
    finally:
        _starts.reset(token)


def note_start(trigger: int, rows: int) -> None:
    """That a trigger has started on so many rows."""
    counted = _starts.get()
    if counted is not None:
        counted[trigger] += rows
