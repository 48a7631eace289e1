"""Changes that macros make to tickets and testers: all of them are made in here.

A ChangeResult says what a change does to a subject as it is now; to apply it writes the
column it concerns and no other, so that nobody's edit is undone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError

from ..forms import answer_from
from ..models import Comment, Feedback, FormField, Status, Tester, Visibility
from .columns import write_columns

# Of a value, in a sentence.
_SHOWN = 100
_SCORES = range(-(2**31), 2**31)
_READ = ("feedback_type", "status", "visibility", "form_values", "submitter")


class ChangeKind(StrEnum):
    STATUS = "status"
    FIELD = "field"
    COMMENT = "comment"
    VISIBILITY = "visibility"
    SCORE = "score"


@dataclass(frozen=True, slots=True)
class Change:
    """`value` is a status' name, a field's answer as text, a comment, a visibility or
    points; `key` is the field's."""

    kind: ChangeKind
    value: Any
    key: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """What makes a change, for people to see on it."""

    macro: str
    run: int


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """What becomes of a change. `said` tells it afterwards, `short` before it is made.

    `columns` are the ticket's that it sets, `score` the tester's new one.
    """

    said: str
    short: str = ""
    is_possible: bool = True
    columns: dict[str, Any] = field(default_factory=dict)
    comment: str = ""
    score: int | None = None

    @property
    def changes_something(self) -> bool:
        return bool(self.columns or self.comment or self.score is not None)


class ChangePlan:
    """Knows the statuses and questions of feedback types as they are now."""

    def __init__(self, types: Iterable[int], *, lock: bool = False) -> None:
        types = set(types)
        statuses = Status.objects.filter(feedback_type__in=types).order_by("pk")
        if lock:
            # None is deleted before a ticket that gets it is written.
            statuses = statuses.select_for_update(no_key=True)
        questions = FormField.objects.filter(feedback_type__in=types)
        self._status = {(each.feedback_type_id, each.name): each for each in statuses}
        self._named = {each.pk: each.name for each in statuses}
        self._question = {(each.feedback_type_id, each.key): each for each in questions}

    def of_ticket(
        self, ticket: Feedback, change: Change, submitter: Tester | None
    ) -> ChangeResult:
        match change.kind:
            case ChangeKind.STATUS:
                return self._of_status(ticket, change)
            case ChangeKind.FIELD:
                return self._of_field(ticket, change)
            case ChangeKind.VISIBILITY:
                return _of_visibility(ticket, change)
            case ChangeKind.COMMENT:
                shown = _shown(change.value)
                said = f"Comment added: {shown}"
                return ChangeResult(said, f"Comment “{shown}”", comment=change.value)
        if submitter is None:
            said = "No points were added, since the ticket has no submitter."
            return ChangeResult(said, "No submitter, so no points")
        return of_tester(submitter, change)

    def _of_status(self, ticket: Feedback, change: Change) -> ChangeResult:
        status = self._status.get((ticket.feedback_type_id, change.value))
        if status is None:
            return _impossible(f"The feedback type has no status '{change.value}' now.")
        if status.pk == ticket.status_id:
            return _unchanged("Status", status.name)
        before = self._named.get(ticket.status_id or 0, "")
        return _changed("Status", before, status.name, {"status": status})

    def _of_field(self, ticket: Feedback, change: Change) -> ChangeResult:
        question = self._question.get((ticket.feedback_type_id, change.key))
        if question is None:
            return _impossible(f"The form has no field '{change.key}' any more.")
        try:
            after = answer_from(question, change.value)
        except ValidationError as error:
            why, given = _shown(" ".join(error.messages)), _shown(change.value)
            return _impossible(f"{question.label} does not take '{given}'. {why}")
        before = ticket.form_values.get(question.key)
        if before == after and type(before) is type(after):
            return _unchanged(question.label, after)
        values = {**ticket.form_values, question.key: after}
        if after is None:
            del values[question.key]
        return _changed(question.label, before, after, {"form_values": values})


def of_tester(tester: Tester, change: Change) -> ChangeResult:
    if tester.erased_at is not None:
        said = "No points were added, since the tester was erased."
        return ChangeResult(said, "Tester erased, so no points")
    after = tester.score + change.value
    if after not in _SCORES:
        return _impossible(f"A score of {after:,} is more than can be stored.")
    said = f"{change.value:+,} points: the tester's score is {after:,} now."
    return ChangeResult(said, f"Score {tester.score:,} → {after:,}", score=after)


