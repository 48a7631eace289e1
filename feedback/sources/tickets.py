"""Tickets that a program makes and changes by their numbers, one or many at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from ..access.keys import Actor
from ..changes import unit, write
from ..changes.signals import set_together
from ..models import Feedback, FeedbackType
from ..units import Unit, Values
from .external import COLUMNS, columns_with
from .faults import SubmissionRefused
from .outcomes import RowOutcome
from .ticket_rows import EXTERNAL, ID, Reader, TicketRow

# Tickets in one call.
MAX_TICKETS = 1_000


def bring(
    actor: Actor, rows: Sequence[TicketRow], *, all_or_nothing: bool = False
) -> None:
    """Make the tickets that are new, and change the others.

    A row at fault is refused and the others are written, or with `all_or_nothing` none:
    that raises SubmissionRefused. All are one unit of work, in some statements however
    many they are.
    """
    source = actor.get_username()
    Reader(actor, rows)
    with unit() as opened:
        given = _updates(opened, rows, source)
        new = _new(rows, source)
        faults = [fault for row in rows for fault in row.faults]
        if all_or_nothing and faults:
            raise SubmissionRefused(faults)
        write(Feedback, given)
        # In the order of their numbers, so that two calls do not wait for each other.
        for of in sorted(new, key=lambda each: each.pk):
            Feedback.objects.submit_many(of, new[of])
        if changes := opened.changes(Feedback):
            set_together.send(Feedback, changes=changes)
    _conclude(rows, {each.pk for each in changes})


def _updates(opened: Unit, rows: Sequence[TicketRow], source: str) -> dict[int, Values]:
    """What to write to tickets, each as it is once it is locked."""
    fine = {row.pk: row for row in rows if row.pk is not None and not row.faults}
    stored = opened.lock(Feedback, fine, ("form_values", "reference", *COLUMNS))
    given: dict[int, Values] = {}
    for pk, row in fine.items():
        if pk not in stored:
            row.faults.add([ID] if row.faults.at else [], "The ticket was deleted.")
            continue
        row.reference = stored[pk]["reference"]
        values = row.values | columns_with(
            stored[pk], row.external, source, row.faults, EXTERNAL
        )
        if row.answers:
            merged = {**stored[pk]["form_values"], **row.answers}
            values["form_values"] = _given(merged)
        if not row.faults:
            given[pk] = values
    return given


def _new(rows: Sequence[TicketRow], source: str) -> dict[FeedbackType, list[Feedback]]:
    new: dict[FeedbackType, list[Feedback]] = defaultdict(list)
    for row in rows:
        if not row.is_new or row.of is None or row.faults:
            continue
        external = columns_with({}, row.external, source, row.faults, EXTERNAL)
        if row.faults:
            continue
        answers = _given(row.answers)
        row.ticket = Feedback(form_values=answers, **row.values, **external)
        new[row.of].append(row.ticket)
    return new


def _given(answers: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in answers.items() if value is not None}


def _conclude(rows: Sequence[TicketRow], changed: set[int]) -> None:
    for row in rows:
        if row.faults:
            continue
        if row.ticket is not None:
            row.pk, row.reference = row.ticket.pk, row.ticket.reference
            row.outcome = RowOutcome.CREATED
        else:
            is_changed = row.pk in changed
            row.outcome = RowOutcome.UPDATED if is_changed else RowOutcome.UNCHANGED
