from __future__ import annotations

from django.db import models

from feedback.access.privacy import NOTHING_PERSONAL
from feedback.changes import ChangeKind
from feedback.models import Visibility

from ...models.steps import Settings
from ...tags import Scope
from ..changes import CompiledChange
from ..kind import StepForm, StepKind


class SetVisibility(StepKind):
    """The step that makes a ticket public or private."""

    kind = "set_visibility"
    SETTINGS = ("visibility",)
    privacy = NOTHING_PERSONAL
    IS_FOR_TESTERS = False
    FORM = StepForm("Set the visibility", order=50, fields=["visibility"])

    visibility = models.CharField(
        max_length=10, choices=Visibility, default=Visibility.PRIVATE
    )

    class Meta(StepKind.Meta):
        verbose_name = "visibility"
        verbose_name_plural = "visibility"

    def __str__(self) -> str:
        return f"Make it {self.visibility}"

    @classmethod
    def compile(cls, settings: Settings, scope: Scope) -> CompiledChange:
        visibility = settings["visibility"]
        words = f"Make the ticket {visibility}"
        return CompiledChange(ChangeKind.VISIBILITY, words, visibility)
