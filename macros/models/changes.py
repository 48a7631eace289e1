"""The steps that change a ticket, or a tester's score, without any request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from feedback.access.privacy import NOTHING_PERSONAL, Privacy
from feedback.forms import answer_from
from feedback.models import FormField, Status, Visibility

from ..tags import OutputContext, TemplateError, compile_shown
from .steps import Step

if TYPE_CHECKING:
    from .macros import Macro

MAX_POINTS = 1_000_000
_SHOWN = 60


class ChangeStatus(Step):
    kind = "change_status"
    SETTINGS = ("status",)
    privacy = NOTHING_PERSONAL
    NAMED_BY = {"status": "name"}
    IS_FOR_TESTERS = False

    status = models.ForeignKey(Status, models.RESTRICT, related_name="changes_to")

    class Meta:
        verbose_name = "status change"

    def __str__(self) -> str:
        return f"Change the status to {self.status}"

    def problems(self, macro: Macro) -> dict[str, list[str]]:
        if self.status_id and self.status.feedback_type_id != macro.feedback_type_id:
            return {"status": ["The status is of another feedback type."]}
        return {}


class SetField(Step):
    kind = "set_field"
    SETTINGS = ("field", "value")
    privacy = NOTHING_PERSONAL
    NAMED_BY = {"field": "key"}
    IS_FOR_TESTERS = False

    field = models.ForeignKey(FormField, models.RESTRICT, related_name="set_by")
    value = models.TextField(
        blank=True,
        max_length=10_000,
        help_text="With dynamic tags. Several choices: one per line. Empty: the answer"
        " is taken away.",
    )

    class Meta:
        verbose_name = "form field"

    def __str__(self) -> str:
        value = _shortened(self.value)
        return f"Set {self.field} to {value}" if value else f"Empty {self.field}"

    def problems(self, macro: Macro) -> dict[str, list[str]]:
        if not self.field_id:
            return {}
        if self.field.feedback_type_id != macro.feedback_type_id:
            return {"field": ["The field is of another feedback type."]}
        try:
            template = compile_shown(self.value, OutputContext.TEXT, macro.scope())
            if template.fixed is not None:
                answer_from(self.field, template.fixed)
        except TemplateError as error:
            return {"value": [str(problem) for problem in error.problems]}
        except ValidationError as error:
            return {"value": error.messages}
        return {}


class AddComment(Step):
    kind = "add_comment"
    SETTINGS = ("text",)
    privacy = Privacy(hidden=("text",))
    IS_FOR_TESTERS = False

    text = models.TextField(max_length=10_000, help_text="With dynamic tags.")

    class Meta:
        verbose_name = "comment"

    def __str__(self) -> str:
        return f"Add the comment “{_shortened(self.text)}”"

    def audit_name(self) -> str:
        return "Add a comment"

    def problems(self, macro: Macro) -> dict[str, list[str]]:
        try:
            compile_shown(self.text, OutputContext.TEXT, macro.scope())
        except TemplateError as error:
            return {"text": [str(problem) for problem in error.problems]}
        return {}


class SetVisibility(Step):
    kind = "set_visibility"
    SETTINGS = ("visibility",)
    privacy = NOTHING_PERSONAL
    IS_FOR_TESTERS = False

    visibility = models.CharField(
        max_length=10, choices=Visibility, default=Visibility.PRIVATE
    )

    class Meta:
        verbose_name = "visibility"
        verbose_name_plural = "visibility"

    def __str__(self) -> str:
        return f"Make it {self.visibility}"


class AddScore(Step):
    """Points for the tester, of a ticket for its submitter."""

    kind = "add_score"
    SETTINGS = ("points",)
    privacy = NOTHING_PERSONAL

    points = models.IntegerField(
        default=1,
        validators=[MinValueValidator(-MAX_POINTS), MaxValueValidator(MAX_POINTS)],
        help_text="Added to the score of the tester, for a ticket of its submitter;"
        " a negative number takes points away.",
    )

    class Meta:
        verbose_name = "score"

    def __str__(self) -> str:
        return f"Add {self.points:+,} to the tester's score"

    def problems(self, macro: Macro) -> dict[str, list[str]]:
        return {"points": [] if self.points else ["Give a number other than 0."]}


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
