"""What a trigger waits for, as a file has it: statuses by name."""

from __future__ import annotations

from typing import Any

from feedback.models import FormField, Status
from feedback.texts import is_pk

from ..models import Event, Trigger
from ..models.triggers import DETAILS, EVENTS, REQUIRED
from .problems import ConfigRefused, Problems, member
from .writing import Document

_STATUSES = ("from_status", "to_status")
_MAX_SCORE = 2**31
_MAX_NAME = 100


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


def take_details(
    trigger: Trigger, path: str, problems: Problems, *, by_number: bool = False
) -> None:
    """Make what a document says the event's details; says what is wrong with them.

    A file names statuses, which the API gives by number.
    """
    event, given = trigger.event, trigger.event_details
    if event not in Event.values:
        return  # The trigger's own checks say so.
    if event not in EVENTS[trigger.subject_kind]:
        noun = trigger.subject_kind.label.lower()
        problem = f"The macro runs on {noun}s, and this happens to none."
        problems.add(member(path, "event"), problem)
        return
    where, known = member(path, "event_details"), DETAILS.get(event, ())
    if not isinstance(given, dict):
        problems.add(where, "This must be a group of members.")
        return
    trigger.event_details = {}
    needed = REQUIRED.get(event)
    if needed and given.get(needed) in (None, ""):
        problems.add(member(where, needed), "This event needs it.")
    for name, value in given.items():
        if name not in known:
            problems.add(member(where, name[:60]), "This event takes no such member.")
        elif value not in (None, "") and (
            problem := _take(trigger, name, value, by_number)
        ):
            problems.add(member(where, name), problem)


def _take(trigger: Trigger, name: str, value: Any, by_number: bool) -> str:
    """Keep one of the details; or why it can't be, as a sentence."""
    kept = value
    if name == "score":
        if type(value) is not int or abs(value) >= _MAX_SCORE:
            return "This must be a whole number."
    elif name in _STATUSES and by_number:
        if not (is_pk(value) and _statuses(trigger).filter(pk=value).exists()):
            return f"There is no status {str(value)[:60]} of the macro's feedback type."
    elif not isinstance(value, str):
        return "This must be text."
    elif len(value) > _MAX_NAME:
        return f"This has at most {_MAX_NAME} characters."
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
