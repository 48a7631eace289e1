from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models

from feedback.access.privacy import NOTHING_PERSONAL
from feedback.changes import ChangeKind
from feedback.forms import answer_from
from feedback.models import FormField

from ...models import Macro
from ...models.steps import Problems, Settings
from ...tags import Scope, TemplateError
from ..changes import CompiledChange, compile_text, shortened
from ..kind import StepForm, StepKind


class SetField(StepKind):
    """The step that answers a question of the ticket's form, or empties it."""

    kind = "set_field"
    SETTINGS = ("field", "value")
    privacy = NOTHING_PERSONAL
    NAMED_BY = {"field": "key"}
    IS_FOR_TESTERS = False
    FORM = StepForm(
        "Set a form field",
        order=30,
        fields=["field", "value"],
        rows={"value": 2},
        tags=["value"],
    )

    field = models.ForeignKey(FormField, models.RESTRICT, related_name="set_by")
    value = models.TextField(
        blank=True,
        max_length=10_000,
        help_text="With dynamic tags. Several choices: one per line. Leave it empty to"
        " take the answer away.",
    )

    class Meta(StepKind.Meta):
        verbose_name = "form field"

    def __str__(self) -> str:
        value = shortened(self.value)
        return f"Set {self.field} to {value}" if value else f"Empty {self.field}"

    def problems(self, macro: Macro) -> Problems:
        if not self.field_id:
            return {}
        if self.field.feedback_type_id != macro.feedback_type_id:
            return {"field": ["The field is of another feedback type."]}
        try:
            template = compile_text(self.value, macro.scope())
            if template.fixed is not None:
                answer_from(self.field, template.fixed)
        except TemplateError as error:
            return {"value": [str(problem) for problem in error.problems]}
        except ValidationError as error:
            return {"value": [*error.messages]}
        return {}

    @classmethod
    def compile(cls, settings: Settings, scope: Scope) -> CompiledChange:
        key = settings["field"]
        template = compile_text(settings["value"], scope)
        words = f"Set the field {key}"
        return CompiledChange(ChangeKind.FIELD, words, key=key, template=template)
