"""The schedules of macros, as the pages of macros and feedback types list them."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.urls import reverse

from feedback.access.keys import Actor

from ..models import Macro, Occurrence, OccurrenceOutcome, Schedule
from ..runs.listing import AutomationRow
from .words import sentence

_CHANGE = "macros.change_schedule"


def rows_for(user: Actor, macros: QuerySet[Macro]) -> list[AutomationRow]:
    """Those that the user may see."""
    changeable = Schedule.objects.visible_to(user, _CHANGE).filter(pk=OuterRef("pk"))
    visible: Any = Schedule.objects.visible_to(user).filter(macro__in=macros)
    visible = visible.annotate(may_change=Exists(changeable))
    related = visible.select_related("macro", "filter").order_by("macro__name", "name")
    schedules: list[Any] = list(with_last(related))
    if not schedules:
        return []
    newest = [getattr(schedule, "last_pk", None) for schedule in schedules]
    last = Occurrence.objects.select_related("run").in_bulk(filter(None, newest))
    return [
        _row(schedule, last.get(getattr(schedule, "last_pk", 0)), schedule.may_change)
        for schedule in schedules
    ]


def with_last(schedules: QuerySet[Schedule]) -> QuerySet[Schedule]:
    """With key and outcome of the last moment of each: `last_pk`, `last_outcome`."""
    past = Occurrence.objects.filter(schedule=OuterRef("pk")).order_by("-pk")
    return schedules.annotate(
        last_pk=Subquery(past.values("pk")[:1]),
        last_outcome=Subquery(past.values("outcome")[:1]),
    )


def last_of(schedule: Schedule) -> str:
    """What became of its last moment, in words; it was read by `with_last`."""
    outcome: str = getattr(schedule, "last_outcome", None) or ""
    return str(OccurrenceOutcome(outcome).label) if outcome else ""


def _row(
    schedule: Schedule, last: Occurrence | None, may_change: bool
) -> AutomationRow:
    on = f", on {schedule.filter}" if schedule.filter else ""
    return AutomationRow(
        sentence=f"{sentence(schedule.timetable)}{on}",
        macro=schedule.macro.name,
        url=reverse("admin:macros_schedule_change", args=[schedule.pk]),
        toggle_url=reverse("admin:macros_schedule_toggle", args=[schedule.pk]),
        is_active=schedule.is_active,
        may_change=may_change,
        next_at=schedule.next_run_at,
        last_at=last.started_at if last else None,
        last_result=last.get_outcome_display() if last else "",
        last_run=last.run if last else None,
    )
