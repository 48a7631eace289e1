from __future__ import annotations

from feedback.models import SubjectKind
from feedback.selection.conditions import ChoiceFilter, NumberFilter, TextFilter
from feedback.selection.filtersets import StrictFilterSet


class MacroFilterSet(StrictFilterSet):
    type = NumberFilter(lookup="feedback_type", help_text="Number of a feedback type.")
    project = NumberFilter(lookup="project", help_text="Number of a project.")
    subject_kind = ChoiceFilter(
        lookup="feedback_type__isnull",
        meanings={SubjectKind.FEEDBACK.value: False, SubjectKind.TESTER.value: True},
        help_text="What it is run on.",
    )
    name = TextFilter(lookup="name", help_text="The whole name.")
    is_active = ChoiceFilter(
        lookup="is_active",
        meanings={"true": True, "false": False},
        help_text="Whether it is switched on.",
    )
