"""The steps of a macro on its page: one list of forms, whatever their kinds.

The kinds themselves say how they are laid out: `macros.steps.kind.StepForm`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import InlineAdminFormSet
from django.contrib.admin.options import InlineModelAdmin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet, Field, Textarea
from django.http import HttpRequest

from feedback.console.ordered import (
    POSITION,
    Entry,
    Line,
    OrderedFormSet,
    OrderedInline,
    OrderedList,
    in_order,
    ordered_list,
)
from feedback.console.scoping import ScopedInline, edited_pk

from ..models import Macro, Step
from ..steps.kind import StepForm, StepKind, offered_kinds

# The input for the position of a step that the page shows without a form.
_FIXED = "position-"
_LOCKED = "locked"


class StepFormSet(OrderedFormSet):
    """The steps of one kind."""

    model: type[StepKind]

    @classmethod
    def get_default_prefix(cls) -> str:
        """Its own, so that no kind takes the place of another that is not shown."""
        return prefix_of(cls.model)

    def add_fields(self, form: Any, index: int | None) -> None:
        """What there is to choose from is looked up once for all forms of the kind."""
        super().add_fields(form, index)
        known: dict[str, list[Any]] = vars(self).setdefault("choices", {})
        for name in self.model.NAMED_BY:
            field = form.fields[name]
            if name not in known:
                # A list would ask for their number first.
                known[name] = [each for each in field.choices]  # noqa: C416
            field.choices = known[name]

    def give_positions(self) -> None:
        """The list of steps of all kinds is what they have their positions in."""

    def clean(self) -> None:
        """The page may have been opened before the community was locked."""
        super().clean()
        macro = self.instance
        if not self.model.NEEDS_API_KEY or not macro.has_owner:
            return
        if self.has_changed() and not macro.community.is_unlocked():
            raise ValidationError(
                f"Web requests are locked: the community {macro.community} has no valid"
                " API key. A Community Manager can create one."
            )


class StepInline(OrderedInline, ScopedInline, InlineModelAdmin):
    """The form of one kind."""

    model: type[StepKind]
    formset = StepFormSet
    fk_name = "macro"
    head = (POSITION, "is_active")
    # Whether the macro has such steps, as far as that is known.
    is_used = True

    @property
    def layout(self) -> StepForm:
        return self.model.FORM

    @property
    def label(self) -> str:
        return self.layout.title

    @property
    def has_preview(self) -> bool:
        return self.layout.has_preview

    def line_of(self, row: StepKind) -> Line:
        return Line(row.line, row.note, row.is_active)

    def permission_to(self, action: str) -> str:
        """The permissions on steps hold for every kind."""
        return f"macros.{action}_step"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).select_related(*self.model.NAMED_BY)
        return rows if self.is_used else rows.none()

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
        if height := self.layout.rows.get(db_field.name):
            kwargs["widget"] = _text_area(height, is_code=self.layout.is_code)
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name in self.layout.tags:
            field.widget.attrs["data-tags"] = ""
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
    folded = [
        (name, {"classes": ["collapse"], **options})
        for name, options in layout.sections
    ]
    members: dict[str, object] = {
        "model": kind,
        "fieldsets": [
            (None, {"fields": StepInline.head}),
            (None, {"fields": layout.fields}),
            *folded,
        ],
    }
    return type(f"{kind.__name__}Inline", (StepInline, admin.StackedInline), members)


def step_inlines() -> list[type[StepInline]]:
    return [inline_of(kind) for kind in offered_kinds()]


def prefix_of(kind: type[StepKind]) -> str:
    """What the names of its fields in the form begin with."""
    return kind.FORM.prefix or kind.accessor()


def listed_steps(
    formsets: Sequence[InlineAdminFormSet],
    stored: Iterable[Step],
    data: Mapping[str, str],
) -> OrderedList:
    """All steps of a page in one list; those that it has no form for have a line."""
    shown = {each.opts.model for each in formsets}
    fixed = [
        Entry(
            prefix=f"{_FIXED}{step.pk}",
            line=Line(step.line, _LOCKED if step.NEEDS_API_KEY else "", step.is_active),
            position=data.get(f"{_FIXED}{step.pk}", step.position),
        )
        for step in stored
        if isinstance(step, StepKind) and type(step) not in shown
    ]
    return ordered_list("steps", "step", formsets, fixed)


def steps_in(
    macro: Macro, formsets: Iterable[BaseInlineFormSet], data: Mapping[str, str]
) -> list[Step]:
    """All steps that the macro has when its form is saved, in their order.

    Those of kinds that the form did not show stay as they are, but for their positions.
    """
    stored = macro.concrete_steps() if macro.pk else []
    steps = {step.pk: step for step in stored}
    new: list[Step] = []
    for formset in formsets:
        formset.save(commit=False)
        for step in formset.deleted_objects:
            steps.pop(step.pk, None)
        steps |= {step.pk: step for step, _ in formset.changed_objects}
        new += formset.new_objects
    for pk, step in steps.items():
        position = data.get(f"{_FIXED}{pk}", "")
        # As many digits as a position can have.
        if position.isascii() and position.isdigit() and len(position) < 5:
            step.position = int(position)
    return in_order([*steps.values(), *new], lambda step: step.position)
