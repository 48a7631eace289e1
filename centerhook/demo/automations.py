"""What runs by itself in the demo: a filter, a trigger and a schedule."""

from __future__ import annotations

from django.db.models import Model
from django.utils import timezone

from feedback.models import FeedbackType, Filter
from macros.models import Event, Macro, Rate, Schedule, Trigger

from .macros import CREATE_JIRA_ISSUE, POST_TO_SLACK

OPEN_CRITICAL = "Open critical bugs"
_CONDITIONS = {
    "match": "all",
    "conditions": [
        {"field": "open", "qualifier": "yes"},
        {"field": "field_severity", "qualifier": "is", "value": "Critical"},
    ],
}


def ensure_automations(bug_type: FeedbackType) -> None:
    """Made once, with the filter: what people changed or deleted since stays so."""
    if Filter.objects.filter(feedback_type=bug_type, name=OPEN_CRITICAL).exists():
        return
    critical = Filter(
        feedback_type=bug_type,
        name=OPEN_CRITICAL,
        description="What cannot wait.",
        conditions=_CONDITIONS,
    )
    _save(critical)
    macros = {each.name: each for each in Macro.objects.filter(feedback_type=bug_type)}
    _save(_trigger(macros[POST_TO_SLACK], critical))
    _save(_schedule(macros[CREATE_JIRA_ISSUE], critical))


def _save(row: Model) -> None:
    row.full_clean()
    row.save()


def _trigger(macro: Macro, critical: Filter) -> Trigger:
    return Trigger(
        macro=macro,
        filter=critical,
        name="New critical bugs",
        description="Submit one, and a message arrives.",
        event=Event.SUBMITTED,
    )


def _schedule(macro: Macro, critical: Filter) -> Schedule:
    return Schedule(
        macro=macro,
        filter=critical,
        name="Critical bugs into Jira",
        description="Each once: what was delivered before is left out.",
        rate=Rate.MINUTES,
        every=5,
        start_at=timezone.now(),
        only_undelivered=True,
    )
