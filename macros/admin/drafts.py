"""A step as it stands in the form of its macro, before anything is saved."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.forms import ModelForm
from django.http import HttpRequest

from feedback.access.actors import may
from feedback.console.ordered import POSITION
from feedback.console.scoping import ScopedAdmin

from ..models import Macro
from ..steps.kind import StepKind
from ..tags import Problem
from .steps import StepInline, prefix_of

# A message, and where it is: as the editor's script takes it.
Note = dict[str, str | int]

_PREFIX = re.compile(r"[a-z_]{1,30}-\d{1,4}")


class DraftRefused(Exception):
    """Why nothing can be shown for a form, as a sentence."""


@dataclass(slots=True)
class Draft:
    """A step in its form, validated and not saved, with its macro."""

    macro: Macro
    form: ModelForm
    has_preview: bool

    @property
    def step(self) -> StepKind:
        step: StepKind = self.form.instance
        return step

    @property
    def problems(self) -> dict[str, list[Note]]:
        """For each field: message, and line and column where they are known."""
        return {
            name: [self._located(name, error) for error in errors]
            for name, errors in self.form.errors.as_data().items()
        }

    @property
    def faulty(self) -> list[str]:
        """The labels of the fields with problems; some stand in closed sections."""
        labels = [self._label(name) for name in self.form.errors]
        return list(dict.fromkeys(labels))

    def _label(self, name: str) -> str:
        if name not in self.form.fields:
            return f"The {self.step.label()}"
        # The table of return values has its label as the title of its section.
        return str(self.form[name].label or name.replace("_", " ").capitalize())

    def _located(self, name: str, error: ValidationError) -> Note:
        problem = (error.params or {}).get("problem")
        if not isinstance(problem, Problem):
            return {"message": " ".join(error.messages)}
        lines, column = self._stripped(name)
        first = problem.line == 1
        moved = Problem(
            problem.line + lines,
            problem.column + (column if first else 0),
            problem.message,
            problem.suggestion,
        )
        return {"line": moved.line, "column": moved.column, "message": str(moved)}

    def _stripped(self, name: str) -> tuple[int, int]:
        """The lines and columns of white space that the form took off the front."""
        raw = str(self.form.data.get(self.form.add_prefix(name), ""))
        lead = raw[: len(raw) - len(raw.lstrip())]
        return lead.count("\n"), len(lead) - lead.rfind("\n") - 1


def saved_macro(
    modeladmin: ScopedAdmin, request: HttpRequest, object_id: str | None
) -> Macro | None:
    """None for a new one. Raises Http404, PermissionDenied."""
    if object_id is None:
        if not modeladmin.has_add_permission(request):
            raise PermissionDenied
        return None
    pk = int(object_id) if re.fullmatch(r"[0-9]{1,18}", object_id) else 0
    row: Macro = modeladmin.row_to(request, modeladmin.permission_to("change"), pk)
    return row


def macro_from(
    modeladmin: ScopedAdmin, request: HttpRequest, saved: Macro | None
) -> Macro:
    """The macro as it stands in the form. Raises PermissionDenied, DraftRefused."""
    form = modeladmin.get_form(request, saved, change=saved is not None)(
        request.POST, instance=saved
    )
    # What is wrong with the macro itself is shown when it is saved.
    form.full_clean()
    macro: Macro = form.instance
    if not macro.has_owner:
        raise DraftRefused(
            "Choose first what it runs on: tags and secrets come from that."
        )
    action = "add" if saved is None else "change"
    if not may(request.user, modeladmin.permission_to(action), macro.owner):
        raise PermissionDenied
    return macro


def edited_inline(inlines: Iterable[object]) -> StepInline | None:
    """An inline whose steps are written on the page, if it has any."""
    return next((each for each in inlines if isinstance(each, StepInline)), None)


def draft_from(
    modeladmin: ScopedAdmin, request: HttpRequest, saved: Macro | None
) -> Draft:
    """The step that `step` names by its prefix in the form.

    Raises PermissionDenied, DraftRefused.
    """
    macro = macro_from(modeladmin, request, saved)
    prefix = request.POST.get("step", "")
    if not _PREFIX.fullmatch(prefix) or f"{prefix}-{POSITION}" not in request.POST:
        raise DraftRefused("This step is not in the form that was sent.")
    kind = prefix.rpartition("-")[0]
    inlines: list[Any] = modeladmin.get_inline_instances(request, saved)
    inline = next((each for each in inlines if prefix_of(each.model) == kind), None)
    if inline is None or not inline.has_change_permission(request, saved):
        raise PermissionDenied
    form_class = inline.get_formset(request, saved).form
    step = inline.model(macro=macro)
    form = form_class(request.POST, prefix=prefix, instance=step)
    form.full_clean()
    return Draft(macro, form, inline.has_preview)
