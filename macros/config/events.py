"""What a trigger waits for, as a file has it: statuses by name."""

from __future__ import annotations

from typing import Any

from feedback.models import FormField, Status, SubjectKind

from ..models import Event, Trigger
from .problems import ConfigRefused, Problems, member
from .writing import Document

_STATUSES = ("from_status", "to_status")
# What an event takes, and what it can't do without.
_TAKES: dict[str, tuple[str, ...]] = {
    Event.STATUS_CHANGED: _STATUSES,
    Event.FIELD_CHANGED: ("field",),
    Event.EXTERNAL_CHANGED: ("external",),
    Event.SCORE_CROSSED: ("score",),
}
_NEEDS = {Event.FIELD_CHANGED: "field", Event.SCORE_CROSSED: "score"}
_OF_TESTERS = (Event.TESTER_ADDED, Event.TESTER_CHANGED, Event.SCORE_CROSSED)
_MAX_SCORE = 2**31


def named_details(trigger: Trigger) -> Document:
    """Raises ConfigRefused where the trigger has lost a part."""
    details = dict(trigger.event_details)
    for name in _STATUSES:
        if details.get(name) in (None, ""):
            continue
        status = _statuses(trigger).filter(pk=details[name]).first()
        if status is None:
            problem = (
                f"The trigger {trigger} of {trigger.macro} has lost a status that it"
                " waits for. Mend or delete it, then export again."
            )
            raise ConfigRefused([problem])
        details[name] = status.name
    return details


def take_details(trigger: Trigger, path: str, problems: Problems) -> None:
    """Make what a file says the event's details; says what is wrong with them."""
    is_of_testers = trigger.subject_kind == SubjectKind.TESTER
    event, given = trigger.event, trigger.event_details
    if event not in Event.values:
        return  # The trigger's own checks say so.
    if is_of_testers != (event in _OF_TESTERS):
        noun = trigger.subject_kind.label.lower()
        problem = f"The macro runs on {noun}s, and this happens to none."
        problems.add(member(path, "event"), problem)
        return
    where, known = member(path, "event_details"), _TAKES.get(event, ())
    if not isinstance(given, dict):
        problems.add(where, "This must be a group of members.")
        return
    trigger.event_details = {}
    needed = _NEEDS.get(event)  # type: ignore[call-overload]
    if needed and given.get(needed) in (None, ""):
        problems.add(member(where, needed), "This event needs it.")
    for name, value in given.items():
        if name not in known:
            problems.add(member(where, name[:60]), "This event takes no such member.")
        elif value not in (None, "") and (problem := _take(trigger, name, value)):
            problems.add(member(where, name), problem)


def _take(trigger: Trigger, name: str, value: Any) -> str:
    """Keep one of the details; or why it can't be, as a sentence."""
    kept = value
    if name == "score":
        if type(value) is not int or abs(value) >= _MAX_SCORE:
            return "This must be a whole number."
    elif not isinstance(value, str):
        return "This must be text."
    elif name == "field":
        questions = FormField.objects.filter(feedback_type=trigger.feedback_type)
        if not questions.filter(key=value).exists():
            return f"There is no field '{value[:60]}'."
    elif name in _STATUSES:
        status = _statuses(trigger).filter(name__iexact=value).first()
        if status is None:
            return f"There is no status '{value[:60]}'."
        kept = status.pk
    trigger.event_details[name] = kept
    return ""


def _statuses(trigger: Trigger) -> Any:
    return Status.objects.filter(feedback_type=trigger.feedback_type)
