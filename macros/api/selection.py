"""The tickets or testers that a request to run a macro names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict

from feedback.access.keys import Actor
from feedback.access.roles import VIEW_TESTER
from feedback.models import Community, FeedbackType, Filter, Project, SubjectKind
from feedback.rest.problems import in_body, invalid
from feedback.selection.filtersets import StrictFilterSet
from feedback.selection.testers import TesterFilterSet
from feedback.selection.tickets import FeedbackFilterSet

from ..models import Macro, fitting
from ..runs import subjects_of

Selection = tuple[QuerySet, str]


def selected(asked: dict[str, Any], macro: Macro, actor: Actor) -> Selection:
    """The subjects, and how they were selected in words. Raises Problem."""
    own = subjects_of(macro)
    own = own.filter(pk__in=own.model.objects.visible_to(actor).values("pk"))
    if "ids" in asked:
        return _by_ids(asked["ids"], macro, own)
    if "saved_filter" in asked:
        given = {"filter": asked["saved_filter"]}
        return _by_filter(given, macro, own, actor, {"filter": ["saved_filter"]})
    return _by_filter(asked["filter"], macro, own, actor)


def _by_ids(ids: list[int], macro: Macro, own: QuerySet) -> Selection:
    """All or none: one that is hidden, gone, or not the macro's refuses the rest."""
    subjects = own.filter(pk__in=set(ids))
    known = set(subjects.order_by().values_list("pk", flat=True))
    missing = [index for index, number in enumerate(ids) if number not in known]
    if missing:
        noun = macro.subject_kind.label.lower()
        raise invalid(
            in_body(
                ["ids", index],
                f"There is no {noun} {ids[index]} of {macro.owner}.",
            )
            for index in missing
        )
    return subjects, f"{len(known)} by number"


def _by_filter(
    conditions: dict[str, object],
    macro: Macro,
    own: QuerySet,
    actor: Actor,
    members: Mapping[str, list[str]] = MappingProxyType({}),
) -> Selection:
    """`members` says where in the body a condition stands, if not in `filter`."""
    data = QueryDict(mutable=True)
    for name, value in conditions.items():
        data.setlist(name, list(_texts(name, value)))
    filterset = _filterset(macro, data, own, actor)
    if filterset.errors:
        raise invalid(
            in_body(members.get(name, ["filter", name]), problem)
            for name, problems in filterset.errors.items()
            for problem in problems
        )
    return filterset.qs, filterset.words


def _filterset(
    macro: Macro, data: QueryDict, own: QuerySet, actor: Actor
) -> StrictFilterSet:
    if macro.subject_kind == SubjectKind.FEEDBACK:
        types = FeedbackType.objects.filter(macros=macro)
        return FeedbackFilterSet(data, own, types=types)
    # Only what a caller may see is spoken of.
    communities = Community.objects.visible_to(actor, VIEW_TESTER)
    projects = Project.objects.visible_to(actor, VIEW_TESTER)
    return _OwnFilters(
        data,
        own,
        macro=macro,
        communities=communities.filter(pk=macro.community_id),
        projects=projects.filter(community=macro.community_id),
    )


class _OwnFilters(TesterFilterSet):
    """Over testers; of saved filters it knows those that fit the macro."""

    def __init__(self, *args: Any, macro: Macro, **options: Any) -> None:
        self.macro = macro
        super().__init__(*args, **options)

    @property
    def saved_filters(self) -> QuerySet[Filter]:
        return super().saved_filters.filter(fitting(self.macro))


def _texts(name: str, value: object) -> Iterator[str]:
    """As they would stand in a URL's query."""
    for each in value if isinstance(value, list) and value else [value]:
        if isinstance(each, bool):
            yield "true" if each else "false"
        elif isinstance(each, str | int | float):
            yield str(each)
        else:
            problem = "Give a string, a number, true or false, or a list of them."
            raise invalid([in_body(["filter", name], problem)])
