"""Whether what changed is the event that a trigger waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from feedback.changes import Changed
from feedback.models import FormField, Status
from feedback.names import normalise

from ..models import Event, Trigger

_NEW = (Event.SUBMITTED, Event.TESTER_ADDED)
# The fields that an event is about: a name, or the beginning of names.
_FIELDS = {
    Event.STATUS_CHANGED: "status",
    Event.FIELD_CHANGED: "field_",
    Event.EXTERNAL_CHANGED: "external_",
    Event.SCORE_CROSSED: "score",
}


# Whether it is new, whether it has comments, and what differs.
Kind = tuple[bool, bool, frozenset[str]]


def kind_of(change: Changed) -> Kind:
    names = frozenset(change.before).union(change.after)
    return change.is_new, bool(change.comments), names


def concerns(event: str, kind: Kind) -> bool:
    """Whether changes of a kind are of the event's kind, whatever its details.

    What is new was submitted or added, and not changed. A comment is no modification.
    """
    is_new, has_comments, names = kind
    if event in _NEW:
        return is_new
    if event == Event.COMMENT_ADDED:
        return has_comments
    if is_new:
        return False
    start = _FIELDS.get(Event(event))
    if start is None:
        return bool(names)
    if not start.endswith("_"):
        return start in names
    return any(name.startswith(start) for name in names)


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

    def misses(self, trigger: Trigger) -> Callable[[Changed], str]:
        """Says in what a change of the event's kind differs from what it waits for."""
        given = trigger.event_details
        match trigger.event:
            case Event.STATUS_CHANGED:
                return self._status_misses(trigger)
            case Event.FIELD_CHANGED:
                message = f"{self.field(trigger)} did not change."
                return _name_misses(f"field_{given.get('field')}", message)
            case Event.EXTERNAL_CHANGED if name := trigger.event_details.get(
                "external"
            ):
                message = f"The external data {name} did not change."
                return _name_misses(f"external_{name}", message)
            case Event.SCORE_CROSSED:
                return partial(_missed_score, _score(trigger) or 0)
        return _hits

    def _status_misses(self, trigger: Trigger) -> Callable[[Changed], str]:
        wanted = _statuses_in(trigger)
        before, after = wanted.get("from_status"), wanted.get("to_status")

        def missed(change: Changed) -> str:
            if before is not None and change.before.get("status_id") != before:
                return self._other_status(trigger, "from_status", "was", change.before)
            if after is not None and change.after.get("status_id") != after:
                return self._other_status(trigger, "to_status", "is", change.after)
            return ""

        return missed

    def _other_status(
        self, trigger: Trigger, which: str, verb: str, values: Mapping[str, object]
    ) -> str:
        present = values.get("status") or "empty"
        return f"Status {verb} {present}, needs {self.status(trigger, which)}."


def _hits(change: Changed) -> str:
    return ""


def _name_misses(name: str, message: str) -> Callable[[Changed], str]:
    wanted = normalise(name)

    def missed(change: Changed) -> str:
        names = change.before.keys() | change.after.keys()
        hits = name in names or any(normalise(each) == wanted for each in names)
        return "" if hits else message

    return missed


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
