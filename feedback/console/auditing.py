"""Change signals for what is saved and deleted in the admin.

The audit log receives them. Each is sent in the transaction of its change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.forms import BaseInlineFormSet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from ..changes import deletion, unit
from ..changes.signals import Pair, saved
from ..changes.stored import as_stored
from .deleting import DeletingAdmin
from .typed import keep_untouched


@dataclass(slots=True)
class Edit:
    """What a form changed: the row before, and the pairs of the rows below it."""

    before: Model | None
    parts: list[Pair]


class AuditedAdmin(DeletingAdmin):
    """Sends change signals in place of Django's own log and history pages."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        """A form with all that is below it is one unit of work."""
        with unit() if request.method == "POST" else nullcontext():
            return super().changeform_view(request, object_id, form_url, extra_context)

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        form.before = as_stored(form.instance)
        row = super().save_form(request, form, change)
        if form.before is not None:
            keep_untouched(form, form.before, row)
        return row

    def save_related(
        self,
        request: HttpRequest,
        form: Any,
        formsets: Iterable[BaseInlineFormSet],
        change: bool,
    ) -> None:
        form.parts_before = {each.prefix: _edited(each) for each in formsets}
        super().save_related(request, form, formsets, change)

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """The message goes from here to `log_addition` and `log_change` alone."""
        if not hasattr(form, "before"):
            return f"Changed: {', '.join(form.changed_data)}."
        parts = [
            pair
            for formset in formsets or ()
            for pair in _pairs(formset, form.parts_before[formset.prefix])
        ]
        return Edit(form.before, parts)

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        parts = message.parts if isinstance(message, Edit) else []
        note = "" if isinstance(message, Edit) else str(message)
        saved.send(type(obj), before=None, after=obj, parts=parts, note=note)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        if isinstance(message, Edit):
            before, parts, note = message.before, message.parts, ""
        else:
            before, parts, note = obj, [], str(message)
        saved.send(type(obj), before=before, after=obj, parts=parts, note=note)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet) -> Any:
        """Nothing: no transaction is open here. See the next two."""

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        deletion.delete(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        deletion.delete_all(queryset)

    def history_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404(f"No {self.opts.verbose_name} of this number.")
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        page = "admin:logs_auditentry_about"
        return HttpResponseRedirect(reverse(page, args=[self.opts.label_lower, row.pk]))


class DomainSavedAdmin(AuditedAdmin):
    """For rows that a function of their own saves, with the audit entry inside.

    Deletions send signals as everywhere; saving sends none, or there were two entries.
    """

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        return ""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Nothing: the function that saved the row has recorded it."""

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Nothing: the function that saved the row has recorded it."""


def _edited(formset: BaseInlineFormSet) -> Mapping[int, Model]:
    """The rows that a formset is about to change or delete, as they are stored."""
    edited = [each for each in formset.initial_forms if each.has_changed()]
    rows: QuerySet = formset.get_queryset().model._base_manager.all()
    return rows.in_bulk([each.instance.pk for each in edited])


def _pairs(formset: BaseInlineFormSet, before: Mapping[int, Model]) -> Iterable[Pair]:
    """What became of the rows of a formset that was saved."""
    left = dict(before)
    for row, _ in formset.changed_objects:
        yield left.pop(row.pk, None), row
    for row in formset.new_objects:
        yield None, row
    for row in left.values():
        yield row, None
