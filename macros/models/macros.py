from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from feedback.access import ScopedQuerySet
from feedback.models import FeedbackType

from .. import retries
from .scopes import field_infos


class Macro(models.Model):
    """An ordered list of steps that is run on each selected ticket of a type."""

    feedback_type = models.ForeignKey(
        FeedbackType, models.CASCADE, related_name="macros"
    )
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    is_active = models.BooleanField(
        "on", default=True, help_text="A macro that is off is not offered as an action."
    )
    retry_ladder = models.CharField(
        "retry after",
        max_length=200,
        blank=True,
        default=retries.DEFAULT_LADDER,
        help_text="The waits before each retry of a request that failed for a cause"
        " that may pass. Empty: no retries.",
    )
    created_at = models.DateTimeField("created", auto_now_add=True)
    modified_at = models.DateTimeField("modified", auto_now=True)

    objects = ScopedQuerySet["Macro"].as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["feedback_type", "name"],
                name="macro_name_in_type",
                violation_error_message="The type has a macro of this name.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        try:
            retries.parse_ladder(self.retry_ladder)
        except ValueError as error:
            raise ValidationError({"retry_ladder": str(error)}) from error

    def snapshot(self) -> dict[str, Any]:
        """All that a run needs of the macro, so that later edits don't reach it."""
        steps = self.steps.select_related("webrequest")
        return {
            "macro": self.name,
            "retry_ladder": self.retry_ladder,
            "steps": [step.webrequest.snapshot() for step in steps],
            "fields": [asdict(info) for info in field_infos(self.feedback_type)],
        }


class Step(models.Model):
    """One thing that a macro does; each kind is a model of its own below this one."""

    macro = models.ForeignKey(Macro, models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField("order", default=0)

    objects = ScopedQuerySet["Step"].as_manager()

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return f"Step {self.position} of {self.macro}"
