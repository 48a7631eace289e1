"""What the kinds share that change their subject, without any request."""

from __future__ import annotations

from dataclasses import dataclass

from feedback.changes import Change, ChangeChecker, ChangeKind, check_tester
from feedback.models import Tester
from feedback.texts import storable

from ..tags import (
    OutputContext,
    RenderContext,
    Scope,
    Template,
    compile_without_secrets,
)
from .compiled import CompiledStep
from .dry_run import DryRunRow

# Characters of a template that are shown in a sentence.
_SHOWN = 60


@dataclass
class CompiledChange(CompiledStep):
    """A change of one kind, its value fixed or from a template.

    People read its results, so no secret may stand in it.
    """

    kind: ChangeKind
    sentence: str
    value: str | int = ""
    # The key of the form field that it sets.
    key: str = ""
    template: Template | None = None

    @property
    def templates(self) -> list[Template]:
        return [self.template] if self.template else []

    @property
    def words(self) -> str:
        return self.sentence

    def build(self, context: RenderContext) -> Change:
        if self.template is None:
            return Change(self.kind, self.value, self.key)
        text = storable(self.template.render(context))
        return Change(self.kind, text, self.key)

    def dry_run(
        self, context: RenderContext, row: DryRunRow, checker: ChangeChecker
    ) -> None:
        change, subject = self.build(context), row.subject
        if isinstance(subject, Tester):
            tester: Tester | None = subject
            result = check_tester(subject, change)
        else:
            tester = subject.submitter
            result = checker.check_ticket(subject, change, tester)
        if not result.is_possible:
            row.problem = result.message
            return
        row.lines.append(result.forecast)
        row.unchanged += not result.changes_something
        for name, value in result.columns.items():
            setattr(subject, name, value)
        if result.score is not None and tester is not None:
            tester.score = result.score


def compile_text(text: str, scope: Scope) -> Template:
    """A text that people will read. Raises TemplateError."""
    return compile_without_secrets(text, OutputContext.TEXT, scope)


def shortened(text: str) -> str:
    """A template as it may stand in a sentence."""
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
