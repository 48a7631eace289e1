"""A filter's conditions as a file has them: by name, where a database knows a key.

In the file a status stands as its name, or as `{"type": ..., "status": ...}` in a
filter of a whole project, whose types may have statuses of one name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Model, QuerySet

from feedback.models import Community, FeedbackType, Filter, Project, Status
from feedback.texts import is_pk

from .problems import ConfigRefused, Problems, member
from .writing import Document

# Given the field, its value and the value's path, what stands in its place.
Translation = Callable[[str, object, str], object]
_MAX_SHOWN = 60


def translated(group: Any, path: str, one: Translation) -> Any:
    """The same conditions, with each value that is a row made another by `one`."""
    if not isinstance(group, dict):
        return group
    rows = group.get("conditions")
    if isinstance(rows, list):
        where = member(path, "conditions")
        own = [
            translated(each, f"{where}[{number}]", one)
            for number, each in enumerate(rows)
        ]
        return {**group, "conditions": own}
    field, value = group.get("field"), group.get("value")
    if field not in _ROWS or value in (None, "", []):
        return group
    where = member(path, "value")
    if not isinstance(value, list):
        return {**group, "value": one(field, value, where)}
    values = [one(field, each, f"{where}[{n}]") for n, each in enumerate(value)]
    return {**group, "value": values}


def named(row: Filter) -> Any:
    """The conditions for a file. Raises ConfigRefused where one has lost its row."""

    def one(field: str, value: object, path: str) -> object:
        match = _by_key(_ROWS[field](row), value)
        if match is None:
            problem = (
                f"The filter {row} has lost a {field} that it speaks of ({path}), so it"
                " matches nothing. Mend or delete it, then export again."
            )
            raise ConfigRefused([problem])
        if isinstance(match, Status) and row.feedback_type is None:
            return {"type": match.feedback_type.name, "status": match.name}
        return str(getattr(match, "name", ""))

    return translated(row.conditions, "conditions", one)


def keyed(
    row: Filter, document: Document, path: str, problems: Problems, source: str
) -> Any:
    """The conditions of a file as they are stored.

    `source` is the name of the project that the file is from: it stands for the project
    that is imported into.
    """

    def one(field: str, value: object, where: str) -> object:
        own = row.project if field == "project" and value == source else None
        match = own or _by_name(_ROWS[field](row), value)
        if match is None:
            problem = f"There is no {field} {_shown(value)} of {row.owner}."
            problems.add(where, problem)
            return value
        return match.pk

    return translated(document, path, one)


def _statuses(row: Filter) -> QuerySet[Status]:
    return Status.objects.filter(feedback_type__in=_types(row))


def _types(row: Filter) -> QuerySet[FeedbackType]:
    if row.feedback_type is not None:
        return FeedbackType.objects.filter(pk=row.feedback_type.pk)
    return FeedbackType.objects.filter(project=row.project)


def _projects(row: Filter) -> QuerySet[Project]:
    return Project.objects.filter(community=row.community)


def _communities(row: Filter) -> QuerySet[Community]:
    return Community.objects.filter(pk=row.community.pk)


# The fields whose values are rows, and the rows that a filter may speak of.
_ROWS: dict[str, Callable[[Filter], QuerySet[Any]]] = {
    "status": _statuses,
    "type": _types,
    "project": _projects,
    "community": _communities,
}


def _by_key(rows: QuerySet[Any], value: object) -> Model | None:
    return rows.filter(pk=value).first() if is_pk(value) else None


def _by_name(rows: QuerySet[Any], value: object) -> Any:
    """The one row of this name; none where several are called so."""
    names = {"name": value} if isinstance(value, str) else {}
    if isinstance(value, dict) and set(value) == {"type", "status"}:
        names = {"feedback_type__name": value["type"], "name": value["status"]}
    if not names or not all(isinstance(each, str) for each in names.values()):
        return None
    exact = {f"{column}__iexact": name for column, name in names.items()}
    match = list(rows.filter(**exact)[:2])
    return match[0] if len(match) == 1 else None


def _shown(value: object) -> str:
    text = " / ".join(map(str, value.values())) if isinstance(value, dict) else value
    return f"'{str(text)[:_MAX_SHOWN]}'"
