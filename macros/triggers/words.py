"""A trigger in words: when its macro runs by itself."""

from __future__ import annotations

from ..models import Event, Trigger
from .events import Details
from .matching import Matching


def sentence(
    trigger: Trigger, details: Details | None = None, matching: Matching | None = None
) -> str:
    """`When a Bug Report is submitted and Severity is Critical`."""
    details = details or Details([trigger])
    words = f"When {_event(trigger, details)}"
    if trigger.filter is None:
        return words
    matching = matching or Matching()
    condition = (
        matching.compiled(trigger.filter).words
        or f"the filter {trigger.filter} matches"
    )
    return f"{words} and {condition}"


def _event(trigger: Trigger, details: Details) -> str:
    given = trigger.event_details
    kind = trigger.feedback_type
    ticket = _with_article(kind.name if kind else "ticket")
    match trigger.event:
        case Event.SUBMITTED:
            return f"{ticket} is submitted"
        case Event.MODIFIED:
            return f"{ticket} is modified"
        case Event.STATUS_CHANGED:
            sides = (("from_status", "from"), ("to_status", "to"))
            moves = "".join(
                f" {word} {details.status(trigger, side) or 'a deleted status'}"
                for side, word in sides
                if given.get(side) is not None
            )
            return f"the status of {ticket} changes{moves}"
        case Event.FIELD_CHANGED:
            label = details.field(trigger) or f"the deleted field {given.get('field')}"
            return f"{label} of {ticket} changes"
        case Event.COMMENT_ADDED:
            return f"a comment is added to {ticket}"
        case Event.EXTERNAL_CHANGED:
            name = f" {given['external']}" if given.get("external") else ""
            return f"the external data{name} of {ticket} changes"
        case Event.SCORE_CROSSED:
            return f"a tester's score reaches {given.get('score', 0):,}"
        case Event.TESTER_ADDED:
            return "a tester is added"
    return "a tester changes"


def _with_article(noun: str) -> str:
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"
