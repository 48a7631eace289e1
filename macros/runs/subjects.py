"""The tickets and testers that a macro may run on."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from feedback.models import Feedback, Tester
from logs.models import Cause, Delivery, DeliveryState, Run, SubjectKind

from ..models import Macro

# In these states a delivery is done, or will be.
_TAKEN = [DeliveryState.DELIVERED, DeliveryState.PENDING, DeliveryState.WAITING]


def nothing_left(macro: Macro) -> str:
    """To who selects nothing but what a macro has run on that runs once."""
    called = macro.subject_kind.label.lower()
    return f"This macro runs once per {called}, and has run on all that are selected."


def not_run_on(
    macro: Macro, subjects: QuerySet[Any], but: Run | None = None
) -> QuerySet[Any]:
    """Of the subjects those that are left to a macro which runs once on each.

    `but` is a run that does not count: the one that takes them.
    """
    if not macro.once_per_subject:
        return subjects
    taken = Delivery.objects.filter(
        step=0,
        state__in=_TAKEN,
        run__macro=macro,
        **{macro.subject_kind: OuterRef("pk")},
    ).exclude(run__cause=Cause.TEST)
    if but is not None:
        taken = taken.exclude(run=but)
    return subjects.exclude(Exists(taken))


def subjects_of(macro: Macro) -> Any:
    """All that it may be run on; each once."""
    if macro.subject_kind == SubjectKind.FEEDBACK:
        return Feedback.objects.filter(feedback_type=macro.feedback_type_id)
    testers = Tester.objects.filter(community=macro.community_id, erased_at=None)
    if macro.project_id is None:
        return testers
    # Who works in the project sees its runs, and must see nobody else's testers there.
    own = Feedback.objects.filter(feedback_type__project=macro.project_id)
    return testers.filter(pk__in=own.values("submitter"))


def macros_for(tester: Tester, macros: QuerySet[Macro]) -> QuerySet[Macro]:
    """Of these, the ones that may be run on the tester."""
    if tester.erased_at is not None:
        return macros.none()
    submitted_in = tester.tickets.order_by().values("feedback_type__project")
    place = Q(project=None) | Q(project__in=submitted_in)
    return macros.filter(place, feedback_type=None, community=tester.community_id)
