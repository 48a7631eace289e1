"""The steps of a macro on its page: an inline for each kind, ordered across kinds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import InlineModelAdmin
from django.db.models import Max, QuerySet
from django.forms import BaseInlineFormSet, Textarea
from django.http import HttpRequest

from feedback.console.scoping import ScopedInline, edited_pk

from ..models import (
    AddComment,
    AddScore,
    ChangeStatus,
    Macro,
    SendEmail,
    SetField,
    SetVisibility,
    Step,
)


class StepFormSet(BaseInlineFormSet):
    @classmethod
    def get_default_prefix(cls) -> str:
        """Its own, so that no kind takes the place of another that is not shown."""
        assert cls.model is not None  # noqa: S101 - for the type checker
        return str(cls.model._meta.model_name)


class StepInline(ScopedInline, InlineModelAdmin):
    """Folded up as long as the macro has no step of the kind."""

    formset = StepFormSet
    fk_name = "macro"
    extra = 0
    rows: dict[str, int] = {}
    # Whether it needs to be known which statuses and fields there are.
    needs_type = False

    def get_field_queryset(
        self, db: str | None, db_field: Any, request: HttpRequest
    ) -> QuerySet[Any] | None:
        """Of the macro's own type."""
        rows = super().get_field_queryset(db, db_field, request)
        if db_field.name not in self.model.NAMED_BY:
            return rows
        if rows is None:
            rows = db_field.remote_field.model._default_manager.all()
        return rows.filter(feedback_type__macros=edited_pk(request))

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "position":
            kwargs["initial"] = next_position(request)
        if height := self.rows.get(db_field.name):
            attrs = {"rows": height, "class": "vLargeTextField", "spellcheck": "true"}
            kwargs["widget"] = Textarea(attrs=attrs)
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name in self.model.NAMED_BY and field is not None:
            for link in ("add", "change", "delete", "view"):
                setattr(field.widget, f"can_{link}_related", False)
        return field


class ChangeStatusInline(StepInline, admin.TabularInline):
    model = ChangeStatus
    fields = ["position", "status"]
    needs_type = True
    verbose_name_plural = "Change the status"


class SetFieldInline(StepInline, admin.StackedInline):
    model = SetField
    fields = [("position", "field"), "value"]
    rows = {"value": 2}
    needs_type = True
    verbose_name_plural = "Set form fields"


class AddCommentInline(StepInline, admin.StackedInline):
    model = AddComment
    fields = ["position", "text"]
    rows = {"text": 3}
    verbose_name_plural = "Add comments"


class SetVisibilityInline(StepInline, admin.TabularInline):
    model = SetVisibility
    fields = ["position", "visibility"]
    verbose_name_plural = "Set the visibility"


class AddScoreInline(StepInline, admin.TabularInline):
    model = AddScore
    fields = ["position", "points"]
    verbose_name_plural = "Add to the tester's score"


class SendEmailInline(StepInline, admin.StackedInline):
    model = SendEmail
    fields = ["position", "to", "subject", "body"]
    rows = {"to": 2, "body": 8}
    verbose_name_plural = "Send e-mails"


STEP_INLINES: list[type[StepInline]] = [
    ChangeStatusInline,
    SetFieldInline,
    AddCommentInline,
    SetVisibilityInline,
    AddScoreInline,
    SendEmailInline,
]


def steps_in(macro: Macro, formsets: Iterable[BaseInlineFormSet]) -> list[Step]:
    """All steps that the macro has when its form is saved.

    Those of kinds that the form did not show stay as they are.
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
    return [*steps.values(), *new]


def next_position(request: HttpRequest) -> int:
    """A new step comes after those that there are."""
    steps = Step.objects.filter(macro=edited_pk(request))
    last: int | None = steps.aggregate(last=Max("position"))["last"]
    return 1 if last is None else last + 1


def fitting(
    inlines: list[Any], request: HttpRequest, macro: Macro | None
) -> Iterator[Any]:
    """Those that the macro can have steps of. What has a step is not folded up."""
    for inline in inlines:
        if not isinstance(inline, StepInline):
            yield inline
        elif _fits(inline, request, macro):
            rows = inline.model._default_manager.filter(macro=macro)
            has_rows = macro is not None and rows.exists()
            inline.classes = [] if has_rows else ["collapse"]
            yield inline


def _fits(inline: StepInline, request: HttpRequest, macro: Macro | None) -> bool:
    """A new macro has no statuses to choose from before its type is saved."""
    if request.method == "POST":
        # What the form that was sent did not have stays as it is.
        prefix = inline.model._meta.model_name
        if f"{prefix}-TOTAL_FORMS" not in request.POST:
            return False
    if macro is None:
        return not inline.needs_type
    return macro.feedback_type_id is not None or inline.model.IS_FOR_TESTERS
