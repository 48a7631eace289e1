"""Saved filters: what they select, what is wrong with them, and why a row is not in."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from ..access.keys import Actor
from ..models import (
    Community,
    Feedback,
    FeedbackType,
    Filter,
    Project,
    SubjectKind,
    Tester,
)
from .catalogue import Catalogue, TesterCatalogue, TicketCatalogue
from .compiler import NOTHING, Condition, Group, Problem, Reader
from .kinds import Moment
from .qualifiers import truth_of

Owner = FeedbackType | Project | Community
# `failures` looks at so many rows at once.
MAX_EXPLAINED = 100


class Selecting(Protocol):
    """What has an owner, and is about tickets or about testers."""

    @property
    def owner(self) -> Owner: ...

    @property
    def subject_kind(self) -> str: ...


@dataclass(frozen=True)
class Compiled:
    """With a problem, `q` selects nothing. `words` say all of it."""

    q: Q
    problems: list[Problem]
    words: str


def catalogue_for(
    owner: Owner, subject_kind: str, actor: Actor | None = None
) -> Catalogue:
    """All that can be compared of the owner's tickets or testers.

    With an actor, who writes conditions, only with projects that the actor can see.
    """
    zone = _zone_of(owner)
    if subject_kind == SubjectKind.FEEDBACK:
        return TicketCatalogue(
            zone, _types_of(owner), is_one_type=isinstance(owner, FeedbackType)
        )
    community = owner if isinstance(owner, Community) else _community_of(owner)
    projects = Project.objects.filter(community=community)
    if actor is not None:
        projects = projects.filter(pk__in=projects.visible_to(actor).values("pk"))
    return TesterCatalogue(zone, Community.objects.filter(pk=community.pk), projects)


def _zone_of(owner: Owner) -> ZoneInfo:
    if isinstance(owner, Community):
        return ZoneInfo(settings.TIME_ZONE)
    project = owner.project if isinstance(owner, FeedbackType) else owner
    try:
        return ZoneInfo(project.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # It was saved when the zone was known.
        return ZoneInfo(settings.TIME_ZONE)


def _types_of(owner: Owner) -> QuerySet[FeedbackType]:
    types = FeedbackType.objects.all()
    if isinstance(owner, FeedbackType):
        return types.filter(pk=owner.pk)
    if isinstance(owner, Project):
        return types.filter(project=owner.pk)
    return types.filter(project__community=owner.pk)


def _community_of(owner: FeedbackType | Project) -> Community:
    project = owner.project if isinstance(owner, FeedbackType) else owner
    return project.community


def compiled(
    saved: Filter, *, now: datetime | None = None, catalogue: Catalogue | None = None
) -> Compiled:
    """`catalogue` is that of its owner, where several filters share one."""
    reader = Reader(catalogue or catalogue_for(saved.owner, saved.subject_kind))
    group = reader.read(saved.conditions)
    if reader.problems:
        return Compiled(NOTHING, reader.problems, _broken(reader.problems))
    at = Moment(now or timezone.now(), reader.catalogue.zone)
    return Compiled(group.q(at), [], group.words)


def problems_of(saved: Filter, catalogue: Catalogue | None = None) -> list[Problem]:
    """What it has lost; nothing is compiled."""
    reader = Reader(catalogue or catalogue_for(saved.owner, saved.subject_kind))
    reader.read(saved.conditions)
    return reader.problems


def _broken(problems: list[Problem]) -> str:
    return "Matches nothing: " + " ".join(str(problem) for problem in problems)


def parsed(
    conditions: object, owner: Owner, subject_kind: str, actor: Actor | None = None
) -> tuple[dict[str, Any], list[Problem]]:
    """The conditions as a filter keeps them, and what is wrong with them.

    With an actor, who writes them, projects that the actor can't see are not there.
    """
    reader = Reader(catalogue_for(owner, subject_kind, actor))
    group = reader.read(conditions)
    return group.kept, reader.problems


def check(saved: Filter) -> None:
    """Bring its conditions into the form that is kept; raises ValidationError."""
    kept, problems = parsed(saved.conditions, saved.owner, saved.subject_kind)
    if problems:
        raise ValidationError({"conditions": [str(problem) for problem in problems]})
    saved.conditions = kept


def within(saved: Selecting) -> Q:
    """Whose tickets or testers it selects, before all conditions."""
    owner = saved.owner
    if saved.subject_kind == SubjectKind.FEEDBACK:
        if isinstance(owner, FeedbackType):
            return Q(feedback_type=owner.pk)
        return Q(feedback_type__in=_types_of(owner))
    if isinstance(owner, Community):
        return Q(erased_at=None, community=owner.pk)
    tickets = Feedback.objects.filter(
        feedback_type__project=owner.pk, submitter__isnull=False
    )
    return Q(erased_at=None, pk__in=tickets.order_by().values("submitter"))


def all_of(saved: Selecting) -> QuerySet[Any]:
    """Every row that it could select."""
    is_ticket = saved.subject_kind == SubjectKind.FEEDBACK
    rows: QuerySet[Any] = Feedback.objects.all() if is_ticket else Tester.objects.all()
    return rows.filter(within(saved))


def rows_of(saved: Filter, *, now: datetime | None = None) -> QuerySet[Any]:
    return all_of(saved).filter(compiled(saved, now=now).q)


def failures(
    saved: Filter,
    pks: Collection[int],
    *,
    now: datetime | None = None,
    catalogue: Catalogue | None = None,
) -> dict[int, str]:
    """For those of the rows that don't match, the first condition that failed."""
    pks = list(pks)[:MAX_EXPLAINED]
    reader = Reader(catalogue or catalogue_for(saved.owner, saved.subject_kind))
    group = reader.read(saved.conditions)
    if reader.problems:
        return dict.fromkeys(pks, str(reader.problems[0]))
    at = Moment(now or timezone.now(), reader.catalogue.zone)
    looked_at = {f"met_{n}": leaf for n, leaf in enumerate(_leaves(group))}
    columns = {name: truth_of(leaf.q(at)) for name, leaf in looked_at.items()}
    for name, leaf in looked_at.items():
        if (column := _shown(leaf)) is not None:
            columns[f"value_{name}"] = column
    rows = {
        row["pk"]: row
        for row in all_of(saved).filter(pk__in=pks).values("pk", **columns)
    }
    reasons = {}
    for pk in pks:
        if pk not in rows:
            reasons[pk] = f"It is not among the {saved.selects}."
        elif reason := _first_failure(group, rows[pk], looked_at, at.zone):
            reasons[pk] = reason
    return reasons


def _shown(condition: Condition) -> Any:
    column = condition.field.shown or condition.field.column
    return F(column) if isinstance(column, str) else column


def _leaves(group: Group) -> list[Condition]:
    leaves: list[Condition] = []
    for part in group.parts:
        leaves += _leaves(part) if isinstance(part, Group) else [part]
    return leaves


def _first_failure(
    part: Group | Condition,
    row: dict[str, Any],
    looked_at: dict[str, Condition],
    zone: tzinfo,
) -> str:
    """Empty where the row meets it."""
    if isinstance(part, Condition):
        [name] = [name for name, leaf in looked_at.items() if leaf is part]
        if row[name]:
            return ""
        if f"value_{name}" not in row:
            return f"{part.field.label} needs: {part.needs}"
        value = part.field.kind.shown(row[f"value_{name}"], zone)
        return f"{part.field.label} is {value}, needs: {part.needs}"
    reasons = [_first_failure(each, row, looked_at, zone) for each in part.parts]
    if part.match == "all":
        return next((reason for reason in reasons if reason), "")
    if not reasons or not all(reasons):
        return ""
    return "None of these: " + "; ".join(reasons)
