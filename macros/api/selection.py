"""The tickets or testers that a request to run a macro names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict

from feedback.models import FeedbackType, Project
from feedback.rest.problems import in_body, invalid
from feedback.selection.conditions import StrictFilterSet
from feedback.selection.testers import TesterFilterSet
from feedback.selection.tickets import FeedbackFilterSet
from logs.models import SubjectKind

from ..models import Macro
from ..runs import subjects_of

Selection = tuple[QuerySet[Any], str]


def selected(asked: dict[str, Any], macro: Macro, actor: Any) -> Selection:
    """The subjects, and how they were selected in words. Raises Problem."""
    own = subjects_of(macro)
    own = own.filter(pk__in=own.model.objects.visible_to(actor).values("pk"))
    if "ids" in asked:
        return _by_ids(asked["ids"], macro, own)
    return _by_filter(asked["filter"], macro, own, actor)


def _by_ids(ids: list[int], macro: Macro, own: QuerySet[Any]) -> Selection:
    """All or none: one that is hidden, gone, or not the macro's refuses the rest."""
    subjects = own.filter(pk__in=set(ids))
    found = set(subjects.order_by().values_list("pk", flat=True))
    missing = [place for place, number in enumerate(ids) if number not in found]
    if missing:
        called = macro.subject_kind.label.lower()
        raise invalid(
            in_body(
                ["ids", place],
                f"There is no {called} {ids[place]} of {macro.owner}.",
            )
            for place in missing
        )
    return subjects, f"{len(found)} by number"


def _by_filter(
    conditions: dict[str, Any], macro: Macro, own: QuerySet[Any], actor: Any
) -> Selection:
    data = QueryDict(mutable=True)
    words = []
    for name, value in conditions.items():
        texts = list(_texts(name, value))
        data.setlist(name, texts)
        words.append(f"{name}: {', '.join(texts)}")
    filterset = _filterset(macro, data, own, actor)
    if filterset.errors:
        raise invalid(
            in_body(["filter", name], problem)
            for name, problems in filterset.errors.items()
            for problem in problems
        )
    return filterset.qs, "; ".join(words)


def _filterset(
    macro: Macro, data: QueryDict, own: QuerySet[Any], actor: Any
) -> StrictFilterSet:
    if macro.subject_kind == SubjectKind.FEEDBACK:
        types = FeedbackType.objects.filter(macros=macro)
        return FeedbackFilterSet(data, own, types=types)
    # Only what a caller may see is spoken of.
    projects = Project.objects.visible_to(actor, "feedback.view_tester")
    return TesterFilterSet(
        data, own, projects=projects.filter(community=macro.community_id)
    )


def _texts(name: str, value: Any) -> Iterator[str]:
    """As they would stand in a URL's query."""
    for each in value if isinstance(value, list) and value else [value]:
        if isinstance(each, bool):
            yield "true" if each else "false"
        elif isinstance(each, str | int | float):
            yield str(each)
        else:
            problem = "Give a string, a number, true or false, or a list of them."
            raise invalid([in_body(["filter", name], problem)])
