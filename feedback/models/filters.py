from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models

from ..access.actors import ScopedQuerySet, Tenancy
from ..access.privacy import NOTHING_PERSONAL
from .communities import Community, Project
from .folded import unique_name
from .owned import Owned
from .subject_kinds import SubjectKind
from .types import FeedbackType


class Filter(Owned, models.Model):
    """A saved, named set of conditions that selects tickets or testers.

    Of a feedback type it selects its tickets; of a project its tickets or the testers
    who submitted in it; of a community its testers. What `conditions` holds is read by
    `feedback.selection.saved` alone.
    """

    community = models.ForeignKey(
        Community, models.CASCADE, related_name="filters", editable=False
    )
    project = models.ForeignKey(
        Project, models.CASCADE, related_name="filters", null=True, editable=False
    )
    feedback_type = models.ForeignKey(
        FeedbackType, models.CASCADE, related_name="filters", null=True, blank=True
    )
    subject_kind = models.CharField(
        "selects", max_length=10, choices=SubjectKind, default=SubjectKind.FEEDBACK
    )
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    conditions = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField("created", auto_now_add=True)
    modified_at = models.DateTimeField("modified", auto_now=True)

    # Reads the conditions, or raises ValidationError. What does so stands above the
    # models, and is put here when the app is ready.
    check_conditions: ClassVar[Callable[[Filter], None]]

    tenancy = Tenancy("community", "project")
    privacy = NOTHING_PERSONAL
    objects = ScopedQuerySet["Filter"].as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            unique_name(
                "feedback_type",
                name="filter_name_in_type",
                message="The type has a filter of this name.",
            ),
            unique_name(
                "project",
                "subject_kind",
                within=models.Q(feedback_type=None),
                name="filter_name_in_project",
                message="The project has a filter of this name.",
            ),
            unique_name(
                "community",
                within=models.Q(project=None),
                name="filter_name_in_community",
                message="The community has a filter of this name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.find_owners()
        super().save(*args, **kwargs)

    @property
    def selects(self) -> str:
        """Its subjects in words, for a list or a sentence."""
        if self.feedback_type is not None:
            return f"tickets of {self.feedback_type}"
        if self.subject_kind == SubjectKind.FEEDBACK:
            return f"tickets of {self.project}"
        return f"testers of {self.project or self.community}"

    def clean(self) -> None:
        self.find_owners()
        selects_tickets = self.subject_kind == SubjectKind.FEEDBACK
        if self.feedback_type_id is not None and not selects_tickets:
            problem = "A filter of a feedback type selects its tickets."
            raise ValidationError({"subject_kind": problem})
        if selects_tickets and self.project_id is None:
            problem = "A filter of a whole community selects testers."
            raise ValidationError({"subject_kind": problem})
        Filter.check_conditions(self)