def apply(
    asked: Sequence[tuple[int, Change]],
    origin: Origin,
    now: datetime,
    *,
    to_testers: bool = False,
) -> list[ChangeResult]:
    """Make changes to subjects given by their keys, and tell what became of each.

    To be called inside a transaction: the subjects are locked in the order of their
    keys, tickets before testers. Rows that changed are written all together.
    """
    pks = {pk for pk, _ in asked}
    tickets = {} if to_testers else _locked_tickets(pks)
    scored = [pk for pk, change in asked if change.kind == ChangeKind.SCORE]
    if not to_testers:
        scored = [tickets[pk].submitter_id or 0 for pk in scored if pk in tickets]
    testers = _locked_testers(scored)
    types = {each.feedback_type_id for each in tickets.values()}
    given = any(change.kind == ChangeKind.STATUS for _, change in asked)
    judge = ChangePlan(types, lock=given)
    written = _Written()
    verdicts = []
    for pk, change in asked:
        ticket = tickets.get(pk)
        tester = testers.get(pk if ticket is None else ticket.submitter_id or 0)
        if ticket is not None:
            verdict = judge.of_ticket(ticket, change, tester)
        elif tester is not None and to_testers:
            verdict = of_tester(tester, change)
        else:
            called = "tester" if to_testers else "ticket"
            verdict = _impossible(f"The {called} was deleted.")
        written.take(verdict, ticket, tester, origin)
        verdicts.append(verdict)
    written.write(now)
    return verdicts


class _Written:
    """What is to be written, by the columns that it concerns."""

    def __init__(self) -> None:
        self.tickets: dict[int, Feedback] = {}
        self.columns: dict[int, set[str]] = defaultdict(set)
        self.testers: dict[int, Tester] = {}
        self.comments: list[Comment] = []

    def take(
        self,
        verdict: ChangeResult,
        ticket: Feedback | None,
        tester: Tester | None,
        origin: Origin,
    ) -> None:
        """Later changes of the same subject are judged by what this one leaves."""
        if ticket is not None and (verdict.columns or verdict.comment):
            self.tickets[ticket.pk] = ticket
            self.columns[ticket.pk] |= verdict.columns.keys()
            for name, value in verdict.columns.items():
                setattr(ticket, name, value)
        if ticket is not None and verdict.comment:
            comment = Comment(feedback=ticket, text=verdict.comment)
            comment.macro_name, comment.run_number = origin.macro, origin.run
            self.comments.append(comment)
        if tester is not None and verdict.score is not None:
            tester.score = verdict.score
            self.testers[tester.pk] = tester

    def write(self, now: datetime) -> None:
        groups = defaultdict(list)
        for pk, columns in self.columns.items():
            groups[tuple(sorted(columns))].append(self.tickets[pk])
        for names, tickets in groups.items():
            fields: list[Any] = [Feedback._meta.get_field(name) for name in names]
            rows = {
                ticket.pk: [*(getattr(ticket, each.attname) for each in fields), now]
                for ticket in tickets
            }
            write_columns(Feedback, [*names, "modified_at"], rows)
        scores = {pk: [tester.score] for pk, tester in self.testers.items()}
        write_columns(Tester, ["score"], scores)
        Comment.objects.bulk_create(self.comments, batch_size=500)


def _locked_tickets(pks: Iterable[int]) -> dict[int, Feedback]:
    rows = Feedback.objects.select_for_update().filter(pk__in=pks).order_by("pk")
    return {ticket.pk: ticket for ticket in rows.only(*_READ)}


def _locked_testers(pks: Iterable[int]) -> dict[int, Tester]:
    wanted = set(pks) - {0}
    if not wanted:
        return {}
    rows = Tester.objects.select_for_update().filter(pk__in=wanted).order_by("pk")
    return {tester.pk: tester for tester in rows.only("score", "erased_at")}


def _of_visibility(ticket: Feedback, change: Change) -> ChangeResult:
    before, after = Visibility(ticket.visibility), Visibility(change.value)
    if before == after:
        return _unchanged("Visibility", after.label)
    columns = {"visibility": after}
    return _changed("Visibility", before.label, after.label, columns)


def _changed(
    what: str, before: Any, after: Any, columns: dict[str, Any]
) -> ChangeResult:
    old, new = _shown(before), _shown(after)
    said = f"{what} changed from {old} to {new}."
    return ChangeResult(said, f"{what} {old} → {new}", columns=columns)


def _unchanged(what: str, value: Any) -> ChangeResult:
    shown = _shown(value)
    return ChangeResult(f"{what} was {shown} already.", f"{what} is {shown} already")


def _impossible(why: str) -> ChangeResult:
    return ChangeResult(why, is_possible=False)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    elif isinstance(value, bool):
        value = "yes" if value else "no"
    text = " ".join(str("" if value is None else value).split())
    return (text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…") or "empty"
