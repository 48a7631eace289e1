"""Tags of what started a run without a click: a trigger's change, a schedule's moment.

All of them are empty where a person started it.
"""

from __future__ import annotations

from operator import attrgetter

from feedback.names import normalise

from .scope import FEEDBACK, RenderContext, Scope
from .tag import Resolve, Tag

_GROUP = "Automation"
BEGINNINGS = [
    Tag(
        "Trigger",
        _GROUP,
        "The name of the trigger that started the run",
        "New critical bugs",
        "text",
        attrgetter("beginning.trigger"),
    ),
    Tag(
        "Changed Fields",
        _GROUP,
        "What had changed when a trigger started the run",
        "Status, Severity",
        "list",
        lambda context: list(context.beginning.changed_fields),
        reads_change=True,
    ),
    Tag(
        "Changed By",
        _GROUP,
        "Who or what had made that change",
        "ada",
        "text",
        attrgetter("beginning.changed_by"),
        reads_change=True,
    ),
    Tag(
        "Scheduled For",
        _GROUP,
        "The moment for which a schedule started the run, which may be late",
        "2026-03-16T09:00:00+00:00",
        "date",
        attrgetter("beginning.scheduled_for"),
    ),
]
_TICKETS_OWN = ("Status", "Title", "Description", "Visibility")
_TESTERS_OWN = (
    "Email",
    "First Name",
    "Last Name",
    "Phone",
    "Company",
    "Street",
    "Street 2",
    "City",
    "Region",
    "Postal Code",
    "Country",
    "Score",
)
# The normalised name in a tag, and the one that conditions have.
_CONDITIONS = {"street": "street1", "street_2": "street2"}


def find_previous(name: str, scope: Scope) -> Tag | None:
    """`Status`, `Severity`, `Field: Severity` or `External: jira_key`."""
    prefix, colon, own = name.partition(":")
    if colon and normalise(prefix) == "external":
        key = normalise(own)
        return _previous(f"External: {key}", f"external_{key}") if key else None
    if colon and normalise(prefix) != "field":
        return None
    wanted = normalise(own if colon else name)
    labels = _TICKETS_OWN if scope.subject_kind == FEEDBACK else _TESTERS_OWN
    for label in () if colon else labels:
        if normalise(label) == wanted:
            kind = "number" if label == "Score" else "text"
            return _previous(label, _CONDITIONS.get(wanted, wanted), kind)
    info = scope.fields.get(wanted) if scope.subject_kind == FEEDBACK else None
    if info is None:
        return None
    return _previous(f"Field: {info.label}", f"field_{info.key}", info.type)


def _previous(label: str, condition: str, kind: str = "text") -> Tag:
    return Tag(
        f"Previous: {label}",
        _GROUP,
        f"What {label} was before the change",
        "",
        kind,
        _before(condition),
        reads_change=True,
    )


def _before(condition: str) -> Resolve:
    def resolve(context: RenderContext) -> object:
        before = context.beginning.before
        if condition in before:
            return before[condition]
        matches = (value for name, value in before.items() if normalise(name) == wanted)
        return next(matches, None)

    wanted = normalise(condition)
    return resolve
