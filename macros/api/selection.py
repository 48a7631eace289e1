"""The tickets that a request to run a macro names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict

from feedback.filters import FeedbackFilterSet
from feedback.models import Feedback, FeedbackType
from feedback.rest.problems import in_body, invalid

from ..models import Macro

Selection = tuple[QuerySet[Feedback], str]


def selected(asked: dict[str, Any], macro: Macro, actor: Any) -> Selection:
    """The tickets, and how they were selected in words. Raises Problem."""
    own = Feedback.objects.visible_to(actor).filter(feedback_type=macro.feedback_type)
    if "ids" in asked:
        return _by_ids(asked["ids"], macro, own)
    return _by_filter(asked["filter"], macro, own)


def _by_ids(ids: list[int], macro: Macro, own: QuerySet[Feedback]) -> Selection:
    """All or none: one that is hidden, gone, or of another type refuses the rest."""
    tickets = own.filter(pk__in=set(ids))
    found = set(tickets.order_by().values_list("pk", flat=True))
    missing = [place for place, number in enumerate(ids) if number not in found]
    if missing:
        raise invalid(
            in_body(
                ["ids", place],
                f"There is no ticket {ids[place]} of {macro.feedback_type}.",
            )
            for place in missing
        )
    return tickets, f"{len(found)} by number"


def _by_filter(
    conditions: dict[str, Any], macro: Macro, own: QuerySet[Feedback]
) -> Selection:
    data = QueryDict(mutable=True)
    words = []
    for name, value in conditions.items():
        texts = list(_texts(name, value))
        data.setlist(name, texts)
        words.append(f"{name}: {', '.join(texts)}")
    types = FeedbackType.objects.filter(macros=macro)
    filterset = FeedbackFilterSet(data, own, types=types)
    if filterset.errors:
        raise invalid(
            in_body(["filter", name], problem)
            for name, problems in filterset.errors.items()
            for problem in problems
        )
    return filterset.qs, "; ".join(words)


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
