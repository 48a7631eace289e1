"""Changes that macros make to tickets and testers: all of them are made in here.

A change writes the columns that it concerns and no other, so that nobody's edit is
undone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..models import Comment, Feedback, Tester
from ..units import Origin, Unit, Values, unit
from .change import Change, ChangeKind, ChangeResult
from .checking import ChangeChecker, check_tester
from .columns import write

# Columns of a ticket that are read for its changes.
READ = ("feedback_type_id", "status_id", "visibility", "form_values", "submitter_id")


def apply(
    asked: Sequence[tuple[int, Change]], origin: Origin, *, to_testers: bool = False
) -> list[ChangeResult]:
    """Make changes to subjects given by their keys, and say what became of each.

    The subjects are locked in the order of their keys, tickets before testers. Rows
    that changed are written all together.
    """
    with unit(origin) as opened:
        tickets = {} if to_testers else _tickets(opened, (pk for pk, _ in asked))
        testers = _testers(opened, _scored(asked, tickets, to_testers))
        sets_status = any(change.kind == ChangeKind.STATUS for _, change in asked)
        types = {ticket.feedback_type_id for ticket in tickets.values()}
        checker = ChangeChecker(types, lock=sets_status)
        writes = _Writes(origin)
        results = []
        for pk, change in asked:
            ticket = tickets.get(pk)
            submitter = ticket and ticket.submitter_id or 0
            tester = testers.get(pk if to_testers else submitter)
            if ticket is not None:
                result = checker.check_ticket(ticket, change, tester)
            elif tester is not None and to_testers:
                result = check_tester(tester, change)
            else:
                noun = "tester" if to_testers else "ticket"
                result = ChangeResult(f"The {noun} was deleted.", is_possible=False)
            writes.take(result, ticket, tester)
            results.append(result)
        writes.make()
    return results


class _Writes:
    """What is to be written, by the columns that it concerns."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.tickets: dict[int, Values] = {}
        self.scores: dict[int, Values] = {}
        self.comments: list[Comment] = []

    def take(
        self, result: ChangeResult, ticket: Feedback | None, tester: Tester | None
    ) -> None:
        """Later changes of a subject are checked against what this one leaves."""
        if ticket is not None and result.columns:
            values = self.tickets.setdefault(ticket.pk, {})
            for name, value in result.columns.items():
                setattr(ticket, name, value)
                values[name] = value
        if ticket is not None and result.comment:
            comment = Comment(feedback_id=ticket.pk, text=result.comment)
            comment.macro_name = self.origin.macro
            comment.run_number = self.origin.run
            comment.listener_name = self.origin.listener
            self.comments.append(comment)
        if tester is not None and result.score is not None:
            tester.score = result.score
            self.scores[tester.pk] = {"score": result.score}

    def make(self) -> None:
        write(Feedback, self.tickets)
        write(Tester, self.scores)
        if self.comments:
            Comment.objects.bulk_create(self.comments, batch_size=500)


def _scored(
    asked: Sequence[tuple[int, Change]],
    tickets: dict[int, Feedback],
    to_testers: bool,
) -> set[int]:
    """The keys of the testers whose score is to be changed."""
    pks = {pk for pk, change in asked if change.kind == ChangeKind.SCORE}
    if to_testers:
        return pks
    return {tickets[pk].submitter_id or 0 for pk in pks & tickets.keys()} - {0}


def _tickets(opened: Unit, pks: Iterable[int]) -> dict[int, Feedback]:
    rows = opened.lock(Feedback, pks, READ)
    return {pk: Feedback.from_values(pk, values) for pk, values in rows.items()}


def _testers(opened: Unit, pks: set[int]) -> dict[int, Tester]:
    rows = opened.lock(Tester, pks, ("score", "erased_at"))
    return {pk: Tester.from_values(pk, values) for pk, values in rows.items()}
