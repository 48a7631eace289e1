"""A web request as it stands in the form of its macro, before anything is saved."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.forms import ModelForm
from django.http import HttpRequest

from feedback.access.actors import may
from feedback.access.unlocking import locked_message

from ..models import Macro, WebRequest
from ..tags import Problem

_PREFIX = re.compile(r"[a-z_]{1,30}-\d{1,4}")


class DraftRefused(Exception):
    """Why nothing can be said of a form, as a sentence."""


@dataclass(slots=True)
class Draft:
    macro: Macro
    form: ModelForm

    @property
    def step(self) -> WebRequest:
        step: WebRequest = self.form.instance
        return step

    @property
    def problems(self) -> dict[str, list[dict[str, Any]]]:
        """Of each field: line and column, where they are known, and message."""
        return {
            name: [self._placed(name, error) for error in errors]
            for name, errors in self.form.errors.as_data().items()
        }

    @property
    def faulty(self) -> list[str]:
        """The labels of the fields with problems; some stand in closed sections."""
        found = [self._label(name) for name in self.form.errors]
        return list(dict.fromkeys(found))

    def _label(self, name: str) -> str:
        if name not in self.form.fields:
            return "The web request"
        # The table of return values has its label as the title of its section.
        return str(self.form[name].label or name.replace("_", " ").capitalize())

    def _placed(self, name: str, error: ValidationError) -> dict[str, Any]:
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
    modeladmin: Any, request: HttpRequest, object_id: str | None
) -> Macro | None:
    """None for a new one. Raises Http404, PermissionDenied."""
    if object_id is None:
        if not modeladmin.has_add_permission(request):
            raise PermissionDenied
        return None
    pk = int(object_id) if re.fullmatch(r"[0-9]{1,18}", object_id) else 0
    row: Macro = modeladmin.row_to(request, modeladmin.permission_to("change"), pk)
    return row


def macro_from(modeladmin: Any, request: HttpRequest, macro: Macro | None) -> Macro:
    """The macro as it stands in the form. Raises PermissionDenied, DraftRefused."""
    form = modeladmin.get_form(request, macro, change=macro is not None)(
        request.POST, instance=macro
    )
    form.full_clean()  # What is wrong with the macro itself is said when it is saved.
    found: Macro = form.instance
    if not found.has_owner:
        raise DraftRefused(
            "Choose first what it runs on: tags and secrets come from that."
        )
    action = "add" if macro is None else "change"
    if not may(request.user, modeladmin.permission_to(action), found.owner):
        raise PermissionDenied
    if not found.community.is_unlocked():
        raise DraftRefused(locked_message(found.community))
    return found


def draft_from(modeladmin: Any, request: HttpRequest, saved: Macro | None) -> Draft:
    """The web request that `step` names by its prefix in the form.

    Raises PermissionDenied, DraftRefused.
    """
    macro = macro_from(modeladmin, request, saved)
    prefix = request.POST.get("step", "")
    if not _PREFIX.fullmatch(prefix) or f"{prefix}-url" not in request.POST:
        raise DraftRefused("This web request is not in the form that was sent.")
    inlines = modeladmin.get_inline_instances(request, saved)
    inline = next((each for each in inlines if each.model is WebRequest), None)
    if inline is None or not inline.has_change_permission(request, saved):
        raise PermissionDenied
    form_class = inline.get_formset(request, saved).form
    step = WebRequest(macro=macro)
    form = form_class(request.POST, prefix=prefix, instance=step)
    form.full_clean()
    return Draft(macro, form)
