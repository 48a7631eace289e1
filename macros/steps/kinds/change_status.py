from __future__ import annotations

from django.db import models

from feedback.access.privacy import NOTHING_PERSONAL
from feedback.changes import ChangeKind
from feedback.models import Status

from ...models import Macro
from ...models.steps import Problems, Settings
from ...tags import Scope
from ..changes import CompiledChange
from ..kind import StepForm, StepKind


class ChangeStatus(StepKind):
    """The step that gives a ticket a status of its type."""

    kind = "change_status"
    SETTINGS = ("status",)
    privacy = NOTHING_PERSONAL
    NAMED_BY = {"status": "name"}
    IS_FOR_TESTERS = False
    FORM = StepForm("Change the status", order=20, fields=["status"])

    status = models.ForeignKey(Status, models.RESTRICT, related_name="changes_to")

    class Meta(StepKind.Meta):
        verbose_name = "status change"

    def __str__(self) -> str:
        return f"Change the status to {self.status}"

    def problems(self, macro: Macro) -> Problems:
        if self.status_id and self.status.feedback_type_id != macro.feedback_type_id:
            return {"status": ["The status is of another feedback type."]}
        return {}

    @classmethod
    def compile(cls, settings: Settings, scope: Scope) -> CompiledChange:
        status = settings["status"]
        words = f"Change the status to {status}"
        return CompiledChange(ChangeKind.STATUS, words, status)
