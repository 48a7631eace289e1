"""Which listeners and external sources use a row.

They name statuses and questions as people do, so that a listener of a whole project or
community may speak of several types at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator

from django.db import models
from django.db.models import Q, QuerySet

from feedback.models import (
    ApiKey,
    ExternalSource,
    FeedbackType,
    Filter,
    FormField,
    Status,
    SubjectKind,
)
from feedback.names import fold

from ..tags import normalise
from .listener_parts import ActionKind, ListenerAction, Scheme
from .listeners import Listener
from .macros import Macro
from .secrets import Secret

User = tuple[models.Model, str]
# The tag of a question, also where a template has faults.
FIELD_TAG = re.compile(r"\(\([ \t]*field[ \t]*:([^()|\n]{1,200})", re.IGNORECASE)


def listeners_using(row: models.Model) -> list[User]:
    """Each once, with the sources."""
    rows = Listener.objects.select_related("community", "project", "feedback_type")
    if isinstance(row, Filter):
        users = [*row.listeners.all()]  # Which a list looks up for all its rows.
    elif isinstance(row, Macro):
        users = [*rows.filter(actions__macro=row).distinct()]
    elif isinstance(row, Secret):
        users = [*rows.filter(checks__secret=row).distinct()]
    elif isinstance(row, ApiKey):
        users = [*rows.filter(checks__api_key=row).distinct()]
    elif isinstance(row, Status):
        sources = ExternalSource.objects.filter(default_status=row)
        return [*_named(_speaking_of_status(row)), *map(_source, sources)]
    elif isinstance(row, FormField):
        names = {normalise(row.label), normalise(row.key)}
        return _named(_speaking_of_question(row, names))
    else:
        users = []
    return _named(users)


def listeners_naming(question: FormField) -> list[User]:
    """Those that name the question by its label."""
    return _named(_speaking_of_question(question, {normalise(question.label)}))


def listeners_setting(question: FormField, choice: str) -> list[User]:
    """Those that may set this choice."""
    names = {normalise(question.label), normalise(question.key)}

    def speaks(action: ListenerAction) -> bool:
        return fold(choice) in {
            fold(value) for name, value in _set_by(action) if normalise(name) in names
        }

    return _named(_speaking(question.feedback_type, speaks))


def listeners_needing_key(community: int) -> QuerySet[Listener]:
    """Those to whom callers show an API key, whichever of the community it is."""
    checks = Q(checks__scheme=Scheme.API_KEY, checks__api_key=None)
    return Listener.objects.filter(checks, community=community).distinct()


def _speaking_of_status(status: Status) -> Iterator[Listener]:
    wanted = fold(status.name)

    def speaks(action: ListenerAction) -> bool:
        return wanted in {
            fold(value) for name, value in _set_by(action) if name == "status"
        }

    return _speaking(status.feedback_type, speaks)


def _speaking_of_question(
    question: FormField, names: Collection[str]
) -> Iterator[Listener]:
    def speaks(action: ListenerAction) -> bool:
        tags = (tag[1] for tag in FIELD_TAG.finditer(action.value))
        return any(
            normalise(name) in names
            for name in (*tags, *(name for name, _ in _set_by(action)))
        )

    return _speaking(question.feedback_type, speaks)


def _set_by(action: ListenerAction) -> Iterator[tuple[str, str]]:
    """What an action sets, by name, and each value that it may set it to.

    A value that is a tag stays one: which it is, only a call says.
    """
    if action.kind == ActionKind.CREATE:
        for line in action.value.splitlines():
            name, _, value = line.partition(":")
            yield fold(name.strip()), value.strip()
    elif action.kind in (ActionKind.STATUS, ActionKind.FIELD):
        name = "status" if action.kind == ActionKind.STATUS else action.name
        yield name, action.value.strip()
        for line in action.value_map.splitlines():
            yield name, line.rpartition("->")[2].strip()


def _speaking(
    of: FeedbackType, speaks: Callable[[ListenerAction], bool]
) -> Iterator[Listener]:
    """The listeners that may find the type's tickets, and have such an action."""
    wider = Q(feedback_type=None, subject_kind=SubjectKind.FEEDBACK)
    wider &= Q(project=of.project_id) | Q(
        project=None, community=of.project.community_id
    )
    rows = Listener.objects.filter(Q(feedback_type=of) | wider)
    rows = rows.select_related("community", "project", "feedback_type")
    for row in rows.prefetch_related("actions"):
        if any(map(speaks, row.actions.all())):
            yield row


def _named(rows: Collection[Listener] | Iterator[Listener]) -> list[User]:
    return [(row, f"Listener {row} ({row.owner})") for row in rows]


def _source(row: ExternalSource) -> User:
    return row, f"External source {row} ({row.feedback_type})"
