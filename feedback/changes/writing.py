"""Changes that macros make to tickets and testers: all of them are made in here.

A change writes the columns that it concerns and no other, so that nobody's edit is
undone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from ..models import Comment, Feedback, Tester
from .change import Change, ChangeKind, ChangeResult, Origin
from .checking import ChangeChecker, check_tester
from .columns import write_columns

_READ = ("feedback_type", "status", "visibility", "form_values", "submitter")


def apply(
    asked: Sequence[tuple[int, Change]],
    origin: Origin,
    now: datetime,
    *,
    to_testers: bool = False,
) -> list[ChangeResult]:
    """Make changes to subjects given by their keys, and say what became of each.

    To be called inside a transaction: the subjects are locked in the order of their
    keys, tickets before testers. Rows that changed are written all together.
    """
    tickets = {} if to_testers else _locked_tickets(pk for pk, _ in asked)
    testers = _locked_testers(_scored(asked, tickets, to_testers))
    sets_status = any(change.kind == ChangeKind.STATUS for _, change in asked)
    types = {ticket.feedback_type_id for ticket in tickets.values()}
    checker = ChangeChecker(types, lock=sets_status)
    writes = _Writes(origin)
    results = []
    for pk, change in asked:
        ticket = tickets.get(pk)
        tester = testers.get(pk if to_testers else ticket and ticket.submitter_id or 0)
        if ticket is not None:
            result = checker.check_ticket(ticket, change, tester)
        elif tester is not None and to_testers:
            result = check_tester(tester, change)
        else:
            noun = "tester" if to_testers else "ticket"
            result = ChangeResult(f"The {noun} was deleted.", is_possible=False)
        writes.take(result, ticket, tester)
        results.append(result)
    writes.make(now)
    return results


class _Writes:
    """What is to be written, by the columns that it concerns."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.tickets: dict[int, Feedback] = {}
        self.columns: dict[int, set[str]] = defaultdict(set)
        self.testers: dict[int, Tester] = {}
        self.comments: list[Comment] = []

    def take(
        self, result: ChangeResult, ticket: Feedback | None, tester: Tester | None
    ) -> None:
        """Later changes of a subject are checked against what this one leaves."""
        if ticket is not None and (result.columns or result.comment):
            self.tickets[ticket.pk] = ticket
            self.columns[ticket.pk] |= result.columns.keys()
            for name, value in result.columns.items():
                setattr(ticket, name, value)
        if ticket is not None and result.comment:
            comment = Comment(feedback=ticket, text=result.comment)
            comment.macro_name = self.origin.macro
            comment.run_number = self.origin.run
            self.comments.append(comment)
        if tester is not None and result.score is not None:
            tester.score = result.score
            self.testers[tester.pk] = tester

    def make(self, now: datetime) -> None:
        groups = defaultdict(list)
        for pk, columns in self.columns.items():
            groups[tuple(sorted(columns))].append(self.tickets[pk])
        for names, tickets in groups.items():
            attributes = [Feedback._meta.get_field(name).attname for name in names]  # type: ignore[union-attr]
            rows = {
                ticket.pk: [*(getattr(ticket, each) for each in attributes), now]
                for ticket in tickets
            }
            write_columns(Feedback, [*names, "modified_at"], rows)
        scores = {pk: [tester.score] for pk, tester in self.testers.items()}
        write_columns(Tester, ["score"], scores)
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


def _locked_tickets(pks: Iterable[int]) -> dict[int, Feedback]:
    wanted = set(pks)
    rows = Feedback.objects.select_for_update().filter(pk__in=wanted).order_by("pk")
    return {ticket.pk: ticket for ticket in rows.only(*_READ)}


def _locked_testers(pks: set[int]) -> dict[int, Tester]:
    if not pks:
        return {}
    rows = Tester.objects.select_for_update().filter(pk__in=pks).order_by("pk")
    return {tester.pk: tester for tester in rows.only("score", "erased_at")}
