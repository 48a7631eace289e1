from __future__ import annotations

from feedback.selection.conditions import (
    ChoiceFilter,
    MomentFilter,
    NumberFilter,
    TextFilter,
)
from feedback.selection.filtersets import StrictFilterSet

from ..models import Cause, DeliveryState, ErrorClass, RunState


class RunFilterSet(StrictFilterSet):
    macro = NumberFilter(lookup="macro", help_text="Number of a macro.")
    state = ChoiceFilter(
        lookup="state", meanings={each: each for each in RunState.values}
    )
    cause = ChoiceFilter(lookup="cause", meanings={each: each for each in Cause.values})
    created_after = MomentFilter(
        lookup="created_at__gte", help_text="Started at this moment or later."
    )
    created_before = MomentFilter(
        lookup="created_at__lt", help_text="Started before this moment."
    )


class AttemptFilterSet(StrictFilterSet):
    delivery = NumberFilter(lookup="delivery", help_text="Number of a delivery.")
    run = NumberFilter(lookup="delivery__run", help_text="Number of a run.")
    error = ChoiceFilter(
        lookup="error_class",
        meanings={each: each for each in ErrorClass.values},
        help_text="Why it failed.",
    )
    started_after = MomentFilter(
        lookup="started_at__gte", help_text="Begun at this moment or later."
    )
    started_before = MomentFilter(
        lookup="started_at__lt", help_text="Begun before this moment."
    )


class DeliveryFilterSet(StrictFilterSet):
    run = NumberFilter(lookup="run", help_text="Number of a run.")
    macro = NumberFilter(lookup="run__macro", help_text="Number of a macro.")
    state = ChoiceFilter(
        lookup="state", meanings={each: each for each in DeliveryState.values}
    )
    error = ChoiceFilter(
        lookup="last_error",
        meanings={each: each for each in ErrorClass.values},
        help_text="Why the last attempt failed.",
    )
    feedback = NumberFilter(lookup="feedback", help_text="Number of a ticket.")
    tester = NumberFilter(lookup="tester", help_text="Number of a tester.")
    reference = TextFilter(
        lookup="subject_label",
        help_text="The ticket's reference, such as BUG-12, or the tester's e-mail.",
    )
