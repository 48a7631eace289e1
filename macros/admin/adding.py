"""A new row from a page of another model, by the door of its own page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest

from feedback.changes import unit


def add_row(
    request: HttpRequest, model: type[Model], values: Mapping[str, object]
) -> tuple[Any, ModelForm]:
    """The row, saved as its own page does, with the audit entry; and its form.

    None for the row, with the errors on the form, where it is refused. Raises
    PermissionDenied.
    """
    page: Any = admin.site.get_model_admin(model)
    if not page.has_add_permission(request):
        raise PermissionDenied
    form = page.get_form(request, fields=[*values])(values)
    if not form.is_valid():
        return None, form
    with transaction.atomic(), unit():
        row = page.save_form(request, form, change=False)
        page.save_model(request, row, form, change=False)
        page.save_related(request, form, [], change=False)
        message = page.construct_change_message(request, form, [], add=True)
        page.log_addition(request, row, message)
    return row, form
