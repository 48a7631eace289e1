"""The steps of a macro on its page: an inline for each kind, ordered across kinds.

The kinds themselves say how they are laid out: `macros.steps.kind.StepForm`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import InlineModelAdmin
from django.core.exceptions import ValidationError
from django.db.models import Max, QuerySet
from django.forms import BaseInlineFormSet, Field, Textarea
from django.http import HttpRequest

from feedback.console.scoping import ScopedInline, edited_pk

from ..models import Macro, Step
from ..steps.kind import StepForm, StepKind, offered_kinds


class StepFormSet(BaseInlineFormSet):
    """The steps of one kind."""

    model: type[StepKind]

    @classmethod
    def get_default_prefix(cls) -> str:
        """Its own, so that no kind takes the place of another that is not shown."""
        return prefix_of(cls.model)

    def clean(self) -> None:
        """The page may have been opened before the community was locked."""
        macro = self.instance
        if not self.model.NEEDS_API_KEY or not macro.has_owner:
            return
        if self.has_changed() and not macro.community.is_unlocked():
            raise ValidationError(
                f"Web requests are locked: the community {macro.community} has no valid"
                " API key. A Community Manager can create one."
            )


class StepInline(ScopedInline, InlineModelAdmin):
    """The form of one kind."""

    model: type[StepKind]
    formset = StepFormSet
    fk_name = "macro"
    extra = 0

    @property
    def layout(self) -> StepForm:
        return self.model.FORM

    def permission_to(self, action: str) -> str:
        """The permissions on steps hold for every kind."""
        return f"macros.{action}_step"

    def get_field_queryset(
        self, db: str | None, db_field: Any, request: HttpRequest
    ) -> QuerySet[Any] | None:
        """Rows of the macro's own type."""
        rows = super().get_field_queryset(db, db_field, request)
        if db_field.name not in self.model.NAMED_BY:
            return rows
        if rows is None:
            rows = db_field.remote_field.model._default_manager.all()
        return rows.filter(feedback_type__macros=edited_pk(request))

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Field | None:
        if make := self.layout.form_fields.get(db_field.name):
            return make()
        if db_field.name == "position":
            kwargs["initial"] = next_position(request)
        if height := self.layout.rows.get(db_field.name):
            kwargs["widget"] = _text_area(height, is_code=self.layout.is_code)
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name in self.model.NAMED_BY and field is not None:
            for link in ("add", "change", "delete", "view"):
                setattr(field.widget, f"can_{link}_related", False)
        return field

    def fits(self, request: HttpRequest, macro: Macro | None, is_locked: bool) -> bool:
        """Whether the macro can have steps of the kind just now."""
        if request.method == "POST":
            # What the form that was sent did not have stays as it is.
            if f"{prefix_of(self.model)}-TOTAL_FORMS" not in request.POST:
                return False
        elif is_locked and self.model.NEEDS_API_KEY:
            return False
        if macro is None:
            # There is nothing to choose from before the macro's type is saved.
            return not self.model.NAMED_BY
        return macro.feedback_type_id is not None or self.model.IS_FOR_TESTERS

    def fold(self, macro: Macro | None) -> None:
        """Fold it up as long as the macro has no step of the kind."""
        rows = self.model._default_manager.filter(macro=macro)
        is_used = macro is not None and rows.exists()
        self.classes = [] if is_used or self.layout.is_open else ["collapse"]


def _text_area(height: int, *, is_code: bool) -> Textarea:
    return Textarea(
        {
            "rows": height,
            "class": "vLargeTextField code" if is_code else "vLargeTextField",
            "spellcheck": "false" if is_code else "true",
        }
    )


@cache
def inline_of(kind: type[StepKind]) -> type[StepInline]:
    layout = kind.FORM
    shape = admin.TabularInline if layout.is_table else admin.StackedInline
    folded = [
        (name, {"classes": ["collapse"], **options})
        for name, options in layout.sections
    ]
    members: dict[str, object] = {
        "model": kind,
        "verbose_name_plural": layout.title,
        "template": layout.template or shape.template,
        "fieldsets": [(None, {"fields": layout.fields}), *folded],
    }
    return type(f"{kind.__name__}Inline", (StepInline, shape), members)


def step_inlines() -> list[type[StepInline]]:
    return [inline_of(kind) for kind in offered_kinds()]


def prefix_of(kind: type[StepKind]) -> str:
    """What the names of its fields in the form begin with."""
    return kind.FORM.prefix or kind.accessor()


def next_position(request: HttpRequest) -> int:
    """A new step comes after those that there are."""
    steps = Step.objects.filter(macro=edited_pk(request))
    last: int | None = steps.aggregate(last=Max("position"))["last"]
    return 1 if last is None else last + 1
