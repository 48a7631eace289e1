"""The triggers of macros, as the pages of macros and feedback types list them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import Exists, Max, OuterRef, QuerySet
from django.urls import reverse

from feedback.access.keys import Actor

from ..models import Macro, Trigger, TriggerDecision
from ..runs.listing import AutomationRow
from .events import Details
from .matching import Matching
from .words import sentence

_CHANGE = "macros.change_trigger"


def rows_for(user: Actor, macros: QuerySet[Macro]) -> list[AutomationRow]:
    """Those that the user may see."""
    changeable = Trigger.objects.visible_to(user, _CHANGE).filter(pk=OuterRef("pk"))
    visible: Any = Trigger.objects.visible_to(user).filter(macro__in=macros)
    visible = visible.annotate(may_change=Exists(changeable))
    related = ("macro__feedback_type", "filter__feedback_type__project__community")
    triggers: list[Any] = list(
        visible.select_related(*related).order_by("macro__name", "name")
    )
    if not triggers:
        return []
    pks = [trigger.pk for trigger in triggers]
    details, matching, last = Details(triggers), Matching(), last_decisions(pks)
    return [
        _row(
            trigger,
            sentence(trigger, details, matching),
            last.get(trigger.pk),
            trigger.may_change,
        )
        for trigger in triggers
    ]


def last_decisions(pks: Collection[int]) -> dict[int, TriggerDecision]:
    """The newest of each trigger that has decided anything."""
    own = TriggerDecision.objects.filter(trigger__in=pks).order_by()
    newest = own.values("trigger").annotate(newest=Max("pk")).values("newest")
    rows = TriggerDecision.objects.filter(pk__in=newest).select_related("run")
    return {row.trigger_id: row for row in rows}


def result_of(decision: TriggerDecision) -> str:
    """`Could not run: The macro is off.`"""
    outcome = decision.get_outcome_display()
    return f"{outcome}: {decision.detail}" if decision.detail else outcome


def _row(
    trigger: Trigger,
    words: str,
    last: TriggerDecision | None,
    may_change: bool,
) -> AutomationRow:
    return AutomationRow(
        sentence=words,
        macro=trigger.macro.name,
        url=reverse("admin:macros_trigger_change", args=[trigger.pk]),
        toggle_url=reverse("admin:macros_trigger_toggle", args=[trigger.pk]),
        is_active=trigger.is_active,
        may_change=may_change,
        last_at=last.created_at if last else None,
        last_result=result_of(last) if last else "",
        last_run=last.run if last else None,
    )
