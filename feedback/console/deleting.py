"""Deleting in the admin: a page that says in numbers what goes and what stays.

Django's own loads every row that would go, to list it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.forms.formsets import DELETION_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from ..changes.belongings import Belongings, belongings, listed
from ..changes.deletion import BEING_DELETED, is_big, why_not
from ..models import DeletedInSteps

MAX_FROM_LIST = 1_000


class DeletingAdmin(admin.ModelAdmin):
    delete_confirmation_template = "admin/delete_one.html"
    delete_selected_confirmation_template = "admin/delete_several.html"

    def notes_on_deletion(self, rows: Sequence[Any]) -> list[Any]:
        """What else people should know before; nested lists are shown so."""
        return []

    def may_delete_all(self, request: HttpRequest, rows: Sequence[Model]) -> bool:
        return all(self.has_delete_permission(request, row) for row in rows)

    def get_deleted_objects(
        self, objs: Iterable[Model], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """Sentences for the page, and those on what is in the way."""
        if isinstance(objs, QuerySet):
            objs = objs[: MAX_FROM_LIST + 1]
        rows = list(objs)
        if len(rows) > MAX_FROM_LIST:
            problem = (
                f"More than {MAX_FROM_LIST:,} {self.opts.verbose_name_plural} are"
                " selected. Select fewer, and delete them in several turns."
            )
            return [], {}, set(), [problem]
        is_refused = not self.may_delete_all(request, rows)
        lacking = {str(self.opts.verbose_name_plural)} if is_refused else set()
        problems = [problem for row in rows if (problem := why_not(row))]
        return [*self._said(rows), *self.notes_on_deletion(rows)], {}, lacking, problems

    def _belongings(self) -> Belongings:
        model: Any = self.model
        return belongings(model)

    def _said(self, rows: Sequence[Model]) -> list[str]:
        pks = [row.pk for row in rows]
        related = self._belongings()
        going, staying = listed(related.goes, pks), listed(related.stays, pks)
        sentences = [
            f"Deleted as well: {going}." if going else "Nothing else is deleted."
        ]
        if staying:
            sentences.append(f"Kept, without a link to it: {staying}.")
        if any(isinstance(row, DeletedInSteps) and is_big(row) for row in rows):
            sentences.append(
                "There is a lot of it, so it is deleted in the background."
            )
        return [*sentences, "The audit log stays, and says who deleted it."]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """What a name has to be typed for is deleted one at a time."""
        actions: dict[str, Any] = super().get_actions(request)
        if issubclass(self.model, DeletedInSteps):
            actions.pop("delete_selected", None)
        return actions

    def delete_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        context: dict[str, object] = {}
        if isinstance(row, DeletedInSteps) and self.has_delete_permission(request, row):
            name = row.name
            context["name_to_type"] = name
            if request.method == "POST" and request.POST.get("name", "") != name:
                problem = f"To delete it, type its name below as it is: {name}"
                messages.error(request, problem)
                return HttpResponseRedirect(request.get_full_path())
        return super().delete_view(
            request, object_id, {**context, **(extra_context or {})}
        )

    def response_delete(
        self, request: HttpRequest, obj_display: str, obj_id: int
    ) -> HttpResponse:
        if not self.model._base_manager.filter(pk=obj_id).exists():
            return super().response_delete(request, obj_display, obj_id)
        messages.info(request, f"{obj_display}: {BEING_DELETED}")
        opts = self.opts
        page = f"admin:{opts.app_label}_{opts.model_name}_changelist"
        return HttpResponseRedirect(reverse(page))

    @admin.display(description="deletion")
    def left_to_delete(self, row: Any) -> str:
        if row.deleting_since is None:
            return "-"
        left = listed(self._belongings().goes, [row.pk])
        return f"Being deleted; left: {left or 'nothing else'}"


def refusing_deletion(form: type[Any]) -> type[Any]:
    """An inline's form, whose own refusal would list every row that is in the way."""

    class Form(form):  # type: ignore[misc]
        def hand_clean_DELETE(self) -> None:
            if not self.cleaned_data.get(DELETION_FIELD_NAME) or not self.instance.pk:
                return
            if problem := why_not(self.instance):
                raise ValidationError(problem, code="deleting_protected")

    return Form
