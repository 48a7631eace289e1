from __future__ import annotations

from django.db import models

from feedback.access.privacy import Privacy
from feedback.changes import Change, ChangeKind

from ...models import Macro
from ...models.steps import Problems, Settings
from ...tags import RenderContext, Scope
from ..changes import CompiledChange, compile_text, shortened
from ..errors import TooLarge
from ..kind import StepForm, StepKind, template_problems

# What is rendered, in characters.
MAX_COMMENT = 65_536


class AddComment(StepKind):
    """The step that writes a comment to a ticket; it says which macro it is from."""

    kind = "add_comment"
    SETTINGS = ("text",)
    IS_FOR_TESTERS = False
    privacy = Privacy(hidden=("text",))
    FORM = StepForm(
        "Add a comment", order=40, fields=["text"], rows={"text": 3}, tags=["text"]
    )

    text = models.TextField(max_length=10_000, help_text="With dynamic tags.")

    class Meta(StepKind.Meta):
        verbose_name = "comment"

    def __str__(self) -> str:
        return f"Add the comment “{shortened(self.text)}”"

    def audit_name(self) -> str:
        return "Add a comment"

    def problems(self, macro: Macro) -> Problems:
        scope = macro.scope()
        return template_problems({"text": lambda: compile_text(self.text, scope)})

    @classmethod
    def compile(cls, settings: Settings, scope: Scope) -> CompiledChange:
        template = compile_text(settings["text"], scope)
        return _Comment(ChangeKind.COMMENT, "Add a comment", template=template)


class _Comment(CompiledChange):
    def build(self, context: RenderContext) -> Change:
        change = super().build(context)
        if len(change.value) > MAX_COMMENT:
            limit = f"{MAX_COMMENT:,}"
            raise TooLarge(None, f"The comment is longer than {limit} characters.")
        return change
