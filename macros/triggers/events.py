"""Whether what changed is the event that a trigger waits for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from feedback.changes import Changed
from feedback.models import FormField, Status, SubjectKind
from feedback.names import normalise

from ..models import Event, Trigger

EVENTS: Mapping[SubjectKind, tuple[Event, ...]] = {
    SubjectKind.FEEDBACK: (
        Event.SUBMITTED,
        Event.MODIFIED,
        Event.STATUS_CHANGED,
        Event.FIELD_CHANGED,
        Event.COMMENT_ADDED,
        Event.EXTERNAL_CHANGED,
    ),
    SubjectKind.TESTER: (
        Event.TESTER_ADDED,
        Event.TESTER_CHANGED,
        Event.SCORE_CROSSED,
    ),
}
_NEW = (Event.SUBMITTED, Event.TESTER_ADDED)
# The fields that an event is about: a name, or the beginning of names.
_FIELDS = {
    Event.STATUS_CHANGED: "status",
    Event.FIELD_CHANGED: "field_",
    Event.EXTERNAL_CHANGED: "external_",
    Event.SCORE_CROSSED: "score",
}


def concerns(event: str, change: Changed) -> bool:
    """Whether the change is of the event's kind, whatever its details.

    What is new was submitted or added, and not changed. A comment is no modification.
    """
    if event in _NEW:
        return change.is_new
    if event == Event.COMMENT_ADDED:
        return bool(change.comments)
    if change.is_new:
        return False
    start = _FIELDS.get(Event(event))
    if start is None:
        return bool(change.fields)
    if not start.endswith("_"):
        return start in change.fields
    return any(name.startswith(start) for name in change.fields)


class Details:
    """The statuses and questions that triggers name, as they are now."""

    def __init__(self, triggers: Iterable[Trigger]) -> None:
        statuses: set[int] = set()
        types: set[int] = set()
        for trigger in triggers:
            if trigger.event == Event.STATUS_CHANGED:
                statuses |= set(_statuses_in(trigger).values())
            elif trigger.event == Event.FIELD_CHANGED:
                types.add(trigger.macro.feedback_type_id or 0)
        named = Status.objects.filter(pk__in=statuses) if statuses else ()
        asked = FormField.objects.filter(feedback_type__in=types) if types else ()
        self._statuses = {each.pk: each.name for each in named}
        self._labels = {(each.feedback_type_id, each.key): each.label for each in asked}

    def status(self, trigger: Trigger, which: str) -> str:
        """The name of `from_status` or `to_status`; empty where any will do."""
        return self._statuses.get(_statuses_in(trigger).get(which, 0), "")

    def field(self, trigger: Trigger) -> str:
        """The label of the question that it waits for."""
        key = str(trigger.event_details.get("field", ""))
        return self._labels.get((trigger.macro.feedback_type_id or 0, key), "")

    def problem(self, trigger: Trigger) -> str:
        """Why its event can never happen, as a sentence; or empty."""
        if trigger.event == Event.STATUS_CHANGED:
            wanted = _statuses_in(trigger)
            if any(pk not in self._statuses for pk in wanted.values()):
                return "The status that it waits for was deleted. Choose another."
        if trigger.event == Event.FIELD_CHANGED and not self.field(trigger):
            key = trigger.event_details.get("field", "")
            return f"The form has no field '{key}' any more. Choose another."
        if trigger.event == Event.SCORE_CROSSED and _score(trigger) is None:
            return "It has no number for the score to reach. Enter one."
        return ""

    def miss(self, trigger: Trigger, change: Changed) -> str:
        """In what a change of the event's kind differs from what it waits for."""
        match trigger.event:
            case Event.STATUS_CHANGED:
                return self._missed_status(trigger, change)
            case Event.FIELD_CHANGED:
                wanted = f"field_{trigger.event_details.get('field', '')}"
                if wanted not in change.fields:
                    return f"{self.field(trigger)} did not change."
            case Event.EXTERNAL_CHANGED:
                name = str(trigger.event_details.get("external", ""))
                names = {normalise(each) for each in change.fields}
                if name and normalise(f"external_{name}") not in names:
                    return f"The external data {name} did not change."
            case Event.SCORE_CROSSED:
                return _missed_score(_score(trigger) or 0, change)
        return ""

    def _missed_status(self, trigger: Trigger, change: Changed) -> str:
        sides = (
            ("from_status", "was", change.before),
            ("to_status", "is", change.after),
        )
        wanted = _statuses_in(trigger)
        for which, verb, values in sides:
            if which in wanted and values.get("status_id") != wanted[which]:
                present = values.get("status") or "empty"
                return f"Status {verb} {present}, needs {self.status(trigger, which)}."
        return ""


def _statuses_in(trigger: Trigger) -> dict[str, int]:
    """Those that it names, by `from_status` and `to_status`: 0 is no status' key."""
    sides = ("from_status", "to_status")
    given = {which: trigger.event_details.get(which) for which in sides}
    return {
        which: status if isinstance(status, int) else 0
        for which, status in given.items()
        if status is not None
    }


def _score(trigger: Trigger) -> int | None:
    score = trigger.event_details.get("score")
    return score if isinstance(score, int) else None


def _missed_score(wanted: int, change: Changed) -> str:
    before, after = (_number(values) for values in (change.before, change.after))
    if before < wanted <= after:
        return ""
    return f"The score went from {before:,} to {after:,}, needs to reach {wanted:,}."


def _number(values: Mapping[str, object]) -> int:
    score = values.get("score")
    return score if isinstance(score, int) else 0
