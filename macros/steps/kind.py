"""What a kind of step adds to a stored step: what it compiles to, and its form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django import forms

from ..models.steps import Settings, Step, step_kinds
from ..tags import Scope, TemplateError
from .compiled import CompiledStep

# As ModelAdmin.fieldsets has them.
Fieldset = tuple[str | None, dict[str, Any]]


@dataclass(frozen=True)
class StepForm:
    """The kind's form on the page of a macro."""

    # What adding one says, and where it comes among the kinds.
    title: str
    order: int
    fields: Sequence[str | Sequence[str]] = ()
    # More sections, each under a heading of its own.
    sections: Sequence[Fieldset] = ()
    # Height of text areas, in lines.
    rows: Mapping[str, int] = field(default_factory=dict)
    # The fields that take dynamic tags.
    tags: Sequence[str] = ()
    # The text areas hold code: of fixed width, and no spelling is checked.
    is_code: bool = False
    # It is previewed and can be test-sent beside its form.
    has_preview: bool = False
    # Form fields in place of those that the model's fields make.
    form_fields: Mapping[str, Callable[[], forms.Field]] = field(default_factory=dict)
    # What the names of its inputs begin with; empty: the model's name.
    prefix: str = ""


class StepKind(Step):
    """Extend this to add a kind: docs/steps.md says how."""

    FORM: ClassVar[StepForm]
    # The field that says to whom it sends; empty where it sends nothing.
    SENT_BY: ClassVar[str] = ""

    class Meta:
        abstract = True
        ordering = ["position", "pk"]

    @classmethod
    def host_in(cls, text: str) -> str:
        """Where it sends by the text of that field, in words."""
        return text

    @property
    def line(self) -> str:
        """What it does, for a list of steps; it may be half filled in."""
        is_whole = all(getattr(self, f"{name}_id") for name in self.NAMED_BY)
        return self.summary if is_whole else self.FORM.title

    @property
    def summary(self) -> str:
        return str(self)

    @property
    def note(self) -> str:
        """What else a list says of it, smaller."""
        return ""

    @classmethod
    def compile(cls, settings: Settings, scope: Scope) -> CompiledStep:
        """Raises TemplateError; a step that was saved has been compiled before."""
        raise NotImplementedError


def offered_kinds() -> list[type[StepKind]]:
    """The kinds in the order in which people are offered them."""
    kinds = [each for each in step_kinds().values() if issubclass(each, StepKind)]
    return sorted(kinds, key=lambda kind: kind.FORM.order)


class UnknownKind(TemplateError):
    """A snapshot has a step that this version does not know, as after a downgrade."""

    def __init__(self, name: str) -> None:
        super().__init__([])
        self.name = name

    def __str__(self) -> str:
        return f"This version of CenterHook has no step of the kind '{self.name}'."


def compile_step(snapshot: Settings, scope: Scope) -> CompiledStep:
    """A step of a run's snapshot. Raises TemplateError."""
    kind = step_kinds().get(snapshot["kind"])
    if kind is None or not issubclass(kind, StepKind):
        raise UnknownKind(str(snapshot["kind"]))
    return kind.compile(snapshot, scope)


def template_problems(
    compilers: Mapping[str, Callable[[], object]],
) -> dict[str, list[str]]:
    """The problems of each field whose template does not compile."""
    problems: dict[str, list[str]] = {}
    for name, compile_field in compilers.items():
        try:
            compile_field()
        except TemplateError as error:
            problems[name] = [str(problem) for problem in error.problems]
    return problems
