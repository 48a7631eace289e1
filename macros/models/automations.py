"""What a trigger and a schedule have in common."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from feedback.models import Community, FeedbackType, Filter, Project, SubjectKind

from .macros import Macro


class Automation(models.Model):
    """Runs a macro without a click, on what its filter selects.

    It belongs to whatever its macro belongs to. Without a filter it is for all that the
    macro may be run on. A filter that is in use can't be deleted: what has lost it
    would be for all.
    """

    community = models.ForeignKey(
        Community, models.CASCADE, related_name="%(class)ss", editable=False
    )
    project = models.ForeignKey(
        Project, models.CASCADE, related_name="%(class)ss", null=True, editable=False
    )
    macro = models.ForeignKey(Macro, models.CASCADE, related_name="%(class)ss")
    filter = models.ForeignKey(
        Filter,
        models.RESTRICT,
        related_name="%(class)ss",
        null=True,
        blank=True,
        help_text="Leave it empty for all that the macro runs on.",
    )
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    is_active = models.BooleanField("on", default=True)
    created_at = models.DateTimeField("created", auto_now_add=True)
    modified_at = models.DateTimeField("modified", auto_now=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.find_owners()
        super().save(*args, **kwargs)

    def find_owners(self) -> None:
        self.community, self.project = self.macro.community, self.macro.project

    @property
    def feedback_type(self) -> FeedbackType | None:
        return self.macro.feedback_type

    @property
    def subject_kind(self) -> SubjectKind:
        return self.macro.subject_kind

    def clean(self) -> None:
        if self.macro_id is None or self.filter is None:
            return
        if not fits(self.filter, self.macro):
            raise ValidationError({"filter": misfit(self.filter, self.macro)})


def fits(chosen: Filter, macro: Macro) -> bool:
    """Whether what the filter selects may be what the macro runs on.

    A filter of a wider owner fits: of what it selects only the macro's own are taken.
    """
    if chosen.subject_kind != macro.subject_kind:
        return False
    if chosen.feedback_type_id is not None:
        return chosen.feedback_type_id == macro.feedback_type_id
    if chosen.project_id is not None:
        return chosen.project_id == macro.project_id
    return chosen.community_id == macro.community_id


def misfit(chosen: Filter, macro: Macro) -> str:
    """The sentence about a filter that does not fit."""
    return (
        f"The filter {chosen} selects {chosen.selects}, and the macro runs on"
        f" {macro.runs_on}."
    )


def fitting(macro: Macro) -> Q:
    """The same, as what selects filters."""
    own = Q(feedback_type=None, project=None, community=macro.community_id)
    if macro.project_id is not None:
        own |= Q(feedback_type=None, project=macro.project_id)
    if macro.feedback_type_id is not None:
        own |= Q(feedback_type=macro.feedback_type_id)
    return own & Q(subject_kind=macro.subject_kind)
