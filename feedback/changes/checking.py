"""What a change would do to a ticket or tester as it is now. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError

from ..forms import answer_from
from ..models import Feedback, FormField, Status, Tester, Visibility
from ..names import fold
from .change import Change, ChangeKind, ChangeResult

# How many characters of a value stand in a sentence.
_SHOWN = 100
_SCORES = range(-(2**31), 2**31)


class ChangeChecker:
    """Says what becomes of a change, by the statuses and questions as they are now.

    `lock` keeps the statuses until the transaction ends.
    """

    def __init__(self, types: Iterable[int], *, lock: bool = False) -> None:
        types = set(types)
        statuses = Status.objects.filter(feedback_type__in=types).order_by("pk")
        if lock:
            # None is deleted before a ticket that gets it is written.
            statuses = statuses.select_for_update(no_key=True)
        questions = FormField.objects.filter(feedback_type__in=types)
        self._status = {
            (each.feedback_type_id, name): each
            for written in (fold, str)  # As it is written wins.
            for each in statuses
            for name in [written(each.name)]
        }
        self._named = {each.pk: each.name for each in statuses}
        self._question = {(each.feedback_type_id, each.key): each for each in questions}

    def check_ticket(
        self, ticket: Feedback, change: Change, submitter: Tester | None
    ) -> ChangeResult:
        """What becomes of a change of a ticket, or of its submitter's score."""
        match change.kind:
            case ChangeKind.STATUS:
                return self._check_status(ticket, change)
            case ChangeKind.FIELD:
                return self._check_field(ticket, change)
            case ChangeKind.VISIBILITY:
                return _check_visibility(ticket, change)
            case ChangeKind.COMMENT:
                shown = _shown(change.value)
                message = f"Comment added: {shown}"
                return ChangeResult(message, f"Comment “{shown}”", comment=change.value)
        if submitter is None:
            message = "No points were added, since the ticket has no submitter."
            return ChangeResult(message, "No submitter, so no points")
        return check_tester(submitter, change)

    def _check_status(self, ticket: Feedback, change: Change) -> ChangeResult:
        own, name = ticket.feedback_type_id, str(change.value)
        status = self._status.get((own, name)) or self._status.get((own, fold(name)))
        if status is None:
            return _impossible(f"The feedback type has no status '{change.value}' now.")
        if status.pk == ticket.status_id:
            return _unchanged("Status", status.name)
        before = self._named.get(ticket.status_id or 0, "")
        return _changed("Status", before, status.name, {"status_id": status.pk})

    def _check_field(self, ticket: Feedback, change: Change) -> ChangeResult:
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


def check_tester(tester: Tester, change: Change) -> ChangeResult:
    """What becomes of points for a tester."""
    if tester.erased_at is not None:
        message = "No points were added, since the tester was erased."
        return ChangeResult(message, "Tester erased, so no points")
    after = tester.score + change.value
    if after not in _SCORES:
        return _impossible(f"A score of {after:,} is more than can be stored.")
    message = f"{change.value:+,} points: the tester's score is {after:,} now."
    return ChangeResult(message, f"Score {tester.score:,} → {after:,}", score=after)


def _check_visibility(ticket: Feedback, change: Change) -> ChangeResult:
    before, after = Visibility(ticket.visibility), Visibility(change.value)
    if before == after:
        return _unchanged("Visibility", after.label)
    columns: dict[str, object] = {"visibility": after}
    return _changed("Visibility", before.label, after.label, columns)


def _changed(
    what: str, before: object, after: object, columns: dict[str, object]
) -> ChangeResult:
    old, new = _shown(before), _shown(after)
    message = f"{what} changed from {old} to {new}."
    return ChangeResult(message, f"{what} {old} → {new}", columns=columns)


def _unchanged(what: str, value: object) -> ChangeResult:
    shown = _shown(value)
    return ChangeResult(f"{what} was {shown} already.", f"{what} is {shown} already")


def _impossible(why: str) -> ChangeResult:
    return ChangeResult(why, is_possible=False)


def _shown(value: object) -> str:
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    elif isinstance(value, bool):
        value = "yes" if value else "no"
    text = " ".join(str("" if value is None else value).split())
    return (text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…") or "empty"
