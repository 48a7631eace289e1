"""The tickets and testers that a macro may run on."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from feedback.access.actors import ScopedQuerySet
from feedback.models import Feedback, SubjectKind, Tester
from logs.models import Cause, Delivery, DeliveryState, Run, Subjects

from ..models import Macro

# In these states a delivery is done, or will be.
_TAKEN = [DeliveryState.DELIVERED, DeliveryState.PENDING, DeliveryState.WAITING]


def nothing_left(macro: Macro) -> str:
    """The message if a macro that runs once has run on all that are selected."""
    kind = macro.subject_kind.label.lower()
    return f"This macro runs once per {kind}, and has run on all that are selected."


def not_run_on(macro: Macro, subjects: Subjects, but: Run | None = None) -> Subjects:
    """All subjects, or those on which a macro that runs once on each has not run yet.

    `but` is a run that does not count: the one that is being started.
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


def subjects_of(macro: Macro) -> ScopedQuerySet[Any]:
    """All that the macro may be run on; each once."""
    model = Feedback if macro.subject_kind == SubjectKind.FEEDBACK else Tester
    rows: ScopedQuerySet[Any] = model.objects.filter(runs_on(macro))
    return rows


def runs_on(macro: Macro) -> Q:
    """Selects what the macro may be run on among tickets or testers."""
    if macro.subject_kind == SubjectKind.FEEDBACK:
        return Q(feedback_type=macro.feedback_type_id)
    testers = Q(community=macro.community_id, erased_at=None)
    if macro.project_id is None:
        return testers
    # The project's people see its runs, and must see no other project's testers there.
    own = Feedback.objects.filter(feedback_type__project=macro.project_id)
    return testers & Q(pk__in=own.values("submitter"))


def macros_for(tester: Tester, macros: QuerySet[Macro]) -> QuerySet[Macro]:
    """Those of the macros that may be run on the tester."""
    if tester.erased_at is not None:
        return macros.none()
    submitted_in = tester.tickets.order_by().values("feedback_type__project")
    owner = Q(project=None) | Q(project__in=submitted_in)
    return macros.filter(owner, feedback_type=None, community=tester.community_id)
